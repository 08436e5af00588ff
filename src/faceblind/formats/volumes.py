"""What every file format of volumes shares: suspicion in reading, wholeness in writing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import OutputError, ScanError, missing
from faceblind.formats import gzipped
from faceblind.scan import Scan, Stored
from faceblind.system.files import atomic_path
from faceblind.system.outputs import check_target

logger = logging.getLogger(__name__)

# What can be a head. Micro-CT and microscopy lie below the spacing, whole-body planning scans
# above the extent; 8 mm is the thickest slice with gap in clinical use. A slab under 60 mm cannot
# show a face.
MIN_SPACING_MM = 0.2
MAX_SPACING_MM = 8.0
MIN_EXTENT_MM = 60.0
MAX_EXTENT_MM = 700.0
LEAST_FINITE_LITRES = 0.5
"""A newborn's head has about 0.6 litres: an image with fewer numbers than that shows none."""
# Farther from the scanner's centre than any bore is long, so the header is damaged.
_MAX_ORIGIN_MM = 10_000.0
# Deflate cannot shrink more than this, so a header that asks for more data lies.
_MAX_DEFLATE_RATIO = 1032


def read_bytes(path: Path) -> bytes:
    """A whole file.

    Raises
    ------
    ScanError
        If it is missing, a folder, unreadable or empty.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise missing(path) from error
    except IsADirectoryError as error:
        raise ScanError(f"{path}: is a folder; name one scan in it") from error
    except OSError as error:
        raise ScanError(f"{path}: cannot be read ({error.strerror}); check permissions") from error
    if not data:
        raise ScanError(f"{path}: the file is empty; fetch or convert it again")
    return data


def unpack(
    packed: bytes, name: str, end_of: Callable[[bytes], int], *, peek: int = 0, tail: int = 0
) -> bytes:
    """Plain or gzipped bytes, unpacked no further than the header says.

    Parameters
    ----------
    packed : bytes
        Compression is recognised by content.
    name : str
        For messages.
    end_of : callable
        Of the first `peek` bytes: where the voxels end.
    peek : int
        Bytes that `end_of` needs, below 1 KiB.
    tail : int
        Most bytes kept after the voxels.

    Raises
    ------
    ScanError
        If the stream is damaged or too short.
    """
    is_packed = packed[:2] == gzipped.MAGIC
    try:
        start = b""
        if peek:
            start = gzipped.inflate(packed, peek)[0] if is_packed else packed[:peek]
        end = end_of(start)
        if is_packed and end > _MAX_DEFLATE_RATIO * len(packed):
            raise EOFError
        wanted = end + tail
        data, complete = gzipped.inflate(packed, wanted) if is_packed else (packed, True)
    except gzipped.DamagedError as error:
        raise ScanError(f"{name}: the compressed data is damaged; fetch the file again") from error
    except EOFError as error:
        raise truncated(name) from error
    if len(data) < end or not complete:
        raise truncated(name)
    return data


def truncated(name: str) -> ScanError:
    """The error for a file that ends too early."""
    return ScanError(f"{name}: the file is truncated; fetch or convert it again")


def check_geometry(
    shape: tuple[int, ...], affine: NDArray[np.float64], name: str, said: str = ""
) -> None:
    """Refuse a voxel size or an extent that cannot be a head, before touching the voxels.

    Parameters
    ----------
    shape : tuple of int
    affine : (4, 4) float64 ndarray
        Voxel index to RAS+ mm.
    name : str
        For messages.
    said : str
        What the header says of its units, in brackets, if that may be the fault.

    Raises
    ------
    ScanError
    """
    if not np.isfinite(affine).all():
        raise ScanError(f"{name}: the affine is not finite; repair the header")
    scan = Scan(np.empty((1, 1, 1), np.uint8), affine, source=name)
    spacing, extent = scan.spacing, scan.spacing * shape[:3]
    if _outside(spacing, MIN_SPACING_MM, MAX_SPACING_MM):
        raise ScanError(
            f"{name}: voxels of {millimetres(spacing)}{said} cannot be a head scan's "
            f"({MIN_SPACING_MM:g} to {MAX_SPACING_MM:g} mm); repair the header"
        )
    if _outside(extent, MIN_EXTENT_MM, MAX_EXTENT_MM):
        raise ScanError(
            f"{name}: a field of view of {millimetres(extent)}{said} cannot be a head scan's "
            f"({MIN_EXTENT_MM:g} to {MAX_EXTENT_MM:g} mm); give the whole head"
        )
    if np.abs(affine[:3, 3]).max() > _MAX_ORIGIN_MM:
        raise ScanError(f"{name}: the affine puts the scan metres away; repair the header")


def _outside(sizes: NDArray[np.float64], low: float, high: float) -> bool:
    # Headers hold float32: a slice of exactly the largest thickness must not fail by its rounding.
    return bool(sizes.min() < low * 0.9999 or sizes.max() > high * 1.0001)


def millimetres(sizes: NDArray[np.float64]) -> str:
    """Three lengths in words, such as ``"1 x 1 x 1.5 mm"``."""
    return " x ".join(f"{size:.3g}" for size in sizes) + " mm"


def make_stored(
    raw: NDArray[Any],
    affine: NDArray[np.float64],
    container: object,
    name: str,
    slope: float = 1.0,
    inter: float = 0.0,
    *,
    derived: bool = False,
) -> Stored:
    """The stored numbers and the intensities that they stand for.

    Parameters
    ----------
    raw : (I, J, K) or (I, J, K, T) ndarray
        As stored; becomes read-only.
    affine : (4, 4) float64 ndarray
    container : object
        The rest of the file.
    name : str
        For messages.
    slope, inter : float
        Scaling of the file.
    derived : bool
        A map or labels, not a head: it may show nothing.

    Raises
    ------
    ScanError
        If the volume shows nothing and is not derived.
    """
    raw.setflags(write=False)
    record = Stored(raw, slope, inter, raw, affine, container)
    litre = abs(float(np.linalg.det(affine[:3, :3]))) / 1e6
    voxels = _without_gaps(record.intensities(raw), name, derived, litre)
    voxels.setflags(write=False)
    if voxels.ndim == 4 and not derived:
        logger.info("4-D series of %d volumes", voxels.shape[3])
    return Stored(raw, slope, inter, voxels, affine, container)


def _without_gaps(voxels: NDArray[Any], name: str, derived: bool, litre: float) -> NDArray[Any]:
    """Intensities with non-finite ones as air (derived: as 0); refuse a head that shows nothing.

    Maps are often NaN wherever the head is not; `litre` is the volume of one voxel.
    """
    where = " of every volume" if voxels.ndim == 4 else ""
    if voxels.dtype.kind == "f":
        finite = np.isfinite(voxels)
        if not finite.all():
            share = finite.mean() if finite.ndim == 3 else finite.mean(axis=(0, 1, 2)).max()
            litres = share * np.prod(voxels.shape[:3]) * litre
            too_few = share < 0.5 and litres < LEAST_FINITE_LITRES
            if not derived and (too_few or not share):
                raise ScanError(
                    f"{name}: most voxels{where} are NaN or infinite, and the rest is too little "
                    "for a head; export it again"
                )
            voxels = np.where(finite, voxels, 0.0 if derived else voxels[finite].min())
    if not derived and not _shows_anything(voxels):
        raise ScanError(f"{name}: every voxel{where} has the same value; there is no head in it")
    return voxels


def _shows_anything(voxels: NDArray[Any]) -> bool:
    """Whether a volume holds more than one value; in a series, any of its volumes."""
    if voxels.ndim == 3:
        return bool(voxels.min() != voxels.max())
    return any(_shows_anything(voxels[..., t]) for t in range(voxels.shape[3]))


def check_saving(
    scan: Scan, path: Path, endings: tuple[str, ...], kind: type, overwrite: bool
) -> None:
    """Refuse a target, or a scan that no longer is what its file's header says.

    Parameters
    ----------
    scan : Scan
    path : Path
    endings : tuple of str
        Of the format.
    kind : type
        Of the format's containers.
    overwrite : bool
        Whether a file that exists may be replaced; never the scan's own source.

    Raises
    ------
    OutputError
    """
    if not path.name.lower().endswith(endings):
        raise OutputError(f"{path}: the name must end in {' or '.join(endings)}")
    check_target(path, overwrite=overwrite, sources=[scan.source] if scan.source else [])
    stored = scan.stored
    if stored is None:
        return
    if not isinstance(stored.container, kind):
        raise OutputError(
            f"{path}: the scan came from a file of another format; keep its ending, or set "
            "stored=None to write a new header"
        )
    if stored.voxels is not scan.voxels or not np.array_equal(stored.affine, scan.affine):
        raise OutputError(
            f"{path}: the scan no longer matches the file it came from; change it with "
            "Scan.with_changes, or set stored=None to write a new header"
        )


def plain_numbers(scan: Scan) -> NDArray[Any]:
    """Voxels of a scan made in memory in a type that files know: no bool, no float64."""
    voxels = scan.voxels
    if voxels.dtype == bool:
        return voxels.astype(np.uint8)
    return voxels.astype(np.float32, copy=False) if voxels.dtype.kind == "f" else voxels


def write(path: Path, plain: bytes, body: bytes, is_packed: bool) -> None:
    """Write a file whole or not at all.

    Parameters
    ----------
    path : Path
    plain : bytes
        What is never compressed.
    body : bytes
        What follows; gzipped if `is_packed`.
    is_packed : bool

    Raises
    ------
    OutputError
        If the disk refuses.
    """
    pieces = gzipped.deflate(body) if is_packed else [body]
    try:
        with atomic_path(path) as temporary, temporary.open("xb") as file:
            file.write(plain)
            file.writelines(pieces)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); check space and permissions"
        ) from error
