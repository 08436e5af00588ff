"""Whose edge is it: the scanner's, which blurs skin, or a mask's, which ends within a voxel?

A protection replaces whole voxels. Where it ended, the first voxel outside the head is air like all
the others; at skin that the scanner saw, it holds a part of the skin. So the person's own skin is
told from the surface of a cut without the original, and wherever the cut lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.head.segmentation import HeadMask
from faceblind.head.skin import Skin
from faceblind.scan import Scan

LEAST_TAIL = 0.06
"""Share of the skin's contrast that the first voxel outside the scalp must hold on average, or
edges tell nothing: 0.11 to 0.26 in eight real scans of 1 to 5 mm; air that a tool wiped has 0."""
NATURAL = 0.5
"""Share of the scalp's tail from which an edge is the scanner's: cuts of ours have 0.03 to 0.25."""
BONE = 0.06
"""What is further outside may be brighter by this share of the skin's contrast than what lies
outside the scalp. Bone, which a cut lays open, has 0.1 to 0.3; its far side looks like skin."""
SKIN_LEVELS = (0.5, 0.3, 0.15)
"""Shares of the skin's contrast at which it ends: as in `faceblind.head.skin`; lower where the skin
is far darker than the fat below, as in some T2w scans."""
MOST_OUTSIDE = 0.25
"""Share of the skin's contrast outside the scalp up to which that is air: 0.18 and less in eleven
real scans, 0.33 in one whose fat is three times brighter than its skin."""
NEAREST_VOXELS = 2
"""The edge must lie this near to the skin's vertex."""
CELL_MM = 3.0
SMOOTH_MM = 3.6
"""Noise is averaged over cells and a Gaussian of this width: some twenty vertices at 2 mm."""
SCALP_BEHIND_MM, SCALP_ABOVE_MM = 20.0, 20.0
"""Template mm: skin behind and above is scalp, which no protection of a face reaches."""
_FEWEST = 500
_STEPS = np.arange(-3, 7)


@dataclass(frozen=True)
class Edges:
    """Which of a head's skin the scanner saw.

    Parameters
    ----------
    natural : (V,) bool ndarray
        Vertices of the skin whose edge is the scanner's and has air outside.
    scalp_tail : float
        Share of the skin's contrast in the first voxel outside the scalp.
    """

    natural: NDArray[np.bool_]
    scalp_tail: float


def find_edges(
    skin: Skin, scan: Scan, head: HeadMask, scan_to_template: NDArray[np.float64]
) -> Edges | None:
    """Tell the scanner's edges from a mask's.

    Parameters
    ----------
    skin : Skin
        Scan RAS+ mm.
    scan : Scan
        At its own voxel size: averaging blurs every edge. Of a series, the first volume is used.
    head : HeadMask
        Gives the levels of air and skin.
    scan_to_template : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm, roughly: it tells where the scalp is.

    Returns
    -------
    Edges or None
        None where the scalp has edges like a mask's, because air was wiped up to the skin.
    """
    where = apply_affine(scan_to_template, skin.points)
    behind = (where[:, 1] < SCALP_BEHIND_MM) & (where[:, 2] > SCALP_ABOVE_MM) & ~skin.edge
    for level in SKIN_LEVELS:
        tail, outside = _profiles(skin, scan, head, level)
        scalp = behind & np.isfinite(tail)
        if scalp.sum() < _FEWEST:
            return None
        typical, around = float(tail[scalp].mean()), float(np.median(outside[scalp]))
        if around <= MOST_OUTSIDE:
            break
    if typical < LEAST_TAIL or around > MOST_OUTSIDE:
        return None
    usable = np.isfinite(tail) & ~skin.edge
    smooth_tail, smooth_outside = _smoothed(skin.points, (tail, outside), usable)
    natural = (smooth_tail > NATURAL * typical) & (smooth_outside < around + BONE) & ~skin.edge
    return Edges(natural, typical)


def _profiles(
    skin: Skin, scan: Scan, head: HeadMask, level: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two (V,) shares of the skin's contrast: in the first voxel outside, beyond that of the next
    two, NaN where no edge is seen; and in these two.

    Voxels are read one by one along the axis that faces outwards most: interpolation would blur.
    """
    to_index = np.linalg.inv(scan.affine)
    volume = scan.volume()
    ways = skin.normals @ to_index[:3, :3].T
    axis = np.abs(ways).argmax(axis=1)
    rows = np.arange(len(axis))
    step = np.sign(ways[rows, axis]).astype(np.int64)
    start = np.rint(apply_affine(to_index, skin.points)).astype(np.int64)
    last = np.asarray(volume.shape) - 1
    inside = np.ones(len(rows), bool)
    lines = np.empty((len(rows), len(_STEPS)), np.float32)
    for k, by in enumerate(_STEPS):
        place = start.copy()
        place[rows, axis] += by * step
        inside &= ((place >= 0) & (place <= last)).all(axis=1)
        lines[:, k] = volume[tuple(np.clip(place, 0, last).T)]
    lines -= np.float32(head.air_level)
    lines /= skin_contrast(head, skin.points)[:, None]
    bright = lines > level
    ends = bright[:, :-3] & ~bright[:, 1:-2] & ~bright[:, 2:-1] & ~bright[:, 3:]
    away = np.where(ends, np.abs(np.arange(ends.shape[1]) + _STEPS[0]), len(_STEPS))
    end = away.argmin(axis=1)
    seen = inside & (away[rows, end] <= NEAREST_VOXELS)
    outside = 0.5 * (lines[rows, end + 2] + lines[rows, end + 3])
    tail = lines[rows, end + 1] - outside
    nothing = np.float32(np.nan)
    return np.where(seen, tail, nothing), np.where(seen, outside, nothing)


def skin_contrast(head: HeadMask, points: NDArray[np.floating]) -> NDArray[np.float32]:
    """(N,) level of the skin above air at places in scan mm."""
    index = np.rint(apply_affine(np.linalg.inv(head.affine), points)).astype(np.int64)
    index = np.clip(index, 0, np.asarray(head.skin_level.shape) - 1)
    least = np.float32(1e-3 * (head.tissue_level - head.air_level))
    return np.maximum(head.skin_level[tuple(index.T)] - np.float32(head.air_level), least)


def _smoothed(
    points: NDArray[np.float32],
    values: tuple[NDArray[np.float32], ...],
    usable: NDArray[np.bool_],
) -> list[NDArray[np.float64]]:
    """Means of values over a neighbourhood of each point."""
    cell = np.floor((points - points.min(axis=0)) / CELL_MM).astype(np.int64)
    shape = tuple(int(n) + 1 for n in cell.max(axis=0))
    flat = np.ravel_multi_index(tuple(cell.T), shape)
    sigma = SMOOTH_MM / CELL_MM

    def spread(weights: NDArray[np.floating] | None) -> NDArray[np.float64]:
        total = np.bincount(flat[usable], weights, int(np.prod(shape)))
        return ndimage.gaussian_filter(total.reshape(shape).astype(np.float64), sigma)

    count = np.maximum(spread(None), 1e-6)
    return [(spread(np.clip(v[usable], -0.3, 0.6)) / count).ravel()[flat] for v in values]
