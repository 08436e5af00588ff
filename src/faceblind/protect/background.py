"""What lies around the head: padding that was never acquired, wiped air, or noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull

from faceblind.geometry.grid import Mask, Volume, dilate, is_positive, memory_order, resize
from faceblind.head.brain_cover import template_fields
from faceblind.head.padding import (
    FEWEST_CORNERS,
    FEWEST_PLANES,
    Blocks,
    blocks_of,
    border_layers,
    broad,
    corners,
    voxels_of,
)
from faceblind.protect.region import working_grid
from faceblind.scan import Scan

CLEAR_MM = 25.0
"""Air this far outside the template head is sampled: no person's skin reaches there."""
NEAR_MM = (4.0, 30.0)
"""Outside the template head: where it is seen whether the air around this head was wiped, and where
air is sampled if hardly any lies further out."""
LOWEST_MM = -60.0
"""Template height of the shoulders, which are no air."""
WIPED_SHARE = 0.5
"""Share of one value in the air beside the head from which that air was wiped, wholly or in
patches."""
PATCHES_SHARE = 0.1
"""Share of blocks of one value that patches leave, and noise that often is 0 does not."""
MOST_CONCAVE = 0.2
"""The same for padding, which has planes and cylinders for a boundary: hardly any of it lies in the
convex hull of what was acquired."""
_FEWEST_NEAR = 20
_MOST_HULL = 4000


@dataclass(frozen=True)
class Surroundings:
    """Where air may lie around a head, whatever the volume shows.

    Attributes
    ----------
    clear : (I, J, K) bool ndarray
        Far from any head, above the shoulders; on the scan's grid in memory order.
    outside : (U, V, W) float32 ndarray
        Millimetres outside the template head on a grid of about 2 mm over the same extent.
    low : (U, V, W) bool ndarray
        Below the shoulders, on that grid.
    spacing : (3,) float64 ndarray
        Voxel size of the scan, memory order.
    skin : (P, 3) float64 ndarray
        Vertices of the skin, in voxel indices (memory order).
    """

    clear: Mask
    outside: Volume
    low: Mask
    spacing: NDArray[np.float64]
    skin: NDArray[np.float64]

    def near(self) -> tuple[NDArray[np.int64], ...]:
        """Indices (three arrays) of voxels on the working grid, beside the head."""
        beside = (self.outside > NEAR_MM[0]) & (self.outside <= NEAR_MM[1]) & ~self.low
        index = np.argwhere(beside)
        index = index[:: max(1, len(index) // 20_000)]
        factor = np.array(self.clear.shape) / np.array(self.outside.shape)
        full = np.floor((index + 0.5) * factor).astype(np.int64)
        return tuple(np.minimum(full, np.array(self.clear.shape) - 1).T)


@dataclass(frozen=True)
class Background:
    """What is constant around the head in one volume.

    Attributes
    ----------
    wiped : float or None
        The value that all air around this head has; None where it is noise.
    padding : (I, J, K) bool ndarray or None
        Voxels that were never acquired and must stay as they are.
    constant : (A, B, C) bool ndarray
        Blocks of one value, and their neighbours: no noise is measured there.
    size : tuple of int
        Voxels of a block.
    """

    wiped: float | None
    padding: Mask | None
    constant: Mask
    size: tuple[int, int, int]

    def is_constant(self, places: tuple[NDArray[np.int64], ...]) -> Mask:
        """(N,) bool for N voxels (indices, one array for each axis)."""
        index = tuple(axis // step for axis, step in zip(places, self.size, strict=True))
        return np.asarray(self.constant[index])


def surroundings(
    scan: Scan, scan_to_template: NDArray[np.float64], skin: NDArray[np.float32]
) -> Surroundings:
    """Where air may lie around a head.

    Parameters
    ----------
    scan : Scan
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm.
    skin : (P, 3) float32 ndarray
        Vertices of the skin, scan mm.
    """
    order = memory_order(scan)
    shape = tuple(scan.shape[axis] for axis in order)
    grid = working_grid(scan)
    total = scan_to_template @ grid.affine
    outside = -template_fields().on_grid("depth", total, grid.values.shape)
    i, j, k = np.ogrid[tuple(slice(n) for n in grid.values.shape)]
    height = total[2, 0] * i + total[2, 1] * j + total[2, 2] * k + total[2, 3]
    above = (height - LOWEST_MM).astype(np.float32)
    clear = is_positive(np.minimum(outside - np.float32(CLEAR_MM), above), shape)
    index = apply_affine(np.linalg.inv(scan.affine), skin)[:, order]
    return Surroundings(clear, outside, above < 0, scan.spacing[order], index)


def find_background(volume: NDArray[Any], around: Surroundings) -> Background | None:
    """Padding and wiped air of one volume; None where nothing is constant.

    Parameters
    ----------
    volume : (I, J, K) ndarray
        In memory order.
    around : Surroundings
        Of the head in it.
    """
    blocks = blocks_of(volume, around.spacing)
    found = blocks.of_one_value()
    layers = border_layers(volume)
    if not found and not layers:
        return None
    outside = resize(around.outside, blocks.shape)
    low = resize(around.low.astype(np.float32), blocks.shape) > 0.5
    tissue = dilate(_holding(around.skin, blocks), 1) | (outside < NEAR_MM[0])
    wiped, most = None, 0.0
    padding = np.zeros(volume.shape, bool)
    never_acquired: set[Any] = set()
    least = blocks.low.min()
    constant = np.zeros(blocks.shape, bool)
    for value, mask in found:
        if (mask & (outside < 0) & ~low).sum() > 0.5 * mask.sum():
            continue  # saturated tissue
        others = blocks.high[~mask & ~tissue & ~low]
        bright = others.size >= _FEWEST_NEAR and value > np.median(others)
        if bright and corners(mask).sum() < FEWEST_CORNERS:
            continue  # a table in a window of CT
        large = broad(mask, blocks.reach(around.spacing))
        beside = ~tissue & ~low & (outside < NEAR_MM[1])
        beside[beside] = _in_hull(np.argwhere(beside), ~mask)
        share = _share(mask, beside)
        if _share(large, beside) > MOST_CONCAVE or (
            share > PATCHES_SHARE
            and (_some_of(volume, beside, blocks) == value).mean() > WIPED_SHARE
        ):
            constant |= mask
            if share > most:
                wiped, most = float(value), share
        elif large.any():
            constant |= large
            never_acquired.add(value)
            padding |= voxels_of(volume, value, large, blocks)
    for index, value, thick in layers:
        is_least = value == least and thick >= FEWEST_PLANES
        if value != wiped and (value in never_acquired or is_least):
            padding[index] = True
    constant = ndimage.binary_dilation(constant, np.ones((3, 3, 3), bool))
    return Background(wiped, padding if padding.any() else None, constant, blocks.size)


def _share(mask: Mask, beside: Mask) -> float:
    """Share of blocks beside the head that a mask covers; 0 where there are hardly any."""
    return float((mask & beside).sum()) / max(int(beside.sum()), _FEWEST_NEAR)


def _some_of(volume: NDArray[Any], chosen: Mask, blocks: Blocks) -> NDArray[Any]:
    """(N,) values at eight places in each of some blocks."""
    size = np.array(blocks.size)
    offsets = np.stack(np.meshgrid(*[(0, step // 2) for step in size], indexing="ij"), -1)
    index = (np.argwhere(chosen)[:, None] * size + offsets.reshape(-1, 3)).reshape(-1, 3)
    values = volume[tuple(np.minimum(index, np.array(volume.shape) - 1).T)]
    return np.asarray(values)


def _holding(index: NDArray[np.float64], blocks: Blocks) -> Mask:
    """(A, B, C) blocks that hold any of (P, 3) voxel indices."""
    out = np.zeros(blocks.shape, bool)
    block = np.floor((index + 0.5) / np.array(blocks.size)).astype(np.int64)
    inside = ((block >= 0) & (block < blocks.shape)).all(axis=1)
    out[tuple(block[inside].T)] = True
    return out


def _in_hull(places: NDArray[np.int64], mask: Mask) -> Mask:
    """(N,) whether (N, 3) blocks lie in the convex hull of the largest part of a mask."""
    labels, count = ndimage.label(mask)
    if not count or not len(places):
        return np.zeros(len(places), bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    part = labels == sizes.argmax()
    # The first and the last block of each line; blocks reach half a block beyond their middle.
    lines = part.any(axis=2)
    first, last = part.argmax(axis=2), part.shape[2] - 1 - part[:, :, ::-1].argmax(axis=2)
    a, b = np.nonzero(lines)
    ends = np.concatenate([np.stack([a, b, first[a, b]], 1), np.stack([a, b, last[a, b]], 1)])
    corner = np.stack(np.meshgrid(*[(-0.5, 0.5)] * 3, indexing="ij"), -1).reshape(-1, 3)
    hull = ConvexHull((ends[:, None] + corner).reshape(-1, 3))
    out = np.ones(len(places), bool)
    for plane in hull.equations:
        out[out] = places[out] @ plane[:3] + plane[3] <= 0
    return out
