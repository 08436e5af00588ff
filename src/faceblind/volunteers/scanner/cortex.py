"""Folds for the average brain: an atlas of averages has lost most of its sulci."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.grid import resize
from faceblind.volunteers.noise import fractal
from faceblind.volunteers.scanner.artefacts import blur

Volume = NDArray[np.float32]

_GREY_MM = 2.6
"""Thickness of the cortex (Fischl & Dale 2000, PNAS 97:11050: 2.5 mm on average)."""

_SULCUS_MM = 0.7
"""Half the width of a sulcus."""


def fold(
    grey: Volume, white: Volume, brain: Volume, affine: NDArray[np.float64]
) -> tuple[Volume, Volume]:
    """Give the cortex of an averaged brain sulci and a sharp ribbon of grey matter.

    Sulci are sheets where a smooth random field is zero. They run from the surface of the brain
    to 10 to 18 mm below it; the ribbon follows the surface and both sides of the sheets. Deep
    nuclei, ventricles and the brain stem stay as they are.

    Parameters
    ----------
    grey, white, brain : (I, J, K) float32 ndarray
        Shares, 0 to 1, about 1 mm voxels.
    affine : (4, 4) ndarray
        Voxel index to MNI mm.

    Returns
    -------
    grey, white : (I, J, K) float32 ndarray
        Their sum falls short of the brain's share by the fluid in the sulci.
    """
    x, y, z = _coordinates(brain.shape, affine)
    side = np.abs(x)
    deep = (side < 27) & (y > -54) & (y < 40) & (z > -18) & (z < 30)
    stem = (side < 17) & (y > -46) & (y < -6) & (z < -6)
    fluid = (grey + white < 0.5) & ~deep
    # Between the hemispheres cortex faces cortex; the average has closed the gap.
    cleft = (side < 0.8) & (grey > 0.35) & ~deep & ~stem
    solid = (brain > 0.5) & ~fluid & ~cleft
    spacing = float(np.sqrt((affine[:3, 0] ** 2).sum()))
    depth = ndimage.distance_transform_edt(solid, spacing).astype(np.float32)
    small = (z < -12 - 0.25 * (y + 50)) & (y < -36)
    sheet = np.where(
        small,
        _sheets(brain.shape, affine, (24.0, 9.0, 4.5), 31),
        _sheets(brain.shape, affine, (15.0, 15.0, 15.0), 32),
    )
    bottom = np.where(small, 9.0, 13.0 + 4.0 * _smooth(brain.shape, affine, 30.0, 33))
    away = np.minimum(depth, np.hypot(sheet, np.maximum(depth - bottom, 0)))
    ribbon = np.where(small, 1.6, _GREY_MM) + _SULCUS_MM
    inner = np.clip(away - ribbon + 0.5, 0, 1)
    outer = np.clip(away - _SULCUS_MM + 0.5, 0, 1)
    keep = blur((deep | stem).astype(np.float32), 2.0)
    weight = np.clip((22 - depth) / 5, 0, 1) * (1 - keep)
    new_grey = weight * (outer - inner) + (1 - weight) * grey
    new_white = weight * inner + (1 - weight) * white
    share = brain.clip(0, 1)
    return (new_grey * share).astype(np.float32), (new_white * share).astype(np.float32)


def _coordinates(shape: tuple[int, ...], affine: NDArray[np.float64]) -> tuple[Volume, ...]:
    """Open grid of mm along the three axes; the affine has no rotation."""
    return tuple(
        (affine[k, 3] + affine[k, k] * np.arange(shape[k], dtype=np.float32)).reshape(
            [-1 if a == k else 1 for a in range(3)]
        )
        for k in range(3)
    )


def _smooth(
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    scale: float | tuple[float, float, float],
    seed: int,
) -> Volume:
    """Smooth noise, computed on every second voxel."""
    half = tuple(-(-n // 2) for n in shape)
    axes = [affine[k, 3] + affine[k, k] * (2 * np.arange(half[k]) + 0.5) for k in range(3)]
    places = np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], axis=1)
    coarse = fractal(places, scale, seed, octaves=2).reshape(half)
    fine = resize(coarse, tuple(2 * n for n in half), cubic=True)
    return fine[tuple(slice(n) for n in shape)]


def _sheets(
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    scale: tuple[float, float, float],
    seed: int,
) -> Volume:
    """Distance in mm from the sheets where noise is zero: its value over its slope."""
    value = _smooth(shape, affine, scale, seed)
    slope = np.sqrt(sum(g**2 for g in np.gradient(value)))
    return np.asarray(np.abs(value) / np.maximum(slope, 0.02), np.float32)
