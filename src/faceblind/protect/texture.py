"""How rough tissue is in a scan: noise of its own, and the unevenness of what it shows.

Three scalars of the whole head; they carry no shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.geometry.grid import Grid

UNEVEN_MM = 1.5
"""Width of the Gaussian of uneven tissue: fat, muscle and fascia change over millimetres."""
LAGS = (1, 3)
"""Voxels over which roughness is measured: neighbours show noise, three voxels also tissue."""
DEPTHS_MM = (3.0, 15.0)
"""Below the skin, where it is measured."""
MOST_UNEVEN = 0.15
"""Of the signal: more comes from edges of organs, and as unevenness it looks like speckle."""
_FEWEST = 200
_MOST = 20_000
CALM, _NORMAL_CALM = 1 / 3, 0.4307
r"""Share of places that are taken for calm, and the same quantile of \|N(0, 1)\|: the rest may lie
on edges between organs."""


@dataclass(frozen=True)
class Texture:
    """Spread of new tissue around its smooth signal.

    Attributes
    ----------
    noise : float
        Standard deviation of what is the same everywhere, with the correlation of air.
    fine : float
        The same for what grows with the signal over air: its share of it.
    uneven : float
        Share of the signal by which tissue varies over `UNEVEN_MM`.
    """

    noise: float
    fine: float = 0.0
    uneven: float = 0.0

    def spread(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Standard deviation from voxel to voxel where tissue has a signal over air."""
        return np.sqrt(np.float32(self.noise**2) + np.square(np.float32(self.fine) * signal))


def measure_texture(
    grid: Grid,
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    air: float,
    noise: float,
    sigma: NDArray[np.float64],
) -> Texture:
    """Texture of the soft tissue under skin.

    Parameters
    ----------
    grid : Grid
        The volume.
    points, normals : (N, 3) float64 ndarray
        Skin of face and neck, scan mm.
    air : float
        Level of air.
    noise : float
        Standard deviation of the scan's noise in tissue.
    sigma : (3,) float64 ndarray
        Gaussian, voxels, that gives noise its correlation.
    """
    step = max(1, len(points) // _MOST)
    points, normals = points[::step], normals[::step]
    # Depths from low to high, one after the other: no random numbers are needed.
    depth = np.linspace(*DEPTHS_MM, 13)[np.arange(len(points)) % 13]
    index = apply_affine(np.linalg.inv(grid.affine), points - depth[:, None] * normals)
    index = np.rint(index).astype(np.int64)
    reach = max(LAGS)
    last = np.array(grid.values.shape) - 1 - reach
    index = index[((index >= reach) & (index <= last)).all(axis=1)]
    if len(index) < _FEWEST:
        return Texture(noise)
    axis = int(np.argmin(grid.spacing))
    near, wide = (roughness(grid.values, index, axis, lag) ** 2 for lag in LAGS)
    level = float(np.median(grid.values[tuple(index.T)])) - air
    if level <= 0.0:
        return Texture(noise)
    uneven_voxels = UNEVEN_MM / float(grid.spacing[axis])
    own = np.array([[response(s, lag) for s in (sigma[axis], uneven_voxels)] for lag in LAGS])
    fine, uneven = _parts(own, near, wide)
    return Texture(
        min(noise, float(np.sqrt(fine))),
        min(float(np.sqrt(max(fine - noise**2, 0.0))) / level, MOST_UNEVEN),
        min(float(np.sqrt(uneven)) / level, MOST_UNEVEN),
    )


def roughness(values: NDArray[np.generic], index: NDArray[np.int64], axis: int, lag: int) -> float:
    """Robust standard deviation that white noise would have, from second differences.

    Parameters
    ----------
    values : (I, J, K) ndarray
    index : (N, 3) int64 ndarray
        Voxels at least `lag` from the border.
    axis, lag : int
        Along which, and over how many voxels.
    """
    step = np.zeros(3, np.int64)
    step[axis] = lag
    a, b, c = (values[tuple((index + k * step).T)].astype(np.float64) for k in (-1, 0, 1))
    return float(np.quantile(np.abs(a - 2 * b + c), CALM) / _NORMAL_CALM / np.sqrt(6.0))


def response(sigma: float, lag: int) -> float:
    """Square of what `roughness` finds in unit noise blurred by a Gaussian of `sigma` voxels."""
    if sigma < 0.1:
        return 1.0
    one, two = (np.exp(-((k * lag) ** 2) / (4.0 * sigma**2)) for k in (1, 2))
    return float((6.0 - 8.0 * one + 2.0 * two) / 6.0)


def _parts(own: NDArray[np.float64], near: float, wide: float) -> tuple[float, float]:
    """Variances of noise and unevenness that explain roughness near by and further apart."""
    fine, uneven = np.linalg.lstsq(own, np.array([near, wide]), rcond=None)[0]
    if uneven < 0.0:
        return near / max(own[0, 0], 1e-3), 0.0
    if fine < 0.0:
        return 0.0, wide / max(own[1, 1], 1e-3)
    return float(fine), float(uneven)
