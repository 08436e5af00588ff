"""Attack 4: is what shows the person's, or what faceblind itself puts there?

faceblind's own protection is public knowledge: its cut is a surface of the average head, and its
new face is the average one, both placed by a few numbers. Tissue that follows either of them says
nothing about the person, and is recognised here without the original. Another tool's average face
is not known, so that a face which is not ours counts as somebody's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TypeVar

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from faceblind.attacks.surface import FACE, Surface
from faceblind.head.align import Alignment, thin
from faceblind.head.skin import Skin
from faceblind.head.template import load_template
from faceblind.protect.cut_fit import moved_cut
from faceblind.protect.lift import LIFT_MM, SINK_MM, free_share
from faceblind.protect.placement import (
    ANCHOR,
    Placement,
    exact_placement,
    face_share,
    fuller,
    hung,
    placement_of,
)
from faceblind.protect.regions import boundary_at
from faceblind.scan import Scan

ENOUGH_CUT = 0.58
"""Share of the face's remaining surface that must follow the cut: 0.69 and more in nine real scans
cut by us, 0.70 in volunteers at 2 mm. Intact heads, one that its authors cut, and eleven other
ways to hide a face fail by the limits below already."""
MOST_INSIDE = 0.04
"""Share of it that may lie within what the cut takes: 0.014 and less in scans cut by us, where only
noise lies there; 0.07 and more where the fit is wrong or the cut another one."""
MOST_FAR_INSIDE = 0.002
"""Share of its vertices, most of which the template has at lids and lips, that may lie twice as far
within as counts as on the cut: 0 in scans cut by us, 0.003 and more where eyes were kept."""
MOST_SKIN_INSIDE = 0.07
"""The same of all the head's skin: 0.012 and less in scans cut by us, some more with ears kept,
0.10 and more in others."""
CUT_MM, CUT_VOXELS = 1.0, 0.6
"""Distance from the cut that counts as on it: half a voxel of rounding and a soft edge."""
ENOUGH_FACE = 0.85
"""Share of the face that must follow the average face: 0.97 and more in nine real scans that were
refaced, of slices up to 5 mm; 0.49 and less in people's own faces."""
FACE_MM, FACE_VOXELS = 0.8, 0.5
"""Distance from the average face that counts as on it."""
EAR_MM = 3.5
"""The same for ears, whose folds rays meet at random."""
OWN_BELOW_MM = 36.0
"""Template height up to which the new face is the average one alone; above, new skin may follow
the lifted cut."""
OWN_SHARE = 0.95
"""`face_share` from which the new face is the average one alone; it bends at its rim."""
ROUNDED_MM = 1.0
"""A lift by this much more than `faceblind.protect.lift.LIFT_MM` is believed: the cut is mapped on
a grid of 2 mm."""
UNLIKELY = 0.1
"""What a millimetre of lift weighs against one beyond the cut, where the cut is fitted."""
LEAST_AREA = 0.1
"""Share of the face that must have a surface for anything to be said."""
SWALLOWED = 6.0
"""What a millimetre of the head's skin within the cut weighs against a millimetre of the face."""
_STEP_MM, _SPARSE_MM = 7.0, 20.0
NODS = (-0.2, 0.2)
"""Radians by which a head without its face may be nodding, where nothing tells by how much."""
_CUT_REACH = np.array([0.5, 0.15, 0.15, 30.0, 30.0, 30.0, 0.12, 0.12, 0.12, 0.06, 0.2, 8.0, 8.0])
_FACE_REACH = np.array([0.15, 0.15, 0.15, 10.0, 10.0, 10.0, 0.12, 0.12, 0.12])
"""Turn in radians, shift in mm and size by which the head may have been misplaced; for the cut, its
size, nod, and shifts forward and up within the head, too."""
_USUAL = np.array([0.1, 0.1, 0.1, 8.0, 8.0, 8.0, 0.013, 0.013, 0.013, 0.025, 0.06, 2.0, 1.5])
"""By how much it usually is, in the same units."""
_CUT_HELD, _FACE_HELD = 0.3, 1.0
"""What a usual amount weighs against a residual of one scale. The new face has one size, so that
only its rim and the ears tell the head's: held more loosely, a refaced head was fitted 10 % too
long and its ears were taken for a person's."""
_DIFFERENCE = 0.05
"""Share of the usual by which a slope is measured: fields are single precision on a grid of 2 mm,
so that the slopes of much smaller steps would be those of rounding."""

Fitted = TypeVar("Fitted")


@dataclass(frozen=True)
class CutPlace:
    """Where our cut lies in a head.

    Parameters
    ----------
    head : Placement
        Of the head.
    affine : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm of the cut, as `faceblind.protect.cut_fit.CutFit.affine`.
    """

    head: Placement
    affine: NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """Whether a face was taken or replaced by faceblind.

    Parameters
    ----------
    cut, face : float
        Share of the face's surface that follows the cut, 0 where tissue lies within what the cut
        takes; and share that follows the average face.
    ours : (P,) bool ndarray
        Vertices of the face and ears whose tissue is explained by the better of the two.
    place : CutPlace or None
        Where the cut lies, if the face was removed along it.
    """

    cut: float
    face: float
    ours: NDArray[np.bool_]
    place: CutPlace | None = None

    @property
    def is_cut(self) -> bool:
        """The face was removed along our cut."""
        return self.place is not None

    @property
    def is_face(self) -> bool:
        """The face is our average face."""
        return self.face >= ENOUGH_FACE and not self.is_cut


def find_known(
    skin: Skin,
    surface: Surface,
    alignment: Alignment,
    scan: Scan,
    *,
    whole: bool,
    nods: Sequence[float] = (0.0,),
) -> Known:
    """Compare the surface of the face with the cut, or with the average face.

    Parameters
    ----------
    skin : Skin
    surface : Surface
        Of `skin`, measured with `alignment`.
    alignment : Alignment
    scan : Scan
        Gives the voxel size.
    whole : bool
        A whole face shows, so that it may be the average one; otherwise it may have been cut.
    nods : sequence of float
        Turns in radians, chin up, from which the cut is sought; the first that finds it counts.
    """
    face = alignment.template.region(*FACE)
    usable = face & surface.seen & np.isfinite(surface.offset)
    nothing = Known(0.0, 0.0, np.zeros(len(face), bool))
    if surface.area[usable].sum() < LEAST_AREA * surface.area[face].sum():
        return nothing
    if whole:
        voxel = float(np.mean(scan.spacing))
        return _find_face(surface, alignment, usable, max(FACE_MM, FACE_VOXELS * voxel))
    return _find_cut(skin, surface, alignment, usable, _on_cut(scan), nods) or nothing


def explained_by_cut(surface: Surface, place: CutPlace, scan: Scan) -> NDArray[np.bool_]:
    """(P,) vertices below which nothing is left of what the cut takes.

    Parameters
    ----------
    surface : Surface
    place : CutPlace
    scan : Scan
        Gives the voxel size.
    """
    ours = np.zeros(len(surface.offset), bool)
    rows = np.flatnonzero(np.isfinite(surface.offset))
    ours[rows] = beyond_cut(surface.points[rows], place) <= _on_cut(scan)
    return ours


def _on_cut(scan: Scan) -> float:
    """Millimetres from the cut that count as on it in a scan."""
    return max(CUT_MM, CUT_VOXELS * float(np.mean(scan.spacing)))


def aligned_by(placement: Placement, alignment: Alignment) -> Alignment:
    """The alignment that a placement stands for: a turn, and the modes that come nearest its size.

    Parameters
    ----------
    placement : Placement
    alignment : Alignment
        What else was found of the head.
    """
    template = alignment.template
    rigid = placement_of(np.ones(3), placement.turn, placement.anchor).affine
    wanted = (template.points - ANCHOR) / placement.scales + ANCHOR - template.points
    few = thin(template.points, 6.0)
    modes = template.modes[:, few].reshape(len(template.modes), -1).astype(np.float64)
    # A millimetre of misfit at a vertex weighs as much as a standard deviation of a mode.
    shape = np.linalg.solve(modes @ modes.T + np.eye(len(modes)), modes @ wanted[few].ravel())
    return replace(alignment, affine=placement.affine, pose=rigid, shape=shape)


def beyond_cut(points: NDArray[np.float64], place: CutPlace) -> NDArray[np.float64]:
    """(N,) mm by which places lie within what the cut takes, 0 where it may end.

    Over the forehead the cut may be lifted or sunk, see `faceblind.protect.lift`.

    Parameters
    ----------
    points : (N, 3) ndarray
        Scan RAS+ mm.
    place : CutPlace
    """
    return _beyond(points, [place])[0][0]


def _beyond(
    points: NDArray[np.float64], cuts: Sequence[CutPlace]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`beyond_cut` (K, N) of K cuts, and by how much each must have been lifted for it."""
    each = (len(cuts), len(points))
    where, in_cut, on_face = (
        np.concatenate([apply_affine(affine, points) for affine in affines])
        for affines in zip(*((c.head.affine, c.affine, c.head.face) for c in cuts), strict=True)
    )
    inside = boundary_at(where, in_cut, on_face).reshape(each)
    share = free_share(in_cut[:, 2]).reshape(each)
    lifted = np.clip(inside, -share * SINK_MM, share * (LIFT_MM + ROUNDED_MM))
    return inside - lifted, lifted


def _find_cut(
    skin: Skin,
    surface: Surface,
    alignment: Alignment,
    usable: NDArray[np.bool_],
    tolerance: float,
    nods: Sequence[float],
) -> Known | None:
    """The head placed so that what is left of the face ends at the cut, if that can be."""
    points, area = surface.points[usable], surface.area[usable] / surface.area[usable].sum()
    few = points[thin(points, _STEP_MM)]
    everywhere = skin.points[~skin.edge][::7].astype(np.float64)
    start = exact_placement(alignment)
    best = 0.0

    # Both in one look-up: most of a fit's time is spent around it.
    asked = np.concatenate([few, everywhere[thin(everywhere, _SPARSE_MM)]])
    faces = len(few)

    def residual(cuts: Sequence[CutPlace]) -> NDArray[np.float64]:
        every, every_lift = _beyond(asked, cuts)
        beyond, lifted = every[:, :faces], every_lift[:, :faces]
        # Tissue in front of the cut excludes it; cavities behind it do not. A lift is possible at
        # any height, but less is likelier.
        at_face = np.where(beyond > 0, 2.0 * beyond, beyond) + UNLIKELY * lifted
        # Nowhere may the cut swallow skin.
        swallowed = np.maximum(every[:, faces:], 0.0)
        return np.concatenate([at_face, SWALLOWED * swallowed], axis=1)

    for nod in nods:
        first = np.zeros(len(_CUT_REACH))
        first[0] = nod
        place = _fitted(
            partial(_moved_cut, start), residual, first, _CUT_REACH, (4.0, 2.0, 1.0), _CUT_HELD
        )
        beyond = beyond_cut(points, place)
        follows = float(area[np.abs(beyond) <= tolerance].sum())
        if float(area[beyond > tolerance].sum()) > MOST_INSIDE:
            continue
        if (beyond > 2.0 * tolerance).mean() > MOST_FAR_INSIDE:
            continue
        inside = float((beyond_cut(everywhere, place) > tolerance).mean())
        if inside > MOST_SKIN_INSIDE:
            continue
        best = max(best, follows)
        if follows >= ENOUGH_CUT:
            ours = np.zeros(len(usable), bool)
            ours[usable] = beyond <= tolerance
            return Known(follows, 0.0, ours, place)
    return Known(best, 0.0, np.zeros(len(usable), bool)) if best else None


def _find_face(
    surface: Surface, alignment: Alignment, usable: NDArray[np.bool_], tolerance: float
) -> Known:
    ears = alignment.template.region("ears") & surface.seen & np.isfinite(surface.offset)
    rows = np.flatnonzero(usable | ears)
    points = surface.points[rows]
    # The face decides where the template lies; the ears are only judged by it.
    facial = points[usable[rows]]

    few = facial[thin(facial, _STEP_MM)]
    placement = _fitted(
        partial(_moved_head, exact_placement(alignment)),
        lambda placements: np.stack([outside_average(few, one)[0] for one in placements]),
        np.zeros(9), _FACE_REACH, (4.0 * tolerance, tolerance), _FACE_HELD,
    )  # fmt: skip
    away, alone = outside_average(points, placement)
    near = np.abs(away) <= np.where(usable[rows], tolerance, max(EAR_MM, tolerance))
    weight = surface.area[rows] * usable[rows] * alone
    ours = np.zeros(len(usable), bool)
    ours[rows] = near
    if weight.sum() < 0.5 * LEAST_AREA * surface.area[alignment.template.region(*FACE)].sum():
        return Known(0.0, 0.0, ours)
    return Known(0.0, float(weight[near].sum() / weight.sum()), ours)


def outside_average(
    points: NDArray[np.float64], placement: Placement
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How far places lie outside the average face as `faceblind.protect.reface` bends it.

    Parameters
    ----------
    points : (N, 3) ndarray
        Scan RAS+ mm.
    placement : Placement

    Returns
    -------
    away : (N,) float64 ndarray
        Millimetres (template).
    alone : (N,) bool ndarray
        Where the new face is the average one, neither its rim nor skin over a lifted cut.
    """
    tree, surface, normals = _average()
    where, moved = (apply_affine(to, points) for to in (placement.affine, placement.face))
    share = face_share(moved)
    where += share[:, None] * (moved - where)
    _, nearest = tree.query(where)
    away: NDArray[np.float64] = ((where - surface[nearest]) * normals[nearest]).sum(axis=1)
    away -= fuller(moved, share)
    return away, (share > OWN_SHARE) & (moved[:, 2] < OWN_BELOW_MM)


@lru_cache(maxsize=1)
def _average() -> tuple[cKDTree, NDArray[np.float64], NDArray[np.float64]]:
    template = load_template()
    points = template.points.astype(np.float64)
    return cKDTree(points), points, template.normals.astype(np.float64)


def _moved_head(start: Placement, step: NDArray[np.float64]) -> Placement:
    """A placement that differs by (9,) turns, shifts and sizes."""
    turn = Rotation.from_rotvec(step[:3]).as_matrix() @ start.turn
    anchor = start.anchor + start.turn.T @ step[3:6]
    return placement_of(start.scales * np.exp(step[6:9]), turn, anchor)


def _moved_cut(start: Placement, step: NDArray[np.float64]) -> CutPlace:
    """A cut in a head that differs by (9,), moved in it by a size, a nod and two shifts."""
    head = _moved_head(start, step[:9])
    size = float(np.exp(np.log(head.scales).mean() + step[9]))
    motion = np.array([0.0, step[11], step[12], np.degrees(step[10]), 0.0, 0.0])
    return CutPlace(head, moved_cut(hung(head.affine, size, head.turn), motion))


def _fitted(
    moved: Callable[[NDArray[np.float64]], Fitted],
    residual: Callable[[Sequence[Fitted]], NDArray[np.float64]],
    first: NDArray[np.float64],
    reach: NDArray[np.float64],
    scales: Sequence[float],
    held: float,
) -> Fitted:
    """What `moved` makes of the numbers, within `reach` of none, that make residuals (mm) smallest.

    About as many numbers as the protection has: they cannot bend the template into a person.
    `residual` gives (K, N) of K things: many at once cost little more than one. `held` weighs what
    is usual against the residuals.
    """
    count = len(first)
    usual = _USUAL[:count]

    def costs(steps: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
        unusual = steps - 1.0
        found = residual([moved(one * usual) for one in unusual]) / scale
        return np.concatenate([found, held * unusual], axis=1)

    def cost(step: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
        return costs(step[None], scale)[0]

    def slope(step: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
        part = _DIFFERENCE * np.eye(count)
        beside = costs(np.concatenate([step + part, step - part]), scale)
        return (beside[:count] - beside[count:]).T / (2.0 * _DIFFERENCE)

    # In usual amounts, counted from 1: a search that starts at 0 itself would begin with steps
    # of no size.
    step = 1.0 + first / usual
    bounds = (1.0 - reach / usual, 1.0 + reach / usual)
    for scale in scales:
        step = least_squares(
            cost, step, slope, bounds, loss="cauchy", max_nfev=12, args=(scale,)
        ).x  # fmt: skip
    return moved((step - 1.0) * usual)
