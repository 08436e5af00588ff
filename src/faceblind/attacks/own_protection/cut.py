"""faceblind's own cut, recognised in a head without the original.

It is a surface of the average head, placed by a few numbers, and public knowledge: tissue that
follows it says nothing about the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.own_protection.fit import STEP_MM, fitted, moved_head
from faceblind.attacks.surface import Surface
from faceblind.geometry.points import thin
from faceblind.geometry.transforms import applied
from faceblind.head.alignment import Alignment
from faceblind.head.skin import Skin
from faceblind.protect.boundary import boundary_at
from faceblind.protect.cut_fit import moved_cut
from faceblind.protect.cut_lift import LIFT_MM, SINK_MM, free_share
from faceblind.protect.placement import Placement, exact_placement, hung
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
ROUNDED_MM = 1.0
"""A lift by this much more than `faceblind.protect.cut_lift.LIFT_MM` is believed: the cut is mapped
on a grid of 2 mm."""
UNLIKELY = 0.1
"""What a millimetre of lift weighs against one beyond the cut, where the cut is fitted."""
SWALLOWED = 6.0
"""What a millimetre of the head's skin within the cut weighs against a millimetre of the face."""
PITCHES = (-0.2, 0.2)
"""Radians by which a head without its face may be pitched, where nothing tells by how much."""
_SPARSE_MM = 20.0
_REACH = np.array([0.5, 0.15, 0.15, 30.0, 30.0, 30.0, 0.12, 0.12, 0.12, 0.06, 0.2, 8.0, 8.0])
"""Turn in radians, shift in mm and size by which the head may have been misplaced; the cut's size,
pitch, and shifts forward and up within the head."""
_NEAR_REACH = np.array([0.2, 0.15, 0.15, 15.0, 15.0, 15.0, *_REACH[6:]])
"""The same where scalp and brain say where the head lies."""
_HELD = 0.3
"""What a usual amount weighs against a residual of one scale."""


@dataclass(frozen=True)
class CutPlace:
    """Where our cut lies in a head, or a stack of such places.

    Parameters
    ----------
    head : Placement
        Of the head.
    scan_to_cut : (..., 4, 4) float64 ndarray
        Scan RAS+ mm to template mm of the cut, as `faceblind.protect.cut_fit.CutFit.affine`.
    """

    head: Placement
    scan_to_cut: NDArray[np.float64]


def find_cut(
    skin: Skin,
    surface: Surface,
    alignment: Alignment,
    usable: NDArray[np.bool_],
    scan: Scan,
    pitches: Sequence[float] = (0.0,),
    *,
    far: bool = True,
) -> tuple[float, CutPlace | None]:
    """The cut placed so that what is left of the face ends at it, if that can be.

    Parameters
    ----------
    skin : Skin
    surface : Surface
        Of `skin`, measured with `alignment`.
    alignment : Alignment
    usable : (P,) bool ndarray
        Vertices of the face that have a surface.
    scan : Scan
        Gives the voxel size.
    pitches : sequence of float
        Turns in radians, chin up, from which the cut is sought; the first that finds it counts.
    far : bool
        The alignment may be far off, as that of a scalp alone.

    Returns
    -------
    follows : float
        Share of the face's surface that follows the cut, 0 where tissue lies within what it takes.
    place : CutPlace or None
        Where the cut lies; None where too little follows it.
    """
    tolerance = on_cut_mm(scan)
    points, area = surface.points[usable], surface.area[usable] / surface.area[usable].sum()
    few = points[thin(points, STEP_MM)]
    everywhere = skin.points[~skin.edge][::7].astype(np.float64)
    start = exact_placement(alignment)
    best = 0.0
    reach = _REACH if far else np.minimum(_REACH, _NEAR_REACH)

    # Both in one look-up: most of a fit's time is spent around it.
    asked = np.concatenate([few, everywhere[thin(everywhere, _SPARSE_MM)]])
    faces = len(few)

    def residual(cuts: CutPlace) -> NDArray[np.float64]:
        every, every_lift = _beyond(asked, cuts)
        beyond, lifted = every[:, :faces], every_lift[:, :faces]
        # Tissue in front of the cut excludes it; cavities behind it do not. A lift is possible at
        # any height, but less is likelier.
        at_face = np.where(beyond > 0, 2.0 * beyond, beyond) + UNLIKELY * lifted
        # Nowhere may the cut swallow skin.
        swallowed = np.maximum(every[:, faces:], 0.0)
        return np.concatenate([at_face, SWALLOWED * swallowed], axis=1)

    for pitch in pitches:
        first = np.zeros(len(_REACH))
        first[0] = pitch
        place = fitted(partial(_moved_cut, start), residual, first, reach, (4.0, 2.0, 1.0), _HELD)
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
            return follows, place
    return best, None


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
    ours[rows] = beyond_cut(surface.points[rows], place) <= on_cut_mm(scan)
    return ours


def on_cut_mm(scan: Scan) -> float:
    """Millimetres from the cut that count as on it in a scan."""
    return max(CUT_MM, CUT_VOXELS * float(np.mean(scan.spacing)))


def beyond_cut(points: NDArray[np.float64], place: CutPlace) -> NDArray[np.float64]:
    """(N,) mm by which places lie within what the cut takes, 0 where it may end.

    Over the forehead the cut may be lifted or sunk, see `faceblind.protect.cut_lift`.

    Parameters
    ----------
    points : (N, 3) ndarray
        Scan RAS+ mm.
    place : CutPlace
    """
    return _beyond(points, place)[0]


def _beyond(
    points: NDArray[np.float64], cuts: CutPlace
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`beyond_cut` (..., N) of a stack of cuts, and the lift that each needs for it."""
    where, in_cut, on_face = (
        applied(affines, points)
        for affines in (cuts.head.scan_to_template, cuts.scan_to_cut, cuts.head.scan_to_face)
    )
    each = where.shape[:-1]
    flat = (places.reshape(-1, 3) for places in (where, in_cut, on_face))
    inside = boundary_at(*flat).reshape(each)
    share = free_share(in_cut[..., 2])
    lifted = np.clip(inside, -share * SINK_MM, share * (LIFT_MM + ROUNDED_MM))
    return inside - lifted, lifted


def _moved_cut(start: Placement, step: NDArray[np.float64]) -> CutPlace:
    """Cuts in a head that differs by (..., 9), moved in it by a size, a pitch and two shifts."""
    head = moved_head(start, step[..., :9])
    size = np.exp(np.log(head.scales).mean(axis=-1) + step[..., 9])
    motion = np.zeros((*step.shape[:-1], 6))
    motion[..., 1:3] = step[..., 11:13]
    motion[..., 3] = np.degrees(step[..., 10])
    return CutPlace(head, moved_cut(hung(head.scan_to_template, size, head.turn), motion))
