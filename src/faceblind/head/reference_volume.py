"""Which volume of a series shows the head best.

The first one does, as a rule. But series begin with empty frames (PET), with a phase image, or
with diffusion weighting that leaves nothing of the skin.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.geometry.grid import from_scan, regrid
from faceblind.head.segmentation import find_head
from faceblind.scan import Scan

COARSE_MM = 4.0
"""Voxels on which volumes are compared: heads stand out there, noise is averaged."""
CANDIDATES = 3
"""Volumes that are tried as leaders, at most."""
LOOKED_AT = 6
"""Volumes whose head is measured: the first and last, and those that promise most."""
LEAST_CONTRAST = 8.0
"""Spreads of the air by which a head stands out of a volume that may lead; phase images have 1 to
5, which is the spread of their own values."""
AS_GOOD = 0.8
"""Share of the best volume's signal from which the first is not compared with others."""
SAME_PICTURE = 0.9
"""Correlation of voxels from which a volume need not be tried where another failed."""
MUCH_MORE = 1.25
"""Ratio of litres from which another volume shows more of a head than the first."""


def volumes(scan: Scan) -> int:
    """How many volumes a scan has."""
    return 1 if scan.voxels.ndim == 3 else int(scan.voxels.shape[3])


def at_time(scan: Scan, t: int) -> Scan:
    """One volume of a series as a scan of its own; a view.

    Parameters
    ----------
    scan : Scan
    t : int
    """
    if scan.voxels.ndim == 3:
        return scan
    return replace(scan, voxels=scan.volume(t), stored=None)


def leaders(scan: Scan) -> list[int]:
    """Volumes that may stand for a series, the most promising first.

    The first volume keeps its place unless no head stands out of it or another shows much more of
    one.

    Parameters
    ----------
    scan : Scan

    Returns
    -------
    list of int
        One at least, `CANDIDATES` at most.
    """
    count = volumes(scan)
    if count == 1:
        return [0]
    promise = np.array([_promise(scan.volume(t)) for t in range(count)])
    ranked = [int(t) for t in np.argsort(-promise, kind="stable")]
    if promise[0] >= AS_GOOD * promise.max() and _litres(at_time(scan, 0)):
        return _unlike(scan, [0, *ranked[: LOOKED_AT // 2], count - 1])
    # Of similar volumes the ranking is chance: some are taken from all along the series.
    spread = [round(t) for t in np.linspace(0, count - 1, 3)]
    looked = list(dict.fromkeys([0, count - 1, *ranked[: LOOKED_AT // 2], *spread]))[:LOOKED_AT]
    size = {t: _litres(at_time(scan, t)) for t in looked}
    best = sorted(looked, key=lambda t: (-round(size[t], 1), t))
    first = [0] if size[0] and size[best[0]] < MUCH_MORE * size[0] else []
    return _unlike(scan, [*first, *best])


def lead_of(scan: Scan) -> Scan:
    """The volume that shows the head of a series, as a scan of its own.

    Parameters
    ----------
    scan : Scan
        A single volume is given back as it is.
    """
    return at_time(scan, leaders(scan)[0])


def coarse(scan: Scan, spacing_mm: float) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The first volume on coarse voxels, finite, and its (4, 4) affine.

    Parameters
    ----------
    scan : Scan
    spacing_mm : float
    """
    grid = from_scan(scan)
    if grid.values.dtype.kind == "f" and not np.isfinite(grid.values).all():
        grid = grid.like(np.nan_to_num(grid.values, nan=0.0, posinf=0.0, neginf=0.0))
    grid = regrid(grid, np.maximum(grid.spacing, spacing_mm))
    return np.asarray(grid.values, np.float32), grid.affine


def _unlike(scan: Scan, ranked: list[int]) -> list[int]:
    """The first few volumes of a ranking that are not the picture of one before them."""
    kept: dict[int, NDArray[np.float64]] = {}
    for t in ranked:
        if t in kept or len(kept) == CANDIDATES:
            continue
        values = np.nan_to_num(_some(scan.volume(t)), nan=0.0, posinf=0.0, neginf=0.0).ravel()
        values = values - values.mean()
        size = float(np.linalg.norm(values))
        values = values / size if size > 0 else values
        if all(float(values @ other) < SAME_PICTURE for other in kept.values()):
            kept[t] = values
    return list(kept)


def _some(volume: NDArray[np.generic]) -> NDArray[np.float64]:
    step = tuple(slice(None, None, max(1, n // 32)) for n in volume.shape)
    return np.asarray(volume[step], np.float64)


def _promise(volume: NDArray[np.generic]) -> float:
    """How far the bright voxels of a volume stand out of the dark half."""
    some = _some(volume)
    some = some[np.isfinite(some)]
    if not some.size or some.min() == some.max():
        return 0.0
    low, high = np.quantile(some, (0.25, 0.9))
    return float(high - low)


def _litres(scan: Scan) -> float:
    """Volume of the head that stands out; 0 if none does."""
    try:
        head = find_head(scan)
    except FaceblindError:
        return 0.0
    contrast = (head.tissue_level - head.air_level) / max(head.air_noise, 1e-9)
    return head.litres if contrast >= LEAST_CONTRAST else 0.0
