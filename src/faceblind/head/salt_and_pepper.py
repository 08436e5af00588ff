"""Scans whose air is noise over their whole range, shown with dark air instead.

The uniform image of MP2RAGE is a ratio of two images (Marques et al. 2010, NeuroImage 49:1271):
where there is no signal, it takes any value. No level parts a head from such air, but the head is
smooth and the air is not. What tells them apart is how far a voxel lies from its neighbours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.grid import Grid, Mask, Volume, blur, from_scan, memory_order
from faceblind.head.padding import blocks_of, border_layers, broad, voxels_of
from faceblind.scan import Scan

LEAST_SPREAD = 0.12
"""Least standard deviation of such air, as a share of the scan's range: noise over all of it has
0.29, and 0.17 where four coils were averaged. The outer blocks of 13 real scans of other kinds have
0.12 at most."""
MIDDLE = (0.4, 0.6)
"""Between these shares of the range lies its mean. Noise of magnitudes alone has 0.37."""
LEAST_RIM = 0.4
"""Share of the blocks at the border of the field of view that are such air."""
FEWEST_BLOCKS = 20
"""Blocks at the border that hold more than one value, for anything to be said."""
BLOCK_MM = 12.0
LAG_MM = 1.0
"""Distance of the neighbours that are compared: interpolated noise is alike nearby."""
SMOOTH_MM = 1.2
"""Gaussian over which roughness is averaged, at least `SMOOTH_VOXELS` wide."""
SMOOTH_VOXELS = 1.2
SURE = (0.25, 0.75)
"""Of the air's variance: a place is tissue below the first and air above the second."""
FLOOR = 0.3
"""Brightness of the darkest tissue, as a share of the brightest's: it must stand out of the air."""
_PLANES = 16
_RANGE = (0.005, 0.995)
_TOP = np.float32(1000.0)


def with_dark_air(scan: Scan) -> Scan:
    """The scan as a magnitude would show it, if its air is salt and pepper; else the scan itself.

    Parameters
    ----------
    scan : Scan
        3-D; of a series, the first volume is used.

    Returns
    -------
    Scan
        The very scan that was given, unless its air is salt and pepper. Then float32 voxels on the
        same grid, 0 in air and up to 1000 in tissue, to look at; they are not to be written.
    """
    grid = from_scan(scan)
    if grid.values.dtype.kind not in "iuf":
        return scan
    low, high = _range(grid.values)
    spread = _air_spread(grid, low, high)
    if spread is None:
        return scan
    values = np.clip(_finite(grid.values, low), low, high).astype(np.float32)
    smooth = np.maximum(SMOOTH_MM / grid.spacing, SMOOTH_VOXELS)
    rough = blur(_roughness(values, _lags(grid.spacing)), smooth)
    rough /= np.float32(spread**2)
    solid = np.clip((SURE[1] - rough) / np.float32(SURE[1] - SURE[0]), 0.0, 1.0)
    solid[_padding(grid)] = 0.0
    shown = FLOOR + (1.0 - FLOOR) * (values - low) / np.float32(high - low)
    back = np.argsort(memory_order(scan))
    return replace(scan, voxels=(_TOP * solid * shown).transpose(back), stored=None)


def darkest(values: NDArray[np.generic]) -> float:
    """The least value of an (I, J, K) volume, but for outliers; 0 where none is finite."""
    return _range(values)[0]


def _range(values: NDArray[np.generic]) -> tuple[float, float]:
    """Between these lies nearly all of a volume; equal where it has no range."""
    some = np.asarray(values[::4, ::4, ::4], np.float32)
    some = some[np.isfinite(some)]
    if not some.size:
        return 0.0, 0.0
    low, high = np.quantile(some, _RANGE)
    return float(low), float(high)


def _finite(values: NDArray[np.generic], low: float) -> NDArray[np.float32]:
    return np.nan_to_num(np.asarray(values, np.float32), nan=low, posinf=low, neginf=low)


def _lags(spacing: NDArray[np.float64]) -> NDArray[np.int64]:
    """(3,) voxels from one to the next that is compared."""
    return np.maximum(1, np.round(LAG_MM / spacing)).astype(np.int64)


def _air_spread(grid: Grid, low: float, high: float) -> float | None:
    """Standard deviation of air of salt and pepper, in scan units; None where there is none.

    Looks at blocks in some planes. At the border of the field of view lies air, as a rule.
    """
    if not high > low:
        return None
    count = grid.values.shape[0]
    sides = [max(2, round(BLOCK_MM / mm)) for mm in grid.spacing[1:]]
    found, rims = [], []
    for i in np.unique(np.linspace(0, count - 1, _PLANES).round().astype(int)):
        spread, mean = _blocks_of_plane(_finite(grid.values[i], low), grid.spacing, sides)
        rim = np.ones(spread.shape, bool)
        if 0 < i < count - 1:
            rim[1:-1, 1:-1] = False
        found.append(np.stack([spread[rim], (mean[rim] - low) / (high - low)]))
        rims.append(rim)
    spread, mean = np.concatenate(found, axis=1)
    varied = spread > 0
    spread, mean = spread[varied], mean[varied]
    salted = (spread >= LEAST_SPREAD * (high - low)) & (mean > MIDDLE[0]) & (mean < MIDDLE[1])
    if len(spread) < FEWEST_BLOCKS or salted.mean() < LEAST_RIM:
        return None
    return float(np.median(spread[salted]))


def _blocks_of_plane(
    plane: NDArray[np.float32], spacing: NDArray[np.float64], sides: list[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(A, B) spread of the noise and mean in blocks of a plane."""
    j, k = (min(int(lag), n - 1) for lag, n in zip(_lags(spacing)[1:], plane.shape, strict=True))
    here = plane[: plane.shape[0] - j, : plane.shape[1] - k]
    squares = (plane[j:, : here.shape[1]] - here) ** 2 + (plane[: here.shape[0], k:] - here) ** 2
    counts = [n // side for n, side in zip(here.shape, sides, strict=True)]
    if min(counts) < 1:
        return np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
    inner = tuple(slice(n * side) for n, side in zip(counts, sides, strict=True))
    shape = (counts[0], sides[0], counts[1], sides[1])
    spread = np.sqrt(squares[inner].reshape(shape).mean(axis=(1, 3)) / 4)
    return spread, here[inner].reshape(shape).mean(axis=(1, 3))


def _roughness(values: Volume, lags: NDArray[np.int64]) -> Volume:
    """Squared distance of each voxel from the mean of its six neighbours: the variance of noise."""
    mean = np.zeros_like(values)
    for axis, lag in enumerate(lags):
        kernel = np.zeros(2 * lag + 1, np.float32)
        kernel[[0, -1]] = 1 / 6
        mean += ndimage.correlate1d(values, kernel, axis, mode="reflect")
    return np.asarray((values - mean) ** 2 / np.float32(7 / 6), np.float32)


def _padding(grid: Grid) -> Mask:
    """(I, J, K) voxels of large parts of one value, which is no tissue."""
    values = grid.values
    out = np.zeros(values.shape, bool)
    for index, _, _ in border_layers(values):
        out[index] = True
    blocks = blocks_of(values, grid.spacing)
    for value, flat in blocks.of_one_value():
        out |= voxels_of(values, value, broad(flat, blocks.reach(grid.spacing)), blocks)
    return out
