"""The average face that faceblind puts in, recognised in a head without the original.

Another tool's average face is not known, so that a face which is not ours counts as somebody's.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.attacks.own_protection.fit import STEP_MM, fitted, moved_head
from faceblind.attacks.surface import FACE, Surface
from faceblind.geometry.points import thin
from faceblind.geometry.transforms import applied
from faceblind.head.alignment import Alignment
from faceblind.head.template import load_template
from faceblind.protect.placement import Placement, exact_placement, face_share, fuller
from faceblind.scan import Scan

ENOUGH_FACE = 0.68
"""Share of the face that must follow the average face: 0.97 and more in nine real scans that were
refaced, of slices up to 5 mm; 0.78 and more in sixteen simulated ones whose faces have a signal of
one to three times the noise; 0.50 and less in 41 own faces (nine real)."""
FACE_MM, FACE_VOXELS = 0.8, 0.5
"""Distance from the average face that counts as on it."""
MOST_ROUGH = 2.0
"""By how many times the tolerance skin in noise may be rough and still count as the average face's,
once the face is known to be it."""
_SIGMAS, _MAD = 2.5, 1.4826
EAR_MM = 3.5
"""The same for ears, whose folds rays meet at random."""
OWN_BELOW_MM = 36.0
"""Template height up to which the new face is the average one alone; above, new skin may follow
the lifted cut."""
OWN_SHARE = 0.95
"""`face_share` from which the new face is the average one alone; it bends at its rim."""
LEAST_JUDGED = 0.05
"""Share of the face that must lie where the new one is the average one alone."""
_REACH = np.array([0.15, 0.15, 0.15, 10.0, 10.0, 10.0, 0.12, 0.12, 0.12])
"""Turn in radians, shift in mm and size by which the head may have been misplaced."""
_HELD = 1.0
"""What a usual amount weighs against a residual of one scale. The new face has one size, so that
only its rim and the ears tell the head's: held more loosely, a refaced head was fitted 10 % too
long and its ears were taken for a person's."""


def find_face(
    surface: Surface, alignment: Alignment, usable: NDArray[np.bool_], scan: Scan
) -> tuple[float, NDArray[np.bool_], Placement]:
    """How much of a whole face is the average one.

    Parameters
    ----------
    surface : Surface
    alignment : Alignment
        That `surface` was measured with.
    usable : (P,) bool ndarray
        Vertices of the face that have a surface.
    scan : Scan
        Gives the voxel size.

    Returns
    -------
    share : float
        Of the face's surface, 0 where too little of it can be judged.
    ours : (P,) bool ndarray
        Vertices of face and ears that lie on the average ones.
    placement : Placement
        Where the average face lies best.
    """
    tolerance = max(FACE_MM, FACE_VOXELS * float(np.mean(scan.spacing)))
    ears = alignment.template.region("ears") & surface.seen & np.isfinite(surface.offset)
    rows = np.flatnonzero(usable | ears)
    points = surface.points[rows]
    # The face decides where the template lies; the ears are only judged by it.
    facial = points[usable[rows]]

    few = facial[thin(facial, STEP_MM)]
    placement = fitted(
        partial(moved_head, exact_placement(alignment)),
        lambda placements: outside_average(few, placements)[0],
        np.zeros(9), _REACH, (4.0 * tolerance, tolerance), _HELD,
    )  # fmt: skip
    away, alone = outside_average(points, placement)
    near = np.abs(away) <= np.where(usable[rows], tolerance, max(EAR_MM, tolerance))
    weight = surface.area[rows] * usable[rows] * alone
    ours = np.zeros(len(usable), bool)
    ours[rows] = near
    if weight.sum() < LEAST_JUDGED * surface.area[alignment.template.region(*FACE)].sum():
        return 0.0, ours, placement
    share = float(weight[near].sum() / weight.sum())
    if share >= ENOUGH_FACE:
        rough = _SIGMAS * _MAD * float(np.median(np.abs(away[weight > 0])))
        ours[rows] |= np.abs(away) <= min(rough, MOST_ROUGH * tolerance)
    return share, ours, placement


def outside_average(
    points: NDArray[np.float64], placement: Placement
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How far places lie outside the average face as `faceblind.protect.reface` bends it.

    Parameters
    ----------
    points : (N, 3) ndarray
        Scan RAS+ mm.
    placement : Placement
        One, or a stack.

    Returns
    -------
    away : (..., N) float64 ndarray
        Millimetres (template).
    alone : (..., N) bool ndarray
        Where the new face is the average one, neither its rim nor skin over a lifted cut.
    """
    tree, surface, normals = _average()
    where, moved = (
        applied(to, points) for to in (placement.scan_to_template, placement.scan_to_face)
    )
    share = face_share(moved)
    where += share[..., None] * (moved - where)
    _, nearest = tree.query(where)
    away: NDArray[np.float64] = ((where - surface[nearest]) * normals[nearest]).sum(axis=-1)
    away -= fuller(moved, share)
    return away, (share > OWN_SHARE) & (moved[..., 2] < OWN_BELOW_MM)


@lru_cache(maxsize=1)
def _average() -> tuple[cKDTree, NDArray[np.float64], NDArray[np.float64]]:
    template = load_template()
    points = template.points.astype(np.float64)
    return cKDTree(points), points, template.normals.astype(np.float64)
