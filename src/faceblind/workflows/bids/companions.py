"""Maps in which no head can be found: was the face overwritten where their companion's was?

In many maps the air is as bright as the head. What can be seen all the same is whether the voxels
that the companion lost are gone from the map, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.formats import load
from faceblind.scan import Scan

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
        makes values equal. What has the map's commonest value is no tissue and does not count.
    """
    before, after = (load(path, derived=True) for path in (source, target))
    if before.voxels.shape != after.voxels.shape:
        return False
    region = _on_grid(_changed(leader_source, leader_target), before)
    old, new = (scan.voxels.reshape(*scan.shape[:3], -1)[region] for scan in (before, after))
    values, counts = np.unique(old, return_counts=True)
    if not len(values):
        return False
    tissue = old != values[counts.argmax()]
    if not tissue.any():
        return True
    old, new = old[tissue], new[tissue]
    equal = float((old == new).mean())
    return equal <= min(LARGEST_EQUAL, 1.5 * _chance(old, new) + BESIDE_CHANCE)


def _changed(source: Path, target: Path) -> Scan:
    """Where a scan differs from its protected copy, without the border of that region."""
    before, after = load(source), load(target)
    differs = before.voxels != after.voxels
    if differs.ndim == 4:
        differs = differs.any(axis=3)
    # Air may have its old value by chance; the region has no holes.
    closed = ndimage.binary_closing(differs, iterations=2)
    inner = ndimage.binary_erosion(closed, iterations=2)
    return Scan(inner.astype(np.uint8), before.affine)


def _on_grid(region: Scan, image: Scan) -> NDArray[np.bool_]:
    """(I, J, K) voxels of an image whose middle lies in a region."""
    shape = image.shape[:3]
    if shape == region.shape and np.allclose(image.affine, region.affine, atol=1e-3):
        return np.asarray(region.voxels > 0)
    to_region = np.linalg.inv(region.affine) @ image.affine
    inside = np.zeros(shape, np.bool_)
    plane = np.stack(np.meshgrid(*map(np.arange, shape[:2]), indexing="ij"), axis=-1)
    for k in range(shape[2]):
        index = np.concatenate([plane, np.full((*shape[:2], 1), k)], axis=-1)
        place = np.rint(apply_affine(to_region, index)).astype(int)
        within = ((place >= 0) & (place < region.shape[:3])).all(axis=-1)
        found = region.voxels[tuple(np.moveaxis(np.where(within[..., None], place, 0), -1, 0))]
        inside[..., k] = within & (found > 0)
    return inside


def _chance(old: NDArray[Any], new: NDArray[Any]) -> float:
    """How often two values would be equal, were they drawn from the two sets apart."""
    values, counts = np.unique(old, return_counts=True)
    others, their_counts = np.unique(new, return_counts=True)
    _, ours, theirs = np.intersect1d(values, others, assume_unique=True, return_indices=True)
    shares = counts[ours] / old.size * (their_counts[theirs] / new.size)
    return float(shares.sum())
