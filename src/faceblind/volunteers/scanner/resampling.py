"""What is done to a series after the scanner: interpolation to isotropic voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resampled_grid(
    affine: NDArray[np.float64], shape: tuple[int, ...], spacing_mm: float
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """Affine and shape of isotropic voxels along the same axes that fill the same box."""
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    extent = np.array(shape) * spacing
    count = np.maximum(np.floor(extent / spacing_mm + 1e-6).astype(int), 1)
    step = spacing_mm / spacing
    start = (np.array(shape) - 1) / 2 - (count - 1) / 2 * step
    change = np.diag([*step, 1.0])
    change[:3, 3] = start
    return affine @ change, (int(count[0]), int(count[1]), int(count[2]))


def resample(
    volume: NDArray,
    affine: NDArray[np.float64],
    spacing_mm: float,
    nearest: tuple[bool, bool, bool] = (False, False, False),
) -> NDArray:
    """A volume on the grid of `resampled_grid`, linearly, or the nearest voxel along some axes.

    No filter goes before it, as in the usual tools; the noise of fine voxels is averaged little.
    Edges are carried on outwards.
    """
    new, shape = resampled_grid(affine, volume.shape, spacing_mm)
    change = np.linalg.inv(affine) @ new
    out = np.asarray(volume)
    for axis in range(3):
        place = change[axis, axis] * np.arange(shape[axis]) + change[axis, 3]
        place = np.clip(place, 0, out.shape[axis] - 1)
        if nearest[axis]:
            out = np.take(out, np.rint(place).astype(int), axis=axis)
            continue
        low = np.minimum(place.astype(int), max(out.shape[axis] - 2, 0))
        high = np.minimum(low + 1, out.shape[axis] - 1)
        share = (place - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        out = np.take(out, low, axis=axis) * (1 - share) + np.take(out, high, axis=axis) * share
    return out


def noise_left(
    affine: NDArray[np.float64],
    shape: tuple[int, ...],
    spacing_mm: float,
    nearest: tuple[bool, bool, bool],
) -> float:
    """Share of the standard deviation of independent noise that `resample` leaves."""
    if not spacing_mm:
        return 1.0
    change = np.linalg.inv(affine) @ resampled_grid(affine, shape, spacing_mm)[0]
    left = 1.0
    for axis in range(3):
        if not nearest[axis]:
            place = change[axis, axis] * np.arange(64) + change[axis, 3]
            share = place - np.floor(place)
            left *= float(np.mean(share**2 + (1 - share) ** 2))
    return float(np.sqrt(left))


def resampled_labels(
    labels: NDArray[np.uint8], affine: NDArray[np.float64], spacing_mm: float
) -> NDArray[np.uint8]:
    """Labels (I, J, K) at the nearest voxel."""
    return np.asarray(resample(labels, affine, spacing_mm, (True, True, True)))
