"""How the new face meets the skin that stays: moved in or out at its rim, and nowhere else.

Everybody gets the same face. At the seam it is moved along its normals until it lies on the skin
beside it, which is in the scan anyway; over a centimetre it goes over into the face of all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine, voxel_sizes
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from faceblind.geometry.arrays import smooth_step
from faceblind.geometry.grid import Grid, Mask, Volume, blur
from faceblind.geometry.points import thin
from faceblind.head.skin import Skin
from faceblind.protect.placement import rim_share
from faceblind.protect.region import places

Shape = tuple[int, ...]
REACH_MM, REACH_BEHIND_MM = 10.0, 10.0
"""From the seam to the face of all, in front and behind the ears, where the ear itself is near.
Shorter, the way down from a forehead that stands out is a ridge. Longer, the rim says more of the
person: with 22 and 18 mm, 4 of 10 people were linked to their original scan, with 10 mm 2, as many
as without a rim on forehead and temples."""
BEHIND_MM, FRONT_MM = 0.0, 25.0
"""Template mm from back to front: between them the one goes over into the other."""
STEEPEST = 0.6
"""Most that the rim moves over its reach: the surface would fold from two thirds on."""
BESIDE_MM = 4.0
"""Skin that stays within this from the seam says where the new skin must lie."""
LINE_MM = 1.5
"""Skin this near to the region's boundary lies on the seam."""
STAYS_MM, STAYS_WITHIN_MM = 3.0, 12.0
"""What stays lies further than this outside the region, and the seam this near to it. Where a flat
forehead grazes the cut, specks of skin stay that are no seam: new skin covers them."""
NEAR_MM, FAR_MM, FAR_SHARE = 4.0, 10.0, 0.02
"""Widths of the Gaussians that carry this into the region, and the weight of the wider one, which
counts where the narrow one does not reach."""
FEWEST = 50
"""Vertices below which there is no seam."""


@dataclass(frozen=True)
class Seam:
    """Skin at the end of the region.

    Attributes
    ----------
    line : (N, 3) float64 ndarray
        Vertices on the seam, scan mm.
    beside : (M, 3) float64 ndarray
        Vertices that stay, beside it.
    off_mm : (M,) float64 ndarray
        How far the new face runs outside each of the latter, template mm.
    """

    line: NDArray[np.float64]
    beside: NDArray[np.float64]
    off_mm: NDArray[np.float64]


def beside_what_stays(
    points: NDArray[np.float64], cut: NDArray[np.float32], chosen: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which of some vertices lie beside skin that surely stays.

    Parameters
    ----------
    points : (P, 3) float64 ndarray
        Vertices of the skin, scan mm.
    cut : (P,) float32 ndarray
        Millimetres that they lie inside the region.
    chosen : (N,) int64 ndarray
        Vertices asked for.

    Returns
    -------
    (N,) bool ndarray
    """
    stays = points[(cut < -STAYS_MM) & (cut > -STAYS_MM - STAYS_WITHIN_MM)]
    if not len(stays):
        return np.zeros(len(chosen), bool)
    tree = cKDTree(stays[thin(stays, 2.0)])
    away = tree.query(points[chosen], distance_upper_bound=STAYS_WITHIN_MM)[0]
    return np.asarray(away < STAYS_WITHIN_MM, np.bool_)


def distance_from(line: NDArray[np.float64], affine: NDArray[np.float64], shape: Shape) -> Volume:
    """(U, V, W) millimetres from the nearest of (N, 3) places, scan mm, on a grid.

    Infinite where there are none.
    """
    index = np.rint(apply_affine(np.linalg.inv(affine), line)).astype(int)
    index = index[((index >= 0) & (index < shape)).all(axis=1)]
    if not len(index):
        return np.full(shape, np.inf, np.float32)
    away: Mask = np.ones(shape, bool)
    away[tuple(index.T)] = False
    found = ndimage.distance_transform_edt(away, voxel_sizes(affine))
    return np.asarray(found, np.float32)


def outside_skin(skin: Skin, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) millimetres that (N, 3) places near the skin, scan mm, lie outside it."""
    some = thin(skin.points, 2.5)
    nearest = some[cKDTree(skin.points[some]).query(points)[1]]
    away = points - skin.points[nearest]
    return np.asarray((away * skin.normals[nearest]).sum(axis=1), np.float64)


def rim_offset(
    seam: Seam,
    affine: NDArray[np.float64],
    shape: Shape,
    scan_to_face: NDArray[np.float64],
) -> Volume:
    """How far the new face moves inwards on a grid.

    Parameters
    ----------
    seam : Seam
    affine : (4, 4) float64 ndarray
        Index of the grid to scan mm.
    shape : tuple of int
    scan_to_face : (4, 4) float64 ndarray
        See `Placement`.

    Returns
    -------
    (U, V, W) float32 ndarray
        Template mm, negative outwards; 0 further from the seam than `REACH_MM`.
    """
    if len(seam.beside) < FEWEST:
        return np.zeros(shape, np.float32)
    where = places(Grid(np.broadcast_to(False, shape), affine), scan_to_face)
    front = smooth_step((where[:, 1] - BEHIND_MM) / (FRONT_MM - BEHIND_MM)).reshape(shape)
    reach = REACH_BEHIND_MM + (REACH_MM - REACH_BEHIND_MM) * front
    share = smooth_step(1.0 - distance_from(seam.line, affine, shape) / reach)
    share *= rim_share(where).reshape(shape)
    index = np.rint(apply_affine(np.linalg.inv(affine), seam.beside)).astype(int)
    good = ((index >= 0) & (index < shape)).all(axis=1)
    flat, count = np.ravel_multi_index(tuple(index[good].T), shape), int(np.prod(shape))
    weight = np.bincount(flat, minlength=count).reshape(shape).astype(np.float32)
    total = np.bincount(flat, seam.off_mm[good], count).reshape(shape).astype(np.float32)
    spacing = voxel_sizes(affine)
    sums, weights = (
        blur(one, NEAR_MM / spacing) + np.float32(FAR_SHARE) * blur(one, FAR_MM / spacing)
        for one in (total, weight)
    )
    most = STEEPEST * reach
    off = np.clip(sums / (weights + np.float32(1e-6)), -most, most)
    return np.asarray(share * off, np.float32)
