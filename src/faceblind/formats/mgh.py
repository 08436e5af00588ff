"""FreeSurfer's MGH files (``.mgh``, ``.mgz``), written back bit for bit.

Layout: FreeSurfer wiki, "FsTutorial/MghFormat". Everything is big-endian: 284 bytes of header, the
voxels, and after them scan parameters and tags, of which some quote command lines.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import OutputError, ScanError
from faceblind.formats.names import suffix_of
from faceblind.formats.volumes import (
    check_geometry,
    check_saving,
    make_stored,
    plain_numbers,
    read_bytes,
    unpack,
    write,
)
from faceblind.scan import Position, Scan

ENDINGS = (".mgh", ".mgz")

_HEADER_BYTES = 284
_START = struct.Struct(">7ih15f")
_NUMBER_TYPES = {0: "u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
# Repetition time, flip angle, echo time, inversion time, field of view.
_PARAMETER_BYTES = 20
_MOST_TAGS = 1 << 24
# Without directions in the header: coronal slices of 1 mm, as FreeSurfer assumes.
_CORONAL = (1.0, 1.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class _Container:
    """The bytes before and after the voxels."""

    header: bytes
    footer: bytes


@dataclass(frozen=True)
class _Layout:
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    affine: NDArray[np.float64]
    position: Position

    @property
    def end(self) -> int:
        """Where the voxels end."""
        n = self.dtype.itemsize
        for size in self.shape:
            n *= size
        return _HEADER_BYTES + n


def load(path: str | Path, *, derived: bool = False) -> Scan:
    """Read a head scan and refuse what cannot be one.

    Parameters
    ----------
    path : str or Path
        A ``.mgh`` or ``.mgz`` file; compression is recognised by content.
    derived : bool
        See `faceblind.formats.load`.

    Returns
    -------
    Scan
        As `faceblind.formats.nifti.load` gives it.

    Raises
    ------
    ScanError
        If the file is missing, empty, truncated or no MGH volume, or if its geometry or content
        cannot be those of a head.
    """
    path = Path(path)
    name = str(path)
    data = unpack(
        read_bytes(path),
        name,
        lambda start: _parse(start, name).end,
        peek=_HEADER_BYTES,
        tail=_MOST_TAGS,
    )
    layout = _parse(data, name)
    check_geometry(layout.shape, layout.affine, name)
    count = (layout.end - _HEADER_BYTES) // layout.dtype.itemsize
    raw = np.frombuffer(data, layout.dtype, count, _HEADER_BYTES)
    raw = np.require(raw, requirements="A").reshape(layout.shape, order="F")
    container = _Container(data[:_HEADER_BYTES], data[layout.end : layout.end + _MOST_TAGS])
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
        From an MGH file, or made in memory (``stored=None``).
    path : str or Path
        A new file that ends in ``.mgh`` or ``.mgz``, in a folder that exists.
    drop_extensions, clear_text : bool
        Either leaves out the tags after the voxels, which quote command lines with paths and
        names; the scan parameters before them stay.
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
        header, raw, footer = _fresh(scan, path)
    else:
        container = scan.stored.container
        header, raw, footer = container.header, scan.stored.raw, container.footer
        if drop_extensions or clear_text:
            # Bytes that the format does not use may hold anything.
            header = header[: _START.size] + bytes(_HEADER_BYTES - _START.size)
            footer = footer[:_PARAMETER_BYTES]
    body = header + raw.tobytes(order="F") + footer
    write(path, b"", body, path.name.lower().endswith(".mgz"))


def _parse(start: bytes, name: str) -> _Layout:
    """Interpret the header."""
    if len(start) < _HEADER_BYTES:
        raise EOFError
    version, width, height, depth, frames, code, _, good, *numbers = _START.unpack_from(start)
    if version != 1:
        raise ScanError(f"{name}: not an MGH volume; convert it to .nii.gz")
    sizes = (width, height, depth)
    if min(*sizes, frames) < 1:
        raise ScanError(f"{name}: the header's dimensions are damaged; convert it again")
    if min(sizes) == 1:
        raise ScanError(f"{name}: a surface or 2-D image, not a volume; give the scan itself")
    if code not in _NUMBER_TYPES:
        raise ScanError(f"{name}: holds data type {code}, not intensities; convert it")
    shape = sizes if frames == 1 else (*sizes, frames)
    dtype = np.dtype(_NUMBER_TYPES[code])
    affine = _affine(numbers if good == 1 else _CORONAL, sizes)
    return _Layout(shape, dtype, affine, Position(1 if good == 1 else 0))


def _affine(numbers: Any, sizes: tuple[int, int, int]) -> NDArray[np.float64]:
    """Voxel to RAS+ mm from spacings, directions and the place of the centre."""
    values = np.array(numbers, np.float64)
    affine = np.eye(4)
    # The header holds one direction after the other, so they are the matrix's columns.
    with np.errstate(all="ignore"):
        affine[:3, :3] = values[3:12].reshape(3, 3).T * values[:3]
        affine[:3, 3] = values[12:15] - affine[:3, :3] @ (np.array(sizes) / 2.0)
    return affine


def _fresh(scan: Scan, path: Path) -> tuple[bytes, NDArray[Any], bytes]:
    """Header and numbers for a scan made in memory."""
    voxels = plain_numbers(scan)
    kind = voxels.dtype.newbyteorder("=")
    found = [c for c, name in _NUMBER_TYPES.items() if np.dtype(name).newbyteorder("=") == kind]
    if not found:
        raise OutputError(
            f"{path}: MGH files cannot hold {voxels.dtype}; convert the voxels to float32 first"
        )
    sizes = voxels.shape[:3]
    frames = 1 if voxels.ndim == 3 else voxels.shape[3]
    directions = (scan.affine[:3, :3] / scan.spacing).T.ravel()
    centre = scan.affine[:3, :3] @ (np.array(sizes) / 2.0) + scan.affine[:3, 3]
    numbers = [*scan.spacing, *directions, *centre]
    start = _START.pack(1, *sizes, frames, found[0], 0, 1, *numbers)
    raw = voxels.astype(_NUMBER_TYPES[found[0]], copy=False)
    return start.ljust(_HEADER_BYTES, b"\0"), raw, bytes(_PARAMETER_BYTES)
