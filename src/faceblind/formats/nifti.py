"""NIfTI-1 and NIfTI-2 files (``.nii``, ``.nii.gz``), read with suspicion, written bit for bit.

Formulas and field meanings: the NIfTI-1 and NIfTI-2 standards (nifti1.h, nifti2.h). A file is
kept as two pieces, the bytes before the voxels and the voxels as stored, so that writing an
unchanged scan gives the same uncompressed bytes whatever the header holds.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from faceblind.errors import ScanError
from faceblind.formats import gzipped
from faceblind.formats.names import suffix_of
from faceblind.formats.volumes import (
    check_geometry,
    check_saving,
    make_stored,
    millimetres,
    plain_numbers,
    read_bytes,
    unpack,
    write,
)
from faceblind.scan import Position, Scan, Stored

logger = logging.getLogger(__name__)

_UNITS_MM = {1: 1000.0, 2: 1.0, 3: 0.001}
_UNIT_NAMES = {1: "metres", 2: "millimetres", 3: "micrometres"}
_NUMBER_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1",
    512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
_OTHER_TYPES = {
    1: "one bit per voxel",
    32: "complex numbers",
    128: "RGB colours",
    1536: "128-bit floats",
    1792: "complex numbers",
    2048: "complex numbers",
    2304: "RGBA colours",
}
_FREE_TEXT = ("data_type", "db_name", "descrip", "aux_file", "intent_name", "unused_str")
ENDINGS = (".nii", ".nii.gz")
SAME_SIZE = 0.02
"""Share by which voxel sizes in `pixdim` and in the sform may differ; headers hold float32, and a
sform may have been stretched a little by an affine registration."""
# A qform knows no shear, so that a tilted gantry's corners differ by a little.
_FORMS_AGREE_MM = 4.0
# Packed bytes that surely hold the header and what follows it at once.
_PEEK = 4096


@dataclass(frozen=True)
class _Layout:
    """Where a header says that the voxels lie."""

    header: Any  # numpy void of the header's structured type
    byteorder: Literal["<", ">"]
    version: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int

    @property
    def n_bytes(self) -> int:
        n = self.dtype.itemsize
        for size in self.shape:  # Python integers: hostile sizes must not wrap around
            n *= size
        return n

    @property
    def end(self) -> int:
        """Where the voxels end."""
        return self.offset + self.n_bytes


@dataclass(frozen=True)
class _Container:
    """The bytes before the voxels."""

    prefix: bytes
    byteorder: Literal["<", ">"]
    version: int


def load(path: str | Path, *, derived: bool = False) -> Scan:
    """Read a head scan and refuse what cannot be one.

    Parameters
    ----------
    path : str or Path
        A ``.nii`` or ``.nii.gz`` file; compression is recognised by content.
    derived : bool
        See `faceblind.formats.load`.

    Returns
    -------
    Scan
        In RAS+ mm (units of metres and micrometres are converted). Voxels are read-only: the
        stored integers where the file has no scaling, else float32. Where at most half of the
        voxels are NaN or infinite they are taken as air (the smallest finite value); the stored
        numbers keep them. Bytes after the voxels are not kept.

    Raises
    ------
    ScanError
        If the file is missing, empty, truncated, not a NIfTI image, not 3-D or 4-D numbers, or if
        its affine, voxel size, extent or content cannot be those of a head.
    """
    path = Path(path)
    name = str(path)
    data = unpack(read_bytes(path), name, lambda start: _parse(start, name).end, peek=544)
    layout = _parse(data[:544], name)
    affine = _affine(layout, name)
    unit = _UNIT_NAMES.get(int(layout.header["xyzt_units"]) & 7)
    said = f" (the header says {unit})" if unit in ("metres", "micrometres") else ""
    doubt = _doubt(layout, affine)
    if doubt and np.isin(np.abs(affine[:3, :3]), (0.0, 1.0)).all():
        # What programs write that lost the transform: whole axes of 1 mm.
        raise ScanError(f"{name}: {doubt}")
    check_geometry(layout.shape, affine, name, said)
    stored = _stored(layout, data, affine, name, derived)
    return Scan(
        stored.voxels, affine, suffix_of(path.name), name, stored, doubt, _position(layout, affine)
    )


def save(
    scan: Scan,
    path: str | Path,
    *,
    drop_extensions: bool = False,
    clear_text: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a scan; voxels that nobody changed are written back bit for bit.

    A scan that came from a NIfTI file keeps that file's header, extensions, data type, scaling
    and byte order. A scan made in memory is written as NIfTI-1 in its own number type (float64
    as float32, bool as uint8). The file appears whole or not at all, and compressed output is
    the same for the same scan (no time, no name in the gzip header).

    Parameters
    ----------
    scan : Scan
        As loaded, or changed with `Scan.with_changes`, or made in memory (``stored=None``).
    path : str or Path
        A new file that ends in ``.nii`` or ``.nii.gz``, in a folder that exists.
    drop_extensions : bool
        Leave header extensions out (they may hold names, dates or whole DICOM headers).
    clear_text : bool
        Blank the header's free-text fields, and what stands between header and voxels without
        being an extension. Extensions that stay are warned of, once.
    overwrite : bool
        Replace a file that exists. The scan's own source is never replaced.

    Raises
    ------
    OutputError
        If the target is unsuitable, or the scan's voxels or affine were replaced behind the back
        of its stored record.
    """
    path = Path(path)
    check_saving(scan, path, ENDINGS, _Container, overwrite)
    stored = scan.stored
    if stored is None:
        prefix, raw = _fresh(scan)
    else:
        prefix, raw = (
            _cleaned(stored.container, drop_extensions=drop_extensions, clear_text=clear_text),
            stored.raw,
        )
    body = prefix + raw.tobytes(order="F")
    write(path, b"", body, path.name.lower().endswith(".gz"))


def has_extensions(path: Path) -> bool:
    """Whether a file carries header extensions; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(_PEEK)
        if start[:2] == gzipped.MAGIC:
            start = gzipped.inflate(start, 544)[0]
    except (OSError, gzipped.DamagedError):
        return False
    sizes = {int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big")}
    return any(start[size : size + 1].strip(b"\0") for size in sizes & {348, 540})


def _parse(start: bytes, name: str) -> _Layout:
    """Interpret the first bytes of the uncompressed file."""
    not_image = ScanError(f"{name}: not a NIfTI image; convert it to .nii or .nii.gz")
    if len(start) < 4:
        raise EOFError
    kinds: list[tuple[int, int, np.dtype[Any], Literal["<", ">"]]] = [
        (1, 348, nib.nifti1.header_dtype, "<"),
        (1, 348, nib.nifti1.header_dtype, ">"),
        (2, 540, nib.nifti2.header_dtype, "<"),
        (2, 540, nib.nifti2.header_dtype, ">"),
    ]
    first = start[:4]
    found = next((k for k in kinds if np.frombuffer(first, k[3] + "i4")[0] == k[1]), None)
    if found is None:
        raise not_image
    version, size, fields, byteorder = found
    if len(start) < size:
        raise EOFError
    header = np.frombuffer(start[:size], fields.newbyteorder(byteorder))[0]
    magic = bytes(header["magic"])[:3]
    if magic in (b"ni1", b"ni2", b""):
        raise ScanError(f"{name}: header and image are two files; convert to one .nii file")
    if magic != (b"n+1" if version == 1 else b"n+2"):
        raise not_image
    return _Layout(
        header,
        byteorder,
        version,
        _shape(header, name),
        _dtype(header, byteorder, name),
        _offset(header, size, name),
    )


def _shape(header: Any, name: str) -> tuple[int, ...]:
    dim = [int(d) for d in header["dim"]]
    damaged = ScanError(f"{name}: the header's dimensions are damaged; convert it again")
    if not 1 <= dim[0] <= 7:
        raise damaged
    # As nifti1_io reads it: a size of 0 beyond space is a dimension that is not used.
    sizes = [*dim[1 : dim[0] + 1][:3], *(size or 1 for size in dim[1 : dim[0] + 1][3:])]
    if min(sizes) < 1:
        raise damaged
    if len(sizes) < 3 or min(sizes[:3]) == 1:
        raise ScanError(f"{name}: a 2-D image, not a volume; give the whole series as one file")
    if any(size > 1 for size in sizes[4:]):
        raise ScanError(f"{name}: has {len(sizes)} dimensions; give a 3-D or 4-D volume")
    return tuple(sizes[:3]) if len(sizes) == 3 or sizes[3] == 1 else tuple(sizes[:4])


def _dtype(header: Any, byteorder: str, name: str) -> np.dtype[Any]:
    code = int(header["datatype"])
    if code not in _NUMBER_TYPES:
        kind = _OTHER_TYPES.get(code, f"data type {code}")
        raise ScanError(f"{name}: holds {kind}, not intensities; convert to integers or floats")
    return np.dtype(byteorder + _NUMBER_TYPES[code])


def _offset(header: Any, header_size: int, name: str) -> int:
    offset = float(header["vox_offset"])
    if offset == 0:
        return header_size + 4
    # Without the four bytes that tell of extensions, as some programs write it.
    if not header_size <= offset < 2**40 or offset != int(offset):
        raise ScanError(f"{name}: the header's data offset is damaged; convert the scan again")
    return int(offset)


def _affine(layout: _Layout, name: str) -> NDArray[np.float64]:
    """Voxel to RAS+ mm: the sform where its code is set, else the qform, else the spacing."""
    kind = nib.Nifti1Header if layout.version == 1 else nib.Nifti2Header
    try:
        with np.errstate(all="ignore"):
            fields = _as_the_standard_reads(layout.header)
            header = kind(fields.tobytes(), endianness=layout.byteorder, check=False)
            affine = np.array(header.get_best_affine(), dtype=np.float64)
    except (HeaderDataError, ValueError, ArithmeticError) as error:
        raise ScanError(f"{name}: the affine cannot be computed; repair the header") from error
    if not np.isfinite(affine).all():
        raise ScanError(f"{name}: the affine is not finite; repair the header")
    affine[:3] *= _UNITS_MM.get(int(layout.header["xyzt_units"]) & 7, 1.0)
    return affine


def _as_the_standard_reads(header: Any) -> Any:
    """A copy of a header in which nibabel meets no field that it is stricter about.

    nifti1_io (NIfTI reference implementation) takes any `pixdim[0]` that is not negative for a
    `qfac` of 1, and brings a quaternion longer than 1 to that length. Sizes are positive.
    """
    fields = np.frombuffer(bytearray(header.tobytes()), header.dtype)[0]
    pixdim = fields["pixdim"]
    qfac = -1.0 if pixdim[0] < 0 else 1.0
    fields["pixdim"][:4] = [qfac, *np.abs(pixdim[1:4])]
    names = ("quatern_b", "quatern_c", "quatern_d")
    length = float(np.linalg.norm([float(fields[name]) for name in names]))
    # Up to here nibabel takes it for rounding.
    if 1.0 + 1e-7 < length < np.inf:
        for name in names:
            fields[name] = float(fields[name]) / length
    return fields


def _doubt(layout: _Layout, affine: NDArray[np.float64]) -> str:
    """Where a header contradicts itself about the voxel size, else nothing."""
    if not layout.header["sform_code"]:
        return ""
    unit = _UNITS_MM.get(int(layout.header["xyzt_units"]) & 7, 1.0)
    size = np.abs(layout.header["pixdim"][1:4].astype(np.float64)) * unit
    here = np.linalg.norm(affine[:3, :3], axis=0)
    # A size of 0 says nothing.
    if not np.isfinite(size).all() or not size.all():
        return ""
    if (np.abs(size - here) <= SAME_SIZE * here).all():
        return ""
    return (
        f"its sform has voxels of {millimetres(here)}, its pixdim {millimetres(size)}: set the "
        "transform anew, for example from the qform"
    )


def _position(layout: _Layout, affine: NDArray[np.float64]) -> Position:
    """What the form codes say of the affine, and a qform that puts the corners elsewhere."""
    sform, qform = (int(layout.header[f"{form}_code"]) for form in ("sform", "qform"))
    if sform <= 0 or qform <= 0:
        return Position(max(sform, qform, 0))
    kind = nib.Nifti1Header if layout.version == 1 else nib.Nifti2Header
    try:
        with np.errstate(all="ignore"):
            header = kind(layout.header.tobytes(), endianness=layout.byteorder, check=False)
            second = np.array(header.get_qform(), np.float64)
    except (HeaderDataError, ValueError, ArithmeticError):
        return Position(sform)
    second[:3] *= _UNITS_MM.get(int(layout.header["xyzt_units"]) & 7, 1.0)
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(layout.shape[:3]) - 1)
    gap = apply_affine(affine, corners) - apply_affine(second, corners)
    differs = np.isfinite(second).all() and np.linalg.norm(gap, axis=1).max() > _FORMS_AGREE_MM
    return Position(sform, second if differs else None)


def _stored(
    layout: _Layout, data: bytes, affine: NDArray[np.float64], name: str, derived: bool
) -> Stored:
    """The stored numbers and the intensities that they stand for."""
    count = layout.n_bytes // layout.dtype.itemsize
    raw = np.frombuffer(data, layout.dtype, count, layout.offset)
    raw = np.require(raw, requirements="A").reshape(layout.shape, order="F")
    slope, inter = float(layout.header["scl_slope"]), float(layout.header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):
        slope, inter = 1.0, 0.0
    if not np.isfinite(inter):
        raise ScanError(f"{name}: the intensity scaling is damaged; repair the header")
    container = _Container(data[: layout.offset], layout.byteorder, layout.version)
    return make_stored(raw, affine, container, name, slope, inter, derived=derived)


def _cleaned(container: _Container, *, drop_extensions: bool, clear_text: bool) -> bytes:
    """The bytes before the voxels, with what must not be published taken out."""
    prefix = container.prefix
    module = nib.nifti1 if container.version == 1 else nib.nifti2
    fields = module.header_dtype.newbyteorder(container.byteorder)
    header = np.frombuffer(prefix[: fields.itemsize], fields).copy()
    rest = prefix[fields.itemsize :]
    if clear_text:
        for field in set(_FREE_TEXT) & set(fields.names or ()):
            header[field] = b""
        if not rest[:1].strip(b"\0"):
            rest = bytes(len(rest))
        elif not drop_extensions:
            _warn_of_extensions()
    if drop_extensions:
        rest = bytes(4)
        header["vox_offset"] = fields.itemsize + len(rest)
    return header.tobytes() + rest


@cache
def _warn_of_extensions() -> None:
    logger.warning("Header extensions stay and may hold names: --drop-extensions leaves them out.")


def _fresh(scan: Scan) -> tuple[bytes, NDArray[Any]]:
    """NIfTI-1 header and numbers for a scan made in memory."""
    voxels = plain_numbers(scan)
    header = nib.Nifti1Header(endianness="<")
    header.set_data_dtype(voxels.dtype)
    header.set_data_shape(voxels.shape)
    header.set_xyzt_units("mm", "sec" if voxels.ndim == 4 else "unknown")
    header.set_sform(scan.affine, code="scanner")
    header.set_qform(scan.affine, code="scanner", strip_shears=True)
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    header["scl_slope"], header["scl_inter"] = 1.0, 0.0
    return header.binaryblock + bytes(4), voxels.astype(voxels.dtype.newbyteorder("<"), copy=False)
