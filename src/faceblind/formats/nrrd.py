"""NRRD files with attached data (``.nrrd``), written back bit for bit.

Fields and their meaning: "Definition of NRRD File Format", teem.sourceforge.net/nrrd/format.html.
The header is text of which every line is kept as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import ScanError
from faceblind.formats.names import suffix_of
from faceblind.formats.volumes import (
    check_geometry,
    check_saving,
    make_stored,
    plain_numbers,
    read_bytes,
    truncated,
    unpack,
    write,
)
from faceblind.scan import Position, Scan

ENDINGS = (".nrrd",)

_MAGIC = re.compile(rb"NRRD000[1-5]$")
_MOST_HEADER = 1 << 20
_NUMBER_TYPES = {
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i1": ("signed char", "int8", "int8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long",
           "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}  # fmt: skip
# Signs that take the axes of a space to right, front, top.
_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
}
_ABBREVIATIONS = {
    "ras": "right-anterior-superior",
    "las": "left-anterior-superior",
    "lps": "left-posterior-superior",
}
_GZIP = ("gzip", "gz")
# What the format defines and what is no free text; "labels", "content" and unknown fields are.
_PLAIN_FIELDS = {
    "dimension", "type", "block size", "blocksize", "encoding", "endian", "min", "max", "old min",
    "oldmin", "old max", "oldmax", "line skip", "lineskip", "byte skip", "byteskip", "number",
    "sizes", "spacings", "thicknesses", "axis mins", "axismins", "axis maxs", "axismaxs",
    "centers", "centerings", "kinds", "space", "space dimension", "space origin",
    "space directions", "measurement frame",
}  # fmt: skip
_UNIT_FIELDS = {"units", "space units"}
_UNITS = {"", "mm", "cm", "m", "um", "millimeter", "millimetre", "s", "ms", "second", "none"}
_DIFFUSION = re.compile(
    rb"(?:modality:=DWMRI|DWMRI_(?:b-value|(?:gradient|B-matrix|NEX)_\d+):=[-+.\deE \t]+)\s*$"
)


@dataclass(frozen=True)
class _Container:
    """Lines of the header without their ends, what ends them, and how the data are laid out."""

    lines: tuple[bytes, ...]
    newline: bytes
    is_packed: bool
    time_axis: int | None


@dataclass(frozen=True)
class _Layout:
    sizes: tuple[int, ...]
    dtype: np.dtype[Any]
    affine: NDArray[np.float64]
    is_packed: bool
    time_axis: int | None
    position: Position


def load(path: str | Path, *, derived: bool = False) -> Scan:
    """Read a head scan and refuse what cannot be one.

    Parameters
    ----------
    path : str or Path
        A ``.nrrd`` file with header and data in one, raw or gzip.
    derived : bool
        See `faceblind.formats.load`.

    Returns
    -------
    Scan
        As `faceblind.formats.nifti.load` gives it; the axis without a direction in space is time.

    Raises
    ------
    ScanError
        If the file is missing, truncated, no NRRD volume that says where it lies, or if its
        geometry or content cannot be those of a head.
    """
    path = Path(path)
    name = str(path)
    data = read_bytes(path)
    lines, newline, start = _split(data, name)
    layout = _parse(_fields(lines, name), name)
    count = 1
    for size in layout.sizes:
        count *= size
    n_bytes = count * layout.dtype.itemsize
    body = data[start:]
    if layout.is_packed:
        body = unpack(body, name, lambda _: n_bytes)
    if len(body) < n_bytes:
        raise truncated(name)
    raw = np.frombuffer(body, layout.dtype, count).reshape(layout.sizes, order="F")
    if layout.time_axis is not None:
        raw = np.moveaxis(raw, layout.time_axis, 3)
        raw = raw[..., 0] if raw.shape[3] == 1 else raw
    check_geometry(raw.shape, layout.affine, name)
    container = _Container(lines, newline, layout.is_packed, layout.time_axis)
    stored = make_stored(raw, layout.affine, container, name, derived=derived)
    suffix = suffix_of(path.name)
    return Scan(stored.voxels, layout.affine, suffix, name, stored, position=layout.position)


def save(
    scan: Scan,
    path: str | Path,
    *,
    drop_extensions: bool = False,
    clear_text: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a scan; voxels that nobody changed are written back bit for bit.

    Parameters
    ----------
    scan : Scan
        From an NRRD file, or made in memory (``stored=None``; written gzipped).
    path : str or Path
        A new file that ends in ``.nrrd``, in a folder that exists.
    drop_extensions : bool
        Leave out key/value pairs, such as quoted DICOM fields.
    clear_text : bool
        Leave out comments, fields of free text (content, labels, unknown ones), and key/value
        pairs but the numbers of diffusion.
    overwrite : bool
        Replace a file that exists. The scan's own source is never replaced.

    Raises
    ------
    OutputError
        If the target is unsuitable or the scan is not what its file's header says.
    """
    path = Path(path)
    check_saving(scan, path, ENDINGS, _Container, overwrite)
    if scan.stored is None:
        lines, raw = _fresh(scan)
        container = _Container(lines, b"\n", True, 3 if raw.ndim == 4 else None)
    else:
        container, raw = scan.stored.container, scan.stored.raw
    magic, *rest = container.lines
    kept = [
        magic,
        *(
            line
            for line in rest
            if not _is_spoken(line, drop_extensions=drop_extensions, clear_text=clear_text)
        ),
    ]
    header = b"".join(line + container.newline for line in kept) + container.newline
    if container.time_axis is not None:
        raw = np.moveaxis(raw if raw.ndim == 4 else raw[..., None], 3, container.time_axis)
    write(path, header, raw.tobytes(order="F"), container.is_packed)


def _split(data: bytes, name: str) -> tuple[tuple[bytes, ...], bytes, int]:
    """Lines of the header, what ends them, and where the data start."""
    head = data[:_MOST_HEADER]
    first = head.split(b"\n", 1)[0]
    if not _MAGIC.match(first.rstrip(b"\r")):
        raise ScanError(f"{name}: not an NRRD file; convert it to .nii.gz")
    newline = b"\r\n" if first.endswith(b"\r") else b"\n"
    end = head.find(newline * 2)
    if end < 0:
        raise ScanError(f"{name}: header and data are two files; convert to one .nrrd file")
    return tuple(head[:end].split(newline)), newline, end + 2 * len(newline)


def _fields(lines: tuple[bytes, ...], name: str) -> dict[str, str]:
    fields = {}
    for line in lines[1:]:
        text = line.decode("utf-8", "replace")
        key, mark, value = text.partition(": ")
        if mark and not text.startswith("#") and ":=" not in key:
            fields[key.strip().lower()] = value.strip()
    if "data file" in fields or "datafile" in fields:
        raise ScanError(f"{name}: header and data are two files; convert to one .nrrd file")
    return fields


def _parse(fields: dict[str, str], name: str) -> _Layout:
    """Interpret the fields that say how the numbers lie and where."""
    try:
        sizes = tuple(int(word) for word in fields["sizes"].split())
        kind = fields["type"].lower()
        encoding = fields["encoding"].lower()
    except (KeyError, ValueError) as error:
        raise ScanError(f"{name}: the header lacks sizes, type or encoding; repair it") from error
    if not 3 <= len(sizes) <= 4 or min(sizes) < 1:
        raise ScanError(f"{name}: has {len(sizes)} dimensions; give a 3-D or 4-D volume")
    code = next((code for code, names in _NUMBER_TYPES.items() if kind in names), None)
    if code is None:
        raise ScanError(f"{name}: holds {kind}, not intensities; convert to integers or floats")
    if encoding != "raw" and encoding not in _GZIP:
        raise ScanError(f"{name}: is encoded as {encoding}; convert it to raw or gzip")
    skips = [fields.get(f"{what} skip", "0") for what in ("line", "byte")]
    if any(skip != "0" for skip in skips):
        raise ScanError(f"{name}: skips parts of its data; convert it again")
    order = fields.get("endian", "little").lower()
    if order not in ("little", "big"):
        raise ScanError(f"{name}: the byte order is damaged; repair the header")
    affine, time_axis = _affine(fields, len(sizes), name)
    dtype = np.dtype(("<" if order == "little" else ">") + code)
    position = Position(1 if "space origin" in fields else 0)
    return _Layout(sizes, dtype, affine, encoding in _GZIP, time_axis, position)


def _affine(
    fields: dict[str, str], n_axes: int, name: str
) -> tuple[NDArray[np.float64], int | None]:
    """Voxel to RAS+ mm, and which axis has no direction in space."""
    space = fields.get("space", "").lower().removesuffix("-time").removesuffix("t")
    space = _ABBREVIATIONS.get(space, space)
    if space not in _SPACES or "space directions" not in fields:
        raise ScanError(
            f"{name}: does not say where the head's right, front and top are (space, space "
            "directions); convert it again"
        )
    try:
        found = re.findall(r"none|\([^)]*\)", fields["space directions"])
        columns = [_vector(text) for text in found if text != "none"]
        origin = _vector(fields.get("space origin", "(0,0,0)"))
    except ValueError as error:
        raise ScanError(f"{name}: the space directions are damaged; repair the header") from error
    if len(found) != n_axes or len(columns) != 3:
        raise ScanError(f"{name}: {len(columns)} directions for {n_axes} axes; repair the header")
    affine = np.eye(4)
    signs = np.array(_SPACES[space], np.float64)
    affine[:3, :3] = signs[:, None] * np.stack(columns, axis=1)
    affine[:3, 3] = signs * origin
    return affine, found.index("none") if n_axes == 4 else None


def _vector(text: str) -> NDArray[np.float64]:
    values = np.array([float(word) for word in text.strip("() ").split(",")], np.float64)
    if values.shape != (3,):
        raise ValueError(text)
    return values


def _is_spoken(line: bytes, *, drop_extensions: bool, clear_text: bool) -> bool:
    """Whether a line of the header is free text that must not be published."""
    is_pair = b":=" in line and b": " not in line.split(b":=", 1)[0]
    if is_pair:
        return drop_extensions or (clear_text and not _DIFFUSION.match(line))
    if not clear_text:
        return False
    key, _, value = line.decode("utf-8", "replace").partition(":")
    key = key.strip().lower()
    if key in _UNIT_FIELDS:
        return not {word.strip('"') for word in value.split()} <= _UNITS
    return key not in _PLAIN_FIELDS


def _fresh(scan: Scan) -> tuple[tuple[bytes, ...], NDArray[Any]]:
    """Header and numbers for a scan made in memory."""
    voxels = plain_numbers(scan)
    raw = voxels.astype(voxels.dtype.newbyteorder("<"), copy=False)
    columns = ["({:.17g},{:.17g},{:.17g})".format(*column) for column in scan.affine[:3, :3].T]
    kinds = ["domain"] * 3
    if raw.ndim == 4:
        columns.append("none")
        kinds.append("list")
    lines = [
        "NRRD0005",
        f"type: {_NUMBER_TYPES[raw.dtype.str[1:]][0]}",
        f"dimension: {raw.ndim}",
        "space: right-anterior-superior",
        "sizes: " + " ".join(map(str, raw.shape)),
        "space directions: " + " ".join(columns),
        "kinds: " + " ".join(kinds),
        "endian: little",
        "encoding: gzip",
        "space origin: ({:.17g},{:.17g},{:.17g})".format(*scan.affine[:3, 3]),
    ]
    return tuple(line.encode("ascii") for line in lines), raw
