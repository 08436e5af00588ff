"""Maps in which no head can be found: was the face overwritten where their companion's was?

In many maps the air is as bright as the head. What can be seen all the same is whether the voxels
that the companion lost are gone from the map, too. A map with a small field may share none of them:
it passes only where its companion shows all of that field, and lost nothing near it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.formats import load
from faceblind.scan import Scan

APART_MM = 8.0
"""How far what the companion lost must be from a map that shares none of it. So far, at the head's
surface, `faceblind.protect.same_space` lets the two lie from each other."""
LARGEST_EQUAL = 0.2
"""Share of voxels that may have kept their value, whatever chance would give."""
BESIDE_CHANCE = 0.01
"""And beside chance; a map that was left alone keeps them all."""


def follows(source: Path, target: Path, leader_source: Path, leader_target: Path) -> bool:
    """Whether a protected map has lost all that its protected companion has lost.

    Parameters
    ----------
    source, target : Path
        The map before and after.
    leader_source, leader_target : Path
        Its companion before and after, in the same world space.

    Returns
    -------
    bool
        True if the map's values inside the companion's region are as often the old ones as chance
        makes values equal; beside the companion's field, inside that region carried on from its
        border. What has the map's commonest value is no tissue and does not count. Of a map that
        shares no voxel with the region, True if each of its voxels lies in the companion's field
        and `APART_MM` away from all that changed in the companion.
    """
    before, after = (load(path, derived=True) for path in (source, target))
    if before.voxels.shape != after.voxels.shape:
        return False
    differs, to_grid = _changed(leader_source, leader_target)
    if not differs.any():
        return False
    whole, inner = _region(differs)
    inside, beside = _on_grid(inner, to_grid, before)
    if not (inside | beside).any():
        inside, beside = _on_grid(whole, to_grid, before)
    if not (inside | beside).any():
        return _is_apart(differs, to_grid, before)
    old, new = (scan.voxels.reshape(*scan.shape[:3], -1) for scan in (before, after))
    return all(_gone(old[part], new[part]) for part in (inside, beside) if part.any())


def _gone(old: NDArray[Any], new: NDArray[Any]) -> bool:
    """Whether values were overwritten."""
    values, counts = np.unique(old, return_counts=True)
    tissue = old != values[counts.argmax()]
    if not tissue.any():
        return True
    old, new = old[tissue], new[tissue]
    equal = float((old == new).mean())
    return equal <= min(LARGEST_EQUAL, 1.5 * _chance(old, new) + BESIDE_CHANCE)


def _changed(source: Path, target: Path) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(I, J, K) where a scan differs from its protected copy, and world mm to its voxels."""
    before, after = load(source), load(target)
    differs = before.voxels != after.voxels
    if differs.ndim == 4:
        differs = differs.any(axis=3)
    return np.asarray(differs, np.bool_), np.linalg.inv(np.asarray(before.affine, np.float64))


def _region(differs: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What changed without its holes, where air has its old value by chance; without its border."""
    size = 2
    # The region ends where its grid does only because nothing is seen beside that.
    wide = np.pad(differs, 2 * size, mode="edge")
    closed = ndimage.binary_closing(wide, iterations=size)
    inner = ndimage.binary_erosion(closed, iterations=size)
    own = (slice(2 * size, -2 * size),) * 3
    return closed[own] | differs, inner[own]


def _on_grid(
    region: NDArray[np.bool_], to_region: NDArray[np.float64], image: Scan
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which voxels of an image have their middle in a region, carried on from its grid's border.

    Returns
    -------
    inside : (I, J, K) bool ndarray
        Those within the region's grid.
    beside : (I, J, K) bool ndarray
        Those beside it, where the nearest voxel of the grid is in the region.
    """
    shape = image.shape[:3]
    inside, beside = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for k, place in _places(image, to_region):
        near = np.clip(place, 0, np.subtract(region.shape, 1))
        within = (near == place).all(axis=-1)
        found = region[tuple(np.moveaxis(near, -1, 0))]
        inside[..., k], beside[..., k] = within & found, ~within & found
    return inside, beside


def _is_apart(changed: NDArray[np.bool_], to_region: NDArray[np.float64], image: Scan) -> bool:
    """Whether a companion shows all of an image's field, and nothing changed near that."""
    spacing = np.linalg.norm(np.linalg.inv(to_region)[:3, :3], axis=0)
    distance = ndimage.distance_transform_edt(~changed, sampling=spacing)
    for _, place in _places(image, to_region):
        if ((place < 0) | (place >= changed.shape)).any():
            return False
        if (distance[tuple(np.moveaxis(place, -1, 0))] < APART_MM).any():
            return False
    return True


def _places(image: Scan, to_region: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Slices of an image, and (I, J, 3) the nearest voxels of another grid, in it or not."""
    shape = image.shape[:3]
    plane = np.stack(np.meshgrid(*map(np.arange, shape[:2]), indexing="ij"), axis=-1)
    for k in range(shape[2]):
        index = np.concatenate([plane, np.full((*shape[:2], 1), k)], axis=-1)
        yield k, np.rint(apply_affine(to_region @ image.affine, index)).astype(np.int64)


def _chance(old: NDArray[Any], new: NDArray[Any]) -> float:
    """How often two values would be equal, were they drawn from the two sets apart."""
    values, counts = np.unique(old, return_counts=True)
    others, their_counts = np.unique(new, return_counts=True)
    _, ours, theirs = np.intersect1d(values, others, assume_unique=True, return_indices=True)
    shares = counts[ours] / old.size * (their_counts[theirs] / new.size)
    return float(shares.sum())
