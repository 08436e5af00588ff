"""How the cut of one head is chosen, so that it spares the brain, or why none can be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.errors import ScanError
from faceblind.head.air_rise import rise_above_air
from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import (
    CHILD_COVER,
    cover_share,
    find_cover,
    head_size,
    template_fields,
)
from faceblind.head.brain_estimate import likely_brain, unseen_sides
from faceblind.head.brain_pose import BrainPose, find_brain_pose
from faceblind.head.dim_scalp import MOST_OUTSIDE
from faceblind.head.segmentation import find_head
from faceblind.head.skin import Skin
from faceblind.head.thin_cover import SideCover, side_cover
from faceblind.protect.boundary import inside_at
from faceblind.protect.brain_margin import (
    EARS_FRONT_MM,
    LIFTED_MM,
    before_orbits,
    spared,
    to_spare,
)
from faceblind.protect.cut_fit import CutFit, fit_cut
from faceblind.protect.cut_lift import lift_at
from faceblind.protect.placement import Placement
from faceblind.scan import Scan

ENTERED_MM = 0.5
"""Further than this inside the region no place may lie that may be brain, in a small head."""
FAR_MM = 1.0
"""How far the average brain, laid by the scan's own, must stay out of the usual cut of a head whose
cover looks thin: 0.5 to 7.3 mm in ten scans of real adults, 1 to 6 mm within it in children with an
adult's head size and a thin cover."""
LEAST_BROW, LEAST_BROW_SEEN = 0.85, 0.5
"""Share of a small head's brow, as far as it is seen, that must have skin: all of it in heads that
were found well, 0 to 0.64 where noise was taken for skin in T2*-weighted series; and share that
must be seen, because crania alone are found by 3 mm less well."""
LEAST_EYES = 0.53
"""Share of a small head's eyes and nose, as far as they are seen, that must have skin: 0.57 and
more in heads that were found well, 0.33 and 0.49 in T2*-weighted series found 8 and 6 mm too low.
"""
LEAST_CONFIDENCE = 0.7
"""Confidence that a small head needs: those found well had 0.78 and mostly 1, one that lost brain
0.55."""


SURELY_GROWN = 0.95
"""Template mm per scan mm up to which a head is larger than small children's, by their size alone:
half of all adults' are (0.88 to 1.01); the average child of 6 years has 1.02, and one in a hundred
of that age 0.95 (93 % of the adult circumference, standard deviation 3 %)."""
ALSO_FAR_MM = 2.5
"""How far a cut keeps from the average brain, laid by the scan's own, where a thin cover was read
in noise: as much as that place is uncertain (see `brain_pose.OFFSET_MM`)."""


def choose_cut(
    scan: Scan, skin: Skin, alignment: Alignment, placement: Placement, name: str
) -> CutFit:
    """Where the cut runs, so that it spares what may be brain.

    Small heads are taken for children's, and so are those of any size whose cover looks thin,
    unless the place of the brain itself says otherwise.

    Parameters
    ----------
    scan, skin, alignment, placement : Scan, Skin, Alignment, Placement
        As for `faceblind.protect.region.face_region`.
    name : str
        Field of `TemplateFields` that the cut is made from.

    Raises
    ------
    ScanError
        Where a small or thinly covered head does not tell how near its brain lies, or no cut
        spares it.
    """
    head = (scan, skin, alignment, placement, name)
    affine = placement.scan_to_template
    size = head_size(affine)
    thickness = cover_share(size)
    if thickness <= CHILD_COVER:
        return _sparing(*head, thickness)
    beside = side_cover(scan, skin, affine)
    if beside is not None and beside.is_thin:
        return _thinly_covered(*head, thickness, beside)
    if beside is not None and thickness < 1.0 and beside.is_surely_thick:
        return _as_grown(*head, thickness)
    usual = _sparing(*head, thickness)
    if beside is None or not beside.may_be_thin:
        return usual
    if thickness < 1.0:
        is_far = _brain_is_far(_brain(scan, alignment), placement, name, usual)
        return usual if is_far else _sparing(*head, CHILD_COVER)
    return _or_by_brain(*head, usual)


def _thinly_covered(
    scan: Scan,
    skin: Skin,
    alignment: Alignment,
    placement: Placement,
    name: str,
    thickness: float,
    beside: SideCover,
) -> CutFit:
    """The cut of a head whose cover looks thin: a child's, unless the brain's place rules it out.

    Where the profiles do not agree, noise and coil are evened out before the brain is asked.
    """
    head = (scan, skin, alignment, placement, name)
    usual = brain = None
    if thickness >= 1.0 and beside.shows_cortex:
        usual, brain = _sparing(*head, thickness), _brain(scan, alignment)
        if _brain_is_far(brain, placement, name, usual):
            return usual
    brain = None if beside.is_sure else brain or _brain(scan, alignment, evened=True)
    if brain is None:
        return _sparing(*head, CHILD_COVER)
    if usual is not None and _stays_out(brain, placement, name, usual, ALSO_FAR_MM):
        return usual
    if head_size(placement.scan_to_template) < SURELY_GROWN:
        return _sparing(*head, 1.0, brain.surface(ALSO_FAR_MM))
    return _sparing(*head, CHILD_COVER)


def _as_grown(
    scan: Scan,
    skin: Skin,
    alignment: Alignment,
    placement: Placement,
    name: str,
    thickness: float,
) -> CutFit:
    """The cut of a smallish head with a thick cover: an adult's, if it cannot be told as a child's.

    The brain must lie far from that, by the scan's own tissues.
    """
    head = (scan, skin, alignment, placement, name)
    try:
        return _sparing(*head, thickness)
    except ScanError:
        usual = _sparing(*head, 1.0)
        if _brain_is_far(_brain(scan, alignment), placement, name, usual):
            return usual
        raise


def _or_by_brain(
    scan: Scan,
    skin: Skin,
    alignment: Alignment,
    placement: Placement,
    name: str,
    usual: CutFit,
) -> CutFit:
    """The usual cut, or one that spares the average brain where the scan's own tissues have it.

    For a cover that may be a grown head's as well as a child's.
    """
    brain = _brain(scan, alignment)
    if brain is None or _brain_is_far(brain, placement, name, usual):
        return usual
    surface = brain.surface(ALSO_FAR_MM)
    return _sparing(scan, skin, alignment, placement, name, 1.0, surface)


def _brain(scan: Scan, alignment: Alignment, *, evened: bool = False) -> BrainPose | None:
    """Where the scan's own tissues have the brain; None where they do not tell.

    `evened` also looks once coil and noise were evened out.
    """
    with suppress(ScanError):
        found = find_brain_pose(alignment.scan_to_template, scan, find_head(scan))
        if found.is_sure:
            return found
    if not evened:
        return None
    with suppress(ScanError):
        flat = rise_above_air(scan).flat
        found = find_brain_pose(alignment.scan_to_template, flat, find_head(flat))
        if found.is_sure:
            return found
    return None


def _brain_is_far(brain: BrainPose | None, placement: Placement, name: str, fit: CutFit) -> bool:
    """Whether the average brain, where the scan's own tissues have it, stays out of a cut."""
    return brain is not None and _stays_out(brain, placement, name, fit, FAR_MM)


def _stays_out(
    brain: BrainPose, placement: Placement, name: str, fit: CutFit, least_mm: float
) -> bool:
    """Whether a brain keeps so far out of a cut."""
    surface = brain.surface()
    where = apply_affine(placement.scan_to_template, surface)
    average, cut = template_fields().at("brain", where), _inside(surface, placement, name, fit)
    return bool((spared(cut, average, where, fit.spared_mm) < -least_mm).all())


def _sparing(
    scan: Scan,
    skin: Skin,
    alignment: Alignment,
    placement: Placement,
    name: str,
    thickness: float,
    also: NDArray[np.float64] | None = None,
) -> CutFit:
    """The same where what lies over the brain is so thick, see `cover_share`.

    `also` are further places to spare, (N, 3) scan mm.
    """
    affine = placement.scan_to_template
    size, small = head_size(affine), thickness < 1.0
    cover = find_cover(scan, skin, affine, thickness)
    if small and not _is_clear(alignment):
        raise ScanError(
            f"{scan.source or 'scan'}: this small head, or its brow, is not seen clearly enough "
            "to tell how near the brain lies; protect it together with another scan of the same "
            "session"
        )
    if cover.outside_share > MOST_OUTSIDE:
        raise ScanError(
            f"{scan.source or 'scan'}: the scalp of this small head is too dark to tell how near "
            "to it the brain lies; protect it together with another scan of the same session"
        )
    likely = likely_brain(alignment, skin, size, thickness)
    lifting = None
    if small:
        lifting = likely = np.concatenate([likely, unseen_sides(skin, affine)])
    elif also is not None:
        lifting, likely = also, np.concatenate([likely, also])
    likely = likely[~before_orbits(apply_affine(affine, likely))]
    places = apply_affine(affine, likely)
    in_front = _in_front(lifting, affine)
    fit = fit_cut(cover, skin, name, placement, in_front, believes_cover=small)
    brain, cut = template_fields().at("brain", places), _inside(likely, placement, name, fit)
    fit = replace(fit, spared_mm=to_spare(cut, brain, places))
    if lifting is not None and bool((spared(cut, brain, places, fit.spared_mm) > ENTERED_MM).any()):
        raise ScanError(
            f"{scan.source or 'scan'}: no cut takes the face of this small head and surely spares "
            "its brain; protect it by hand"
        )
    return fit


def _in_front(
    places: NDArray[np.float64] | None, affine: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Those for which the cut is lifted; scan mm."""
    if places is None:
        return None
    _, forward, height = apply_affine(affine, places).T
    return places[(forward > EARS_FRONT_MM) & (height > LIFTED_MM)]


def _is_clear(alignment: Alignment) -> bool:
    """Whether a small head is found so well that its cut spares the brain."""
    seen, borne_out = alignment.seen["brow"], alignment.support["brow"]
    brow = seen >= LEAST_BROW_SEEN and borne_out >= LEAST_BROW * seen
    told = ("eyes", "nose")
    seen = sum(alignment.seen[name] for name in told)
    eyes = sum(alignment.support[name] for name in told) >= LEAST_EYES * seen
    return brow and eyes and alignment.confidence >= LEAST_CONFIDENCE


def _inside(
    points: NDArray[np.float64], placement: Placement, name: str, fit: CutFit
) -> NDArray[np.float32]:
    """(N,) millimetres inside the region, before more is spared; points are scan mm."""
    where, in_cut, on_face = (
        apply_affine(affine, points)
        for affine in (placement.scan_to_template, fit.scan_to_cut, placement.scan_to_face)
    )
    moved = template_fields().at(name, in_cut) - lift_at(in_cut, fit.lift_mm).astype(np.float32)
    return inside_at(moved, name, where, on_face)
