"""The head as a smooth field: 0 in air, 1 in the head, one half on the skin."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceblind.geometry.arrays import median
from faceblind.geometry.grid import Grid, Volume, blur, erode, regrid, resize, resized_affine
from faceblind.head.segmentation import WORKING_MM, HeadMask

FINEST_MM = 0.9
"""Finer grids cost time and show only noise: faces carry no detail below about a millimetre."""
COARSEST_MM = 1.6
"""Coarser data are interpolated, so that triangles stay small against the nose and the lids."""
THICK_MM = 2.6
"""Slices further apart are joined by shape: between them intensities would form terraces."""
TIED_MM = 2.0
"""Depth from which the mask rules: the terraces of its 2 mm voxels must not reach the skin."""
SMOOTHING = (0.6, 1.1)
"""Gaussian (voxels) for clean and for very noisy data; 0.6 hides the voxel lattice."""
SMOOTHING_COARSE = 0.75
"""The same for clean data coarser than 1.3 mm, which are often interpolated sharply."""


def skin_field(grid: Grid, head: HeadMask) -> Grid:
    """Normalised field on a grid of about 1 mm.

    Parameters
    ----------
    grid : Grid
        The scan's intensities.
    head : HeadMask
        Found in the same scan.

    Returns
    -------
    Grid
        (I, J, K) float32 in 0..1, in scan RAS+ millimetres, over the whole field of view.
    """
    fine = regrid(grid, _native_spacing(grid.spacing))
    field = _normalised(fine, head)
    thick = fine.spacing > THICK_MM
    if thick.any():
        for axis in np.flatnonzero(thick):
            field = _join_slices(field, int(axis))
    elif (fine.spacing > COARSEST_MM).any():
        size = np.round(np.array(fine.values.shape) * fine.spacing / 1.5).astype(int)
        shape = tuple(int(n) for n in size)
        affine = resized_affine(fine.affine, fine.values.shape, shape)
        field = Grid(resize(field.values, shape, cubic=True), affine)
    return field


def _native_spacing(spacing: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(spacing < FINEST_MM, 1.0, spacing)


def _normalised(fine: Grid, head: HeadMask) -> Grid:
    """Intensity over the tissue level nearby, tied to the mask away from the skin."""
    shape = fine.values.shape
    coverage = resize(blur(head.mask.astype(np.float32), np.ones(3)), shape)
    contrast = resize(head.skin_level, shape)
    contrast -= np.float32(head.air_level)
    np.maximum(contrast, 1e-3 * (head.tissue_level - head.air_level), out=contrast)
    field = fine.values - np.float32(head.air_level)
    field /= contrast
    np.clip(field, -0.5, 1.4, out=field)
    noise = _noise(field, coverage)
    low, high = SMOOTHING
    least = np.where(fine.spacing > 1.3, SMOOTHING_COARSE, low)
    field = blur(field, np.clip(least + 4 * (noise - 0.03), least, high))
    # Deep inside is head and far outside is air, whatever the intensities say.
    depth = round(TIED_MM / WORKING_MM)
    core = resize(blur(erode(head.mask, depth).astype(np.float32), np.ones(3)), shape)
    core *= np.float32(0.85)
    np.maximum(field, core, out=field)
    coverage -= np.float32(0.02)
    coverage *= np.float32(10)
    np.minimum(field, coverage, out=field)
    return fine.like(np.clip(field, 0, 1, out=field))


def _noise(field: Volume, coverage: Volume) -> float:
    """Robust spread of the air, as a share of the skin's contrast."""
    sparse = (slice(None, None, 3),) * 3
    air = field[sparse][coverage[sparse] < 0.01]
    if air.size < 200:
        return 0.0
    return float(1.4826 * np.float32(median(np.abs(air - np.float32(median(air))))))


def _join_slices(field: Grid, axis: int) -> Grid:
    """Interpolate thick slices by the distance to the outline in each (Raya and Udupa 1990).

    Distances are limited to one slice spacing, which closes the head roundly where it ends
    between two slices.
    """
    stack = np.moveaxis(field.values, axis, 0)
    gap = float(field.spacing[axis])
    across = [i for i in range(3) if i != axis]
    pitch = field.spacing[across]
    distance = np.stack([_signed_distance(picture, pitch) for picture in stack])
    np.clip(distance, -gap, gap, out=distance)
    count = round(len(stack) * gap / max(1.2, float(pitch.mean())))
    size = (count, *distance.shape[1:])
    joined = resize(np.ascontiguousarray(distance), size, cubic=True)
    sigma = np.array([0.3 * count / len(stack), 0.5, 0.5])
    values = np.clip(0.5 + blur(joined, sigma) / 6, 0, 1).astype(np.float32)
    values = np.ascontiguousarray(np.moveaxis(values, 0, axis))
    return Grid(values, resized_affine(field.affine, field.values.shape, values.shape))


def _signed_distance(picture: Volume, pitch: NDArray[np.float64], finer: int = 4) -> Volume:
    """Millimetres to the half level of a picture, positive inside, to a fraction of a pixel."""
    rows, columns = picture.shape
    square = float(pitch.min())
    height, width = (
        round(n * p / square * finer) for n, p in zip(picture.shape, pitch, strict=True)
    )
    large = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    inside = (large > 0.5).astype(np.uint8)
    how = (cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    far = np.float32(height + width)
    inner = cv2.distanceTransform(inside, *how) if not inside.all() else np.full_like(large, far)
    outer = cv2.distanceTransform(1 - inside, *how) if inside.any() else np.full_like(large, far)
    signed = (inner - outer) * np.float32(square / finer)
    return np.asarray(cv2.resize(signed, (columns, rows), interpolation=cv2.INTER_AREA))
