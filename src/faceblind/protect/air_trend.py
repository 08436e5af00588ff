"""How the level of air changes over a volume, as coils and parallel imaging make it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.geometry.grid import resize

FEWEST_SAMPLES = 1000
"""Voxels of air below which nothing is said of it."""
_NOT_GHOST = 3.0
"""Times the median up to which a value counts as air when the trend is sought."""
_LEAST_TREND = 0.1
"""Change over the volume, as a share of the level, below which air counts as the same."""
_MOST_ZEROS = 0.05
"""Share of zeros from which a scanner or a tool wiped part of the air: that is no trend."""
_COARSE_VOXELS = 8
_SAMPLE_STEP = 8

Places = tuple[NDArray[np.int64], ...]
"""Indices of N voxels: an (N,) array for each axis."""


@dataclass(frozen=True)
class Trend:
    """A quadratic by which the air's level is to be multiplied from place to place.

    Attributes
    ----------
    weights : (10,) float64 ndarray
        Of the terms of a quadratic in places that run from -1 to 1 along each axis.
    shape : tuple of int
        Of the volume, in memory order.
    least, most : float
        Where the quadratic is cut off: the range in which air was seen.
    """

    weights: NDArray[np.float64]
    shape: tuple[int, ...]
    least: float
    most: float

    def at(self, places: Places) -> NDArray[np.float32]:
        """(N,) level at N voxels (indices, one array for each axis), as a share of the volume's."""
        return self._level(_scaled(places, self.shape))

    def plane(self, i: int) -> NDArray[np.float32]:
        """(J, K) level in slice `i`, as a share of the volume's."""
        coarse = tuple(max(2, n // _COARSE_VOXELS) for n in self.shape[1:])
        axes = [np.linspace(-1.0, 1.0, n) for n in coarse]
        along = 2.0 * i / max(self.shape[0] - 1, 1) - 1.0
        y, z = (g.ravel() for g in np.meshgrid(*axes, indexing="ij"))
        level = self._level(np.stack([np.full(y.size, along), y, z], axis=1))
        return resize(level.reshape(1, *coarse), (1, *self.shape[1:]))[0]

    def _level(self, scaled: NDArray[np.float64]) -> NDArray[np.float32]:
        level = _quadratic(scaled) @ self.weights
        return np.clip(level, self.least, self.most).astype(np.float32)


def find_trend(places: Places, values: NDArray[np.float32], shape: tuple[int, ...]) -> Trend | None:
    """A quadratic through the air of a magnitude image; None where it hardly changes.

    Parameters
    ----------
    places : tuple of (N,) int64 ndarray
        Indices of voxels of air, one array for each axis.
    values : (N,) float32 ndarray
        Their intensities; another number of them, or fewer than 1000, show no trend.
    shape : tuple of int
        Of the volume.
    """
    if len(values) != len(places[0]) or values.size < FEWEST_SAMPLES or values.min() < 0:
        return None
    if (values == 0).mean() > _MOST_ZEROS:
        return None
    middle = float(np.median(values))
    if middle <= 0:
        return None
    values = values[::_SAMPLE_STEP]
    terms = _quadratic(_scaled(tuple(axis[::_SAMPLE_STEP] for axis in places), shape))
    # Ghosts and holders, which stand out, must not bend it.
    kept = values < _NOT_GHOST * middle
    wanted = values[kept].astype(np.float64) / middle
    weights = np.asarray(np.linalg.lstsq(terms[kept], wanted, rcond=None)[0], np.float64)
    levels = terms @ weights
    least, most = (float(q) for q in np.quantile(levels, (0.02, 0.98)))
    if least <= 0 or most - least < _LEAST_TREND:
        return None
    return Trend(weights, shape, least, most)


def _scaled(places: Places, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(N, 3) places that run from -1 to 1 along each axis."""
    size = np.maximum(np.array(shape) - 1, 1)
    return np.asarray(2.0 * np.stack(places, axis=1) / size - 1.0, np.float64)


def _quadratic(where: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 10) terms of a quadratic at (N, 3) places."""
    x, y, z = where.T
    return np.stack([np.ones_like(x), x, y, z, x * x, y * y, z * z, x * y, x * z, y * z], axis=1)
