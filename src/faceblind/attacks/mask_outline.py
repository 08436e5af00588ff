"""Masks whose outline is a head's: do they show anything that the scan beside them does not?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.datasets.masks import Support, support_of
from faceblind.errors import FaceblindError
from faceblind.formats import load
from faceblind.head.segmentation import HeadMask, find_head

OUTSIDE_MM = 6.0
"""How far a mask of the same head may lie outside it: two thresholds, a voxel, a closing."""
THICK_MM = 4.0
"""Half the thickness of what counts as a part, rather than a rim between two outlines."""
PART_ML = 20.0
"""Volume of a part. A nose alone has 15 to 25 ml, a face in front of a cut 350 and more."""
ON_CUT = 0.25
"""Share of a cut head's surface from which the mask's lies on it, within `TIGHT_MM`: the cut.
Masks of faceblind's own have 0.34 to 0.48."""
TIGHT_MM = 2.5
OFF_SCALP = 0.63
"""Share up to which it comes near the rest, within `LOOSE_MM`. Own masks have 0.42 to 0.59, masks
of the whole head, grown by up to 4 mm, 0.67 to 0.78."""
LOOSE_MM = 6.0
BETWEEN = 0.22
"""Share up to which it lies between the two; own 0.15 and less, heads grown by 4 mm 0.40."""
OFF_FACE = 0.55
"""The same within `FAR_MM` of a head with another face: own 0.26 to 0.43, whole heads 0.9."""
FAR_MM = 8.0
LARGEST_FACE = 0.3
"""Share of a head that a replaced face may be; measured 0.06 to 0.14."""


def shows_no_more(mask: Path, scan: Path, replaced: str) -> bool:
    """Whether a mask shows no more of a head than a scan beside it that passed.

    Either the mask lies within the head that the scan still shows; or it is what faceblind writes
    with ``--mask``: the kept part of the head, bounded by the cut in front and by nothing of the
    person elsewhere, where it ends in the air well above the scalp.

    Parameters
    ----------
    mask, scan : Path
        In one space.
    replaced : str
        What was recognised in the scan, as in `faceblind.attacks.verdict.Findings`: a face that was
        replaced hides the outline of the person's own.

    Returns
    -------
    bool
        False also where either cannot be read, or the scan has no head.
    """
    try:
        head = find_head(load(scan))
        support = support_of(load(mask, derived=True))
    except FaceblindError:
        return False
    kept = _on_grid(support, head)
    spacing = np.linalg.norm(head.affine[:3, :3], axis=0)
    cell = float(np.prod(spacing)) / 1e3
    away = ndimage.distance_transform_edt(~head.mask, sampling=spacing)
    outside = float((kept & (away > OUTSIDE_MM)).sum()) * cell
    lost = head.mask & ~kept
    core = ndimage.distance_transform_edt(lost, sampling=spacing) > THICK_MM
    missing = float(core.sum()) * cell
    if outside <= PART_ML:
        return replaced == "cut" and missing <= PART_ML
    near = _distances(head, kept, spacing)
    if replaced == "cut":
        on_cut, off_scalp = (near <= TIGHT_MM).mean(), (near <= LOOSE_MM).mean()
        is_ours = on_cut >= ON_CUT and off_scalp <= min(OFF_SCALP, on_cut + BETWEEN)
        return bool(missing <= PART_ML and is_ours)
    is_face = PART_ML < missing <= LARGEST_FACE * float(head.mask.sum()) * cell
    return bool(replaced == "face" and is_face and (near <= FAR_MM).mean() <= OFF_FACE)


def _on_grid(support: Support, head: HeadMask) -> NDArray[np.bool_]:
    """A mask on the grid of a head; False outside its field of view."""
    there = np.linalg.inv(support.affine) @ head.affine
    grid = np.moveaxis(np.indices(head.mask.shape), 0, -1).reshape(-1, 3)
    index = np.rint(apply_affine(there, grid)).astype(int)
    inside = ((index >= 0) & (index < support.mask.shape)).all(axis=1)
    found = np.zeros(len(grid), bool)
    found[inside] = support.mask[tuple(index[inside].T)]
    return found.reshape(head.mask.shape)


def _distances(
    head: HeadMask, kept: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N,) mm from each voxel of a head's surface to a mask's surface."""
    inner = ndimage.distance_transform_edt(np.pad(head.mask, 1, mode="edge"), sampling=spacing)
    surface = head.mask & (inner[1:-1, 1:-1, 1:-1] <= spacing.max() * 1.01)
    edge = kept & ~ndimage.binary_erosion(kept, border_value=1)
    if not edge.any():
        return np.full(int(surface.sum()), np.inf)
    away = ndimage.distance_transform_edt(~edge, sampling=spacing)
    return np.asarray(away[surface], np.float64)
