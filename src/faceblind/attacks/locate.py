"""Find the head in a scan that may have lost its face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from nibabel.affines import apply_affine

from faceblind.attacks.edge_sharpness import Edges, find_edges
from faceblind.attacks.head_check import require_head
from faceblind.attacks.own_protection.cut import PITCHES, explained_by_cut
from faceblind.attacks.own_protection.find import OwnProtection, aligned_by, find_own_protection
from faceblind.attacks.region_presence import (
    RegionPresence,
    find_regions,
    remaining_face_share,
    remaining_person_share,
)
from faceblind.attacks.surface import FACE, Surface, find_surface
from faceblind.errors import AlignmentError, FaceblindError
from faceblind.geometry.raycast import Scene
from faceblind.head.alignment import CONFIDENT, Alignment, align, align_by_scalp
from faceblind.head.brain_pose import BrainPose, find_brain_pose
from faceblind.head.error_context import explained
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.head.skin import Skin, find_skin
from faceblind.protect.placement import nearest_placement
from faceblind.scan import Scan

USUAL_SHAPE = 1.3
"""Root mean square of the shape coefficients up to which a head is an ordinary one. Templates
bent onto a cut instead of a face reach 1.4 and more."""
WHOLE_FACE = 0.75
"""Share of a face from which the fit that used the face is not doubted."""
NO_FACE = 0.25
"""Share of a face below which the head was found without it anyway."""
MOST_MASKED = 0.5
"""Share of the scanner's edges below which a face may be a cut that looks like one, in the face as
a whole and in the brow: cuts of ours have 0.3 and less in both. Faces have 0.7 and more, but 0.15
to 0.4 where coil or field of view leave the lower face in noise; their brows have 0.8 and more."""
MISLAID_MM = 15.0
"""How far from where scalp and brain put the eyes and the nose a cut may be believed to lie: 10 mm
and less in heads that we cut; cuts that were fitted to the wrong place lay 17 to 60 mm off."""
BROW_MM = np.array([0.0, 95.0, 25.0])
"""Template mm at which the place of a cut or a new face is compared with the brain's."""
USUAL_CUT_MM, USUAL_FACE_MM = np.array([0.0, -0.5, -3.0]), np.array([0.0, -1.5, 1.0])
"""Where they usually lie there, template mm from the brain's: the means of sixteen and of eight
heads that we protected."""
LEAST_SCALP = 0.8
"""Share of the scalp in view that must have skin for a fit by scalp alone to be believed."""


@dataclass(frozen=True)
class LocatedHead:
    """A scan's surface as one alignment explains it.

    Parameters
    ----------
    skin : Skin
    alignment : Alignment
    surface : Surface
    regions : dict of str to RegionPresence
        As measured; `known` is not taken off.
    known : OwnProtection
        What faceblind itself put there.
    edges : Edges or None
        Which of the skin the scanner saw, where that can be told.
    by_scalp : Alignment or None
        By scalp, ears and neck alone, if faceblind protected it.
    inside : Alignment or None
        Where the brain has the head, if faceblind protected it, be it in the wrong place.
    aside_mm : float
        How far faceblind's own protection lies from where the brain has the brow, see `aside_mm`;
        0 where not known.
    other : LocatedHead or None
        A second explanation that shows more of a face: the template may have been bent onto a
        cut, or the person may only be unlike the average. A detector has to decide.
    """

    skin: Skin
    alignment: Alignment
    surface: Surface
    regions: dict[str, RegionPresence]
    known: OwnProtection
    edges: Edges | None = None
    by_scalp: Alignment | None = None
    inside: Alignment | None = None
    aside_mm: float = 0.0
    other: LocatedHead | None = None

    @property
    def remaining(self) -> float:
        """Share of a recognisable face, 0 to 1."""
        return remaining_face_share(self.regions)


def locate_head(
    scan: Scan, head: HeadMask | None = None, native: Scan | None = None
) -> LocatedHead:
    """The best explanation of a scan's surface.

    A template can be bent onto a cut so well that the cut passes for a face. Where the fit is odd
    or the face is not whole, the head is found a second time by scalp and ears alone, and what
    faceblind's own protection explains is preferred. Heads without a whole face pitch, so that they
    are turned to fit what is inside them, too, and what shows more of a person counts.

    Parameters
    ----------
    scan : Scan
    head : HeadMask, optional
        Of the same scan, where it is known already.
    native : Scan, optional
        The same at its own voxel size, if `scan` was averaged to coarser voxels.

    Raises
    ------
    ScanError
        If no head stands out from the air.
    AlignmentError
        If neither way finds the head with confidence, or it is no head.
    """
    head = head or find_head(scan)
    skin = find_skin(scan, head)
    whole = align(skin, scan, maybe_faceless=True)
    edges = find_edges(skin, native or scan, head, whole.scan_to_template)
    faceless = _Faceless(skin, scan, head)
    found = _best(skin, whole, edges, scan, faceless)
    if found.known.is_cut:
        found = _where_the_head_wants_it(found, scan, faceless)
    ours = found.known.is_cut or found.known.is_face
    if not ours or (found.alignment.confidence < CONFIDENT and not faceless.surely_by_brain):
        # A brain is looked for where the scalp has it: an average brain moved freely fits a rind,
        # and so does a cut.
        place = faceless.before_brain(found.alignment) if not ours else faceless.by_scalp
        require_head(place or found.alignment, found.remaining, scan, head)
    if not ours:
        return replace(found, edges=edges)
    inside = faceless.surely_by_brain
    aside = 0.0 if inside is None else aside_mm(found.known, inside)
    scalp = faceless.by_scalp
    return replace(found, edges=edges, by_scalp=scalp, inside=inside, aside_mm=aside)


@dataclass(frozen=True)
class _Faceless:
    """A head as it is found without its face, looked for once and only if asked."""

    skin: Skin
    scan: Scan
    head: HeadMask

    @cached_property
    def by_scalp(self) -> Alignment | None:
        """By scalp, ears and neck."""
        return align_by_scalp(self.skin, self.scan)

    @cached_property
    def _pose(self) -> BrainPose | None:
        if self.by_scalp is None:
            return None
        return find_brain_pose(self.by_scalp.scan_to_template, self.scan, self.head)

    @cached_property
    def by_brain(self) -> Alignment | None:
        """By its brain, a place worth a try; None where the brain tells nothing."""
        if self.by_scalp is None or self._pose is None or not self._pose.is_likely:
            return None
        return aligned_by(nearest_placement(self._pose.scan_to_template), self.by_scalp)

    @property
    def surely_by_brain(self) -> Alignment | None:
        """The same where it is to be believed."""
        found = self.by_brain
        return found if self._pose is not None and self._pose.is_sure else None

    def before_brain(self, found: Alignment) -> Alignment:
        """By the scalp, if an alignment is the brain's; else the same."""
        known = self.__dict__.get("by_brain")
        return self.by_scalp if known is found and self.by_scalp is not None else found


def _best(
    skin: Skin, whole: Alignment, edges: Edges | None, scan: Scan, faceless: _Faceless
) -> LocatedHead:
    """The explanation that counts, from the fit that used the face."""
    scene = Scene(skin.points, skin.faces)
    candidates = [_explained_by(skin, scene, whole, scan)]
    if candidates[0].known.is_cut or candidates[0].known.is_face:
        return candidates[0]
    if candidates[0].remaining >= NO_FACE and _is_masked(candidates[0], edges):
        cut = _cut_like_a_face(candidates[0], scene, scan, faceless)
        if cut is not None:
            return cut
    odd = float(np.sqrt((whole.shape**2).mean())) > USUAL_SHAPE
    sure = whole.confidence >= CONFIDENT
    if odd or not sure or NO_FACE < candidates[0].remaining < WHOLE_FACE:
        other = _by_scalp(faceless)
        if other is not None:
            candidates.append(_explained_by(skin, scene, other, scan))
        elif not sure:
            raise _unsure(scan, whole)
    if candidates[-1].known.is_cut or candidates[-1].known.is_face:
        return candidates[-1]
    if len(candidates) == 2 and (odd or not sure):
        more = candidates[0] if candidates[0].remaining > candidates[1].remaining else None
        chosen = replace(candidates[1], other=more)
    else:
        chosen = candidates[0]
    if chosen.remaining >= WHOLE_FACE:
        return chosen
    return _by_brain(chosen, scene, scan, faceless, sure=sure)


def _where_the_head_wants_it(located: LocatedHead, scan: Scan, faceless: _Faceless) -> LocatedHead:
    """The same if scalp and brain bear out where the cut lies; else what shows where they say.

    Where little of a face is in view, the cut fits in other places, too; and a scalp is too round
    to tell how far a head pitches.
    """
    start = faceless.by_brain
    if start is None or _apart_mm(located.alignment, start) <= MISLAID_MM:
        return located
    scene = Scene(located.skin.points, located.skin.faces)
    again = _explained_by(located.skin, scene, start, scan, whole=False, far=False)
    if again.known.is_cut and _apart_mm(again.alignment, start) <= MISLAID_MM:
        return again
    if faceless.surely_by_brain is None:
        return located
    surface = find_surface(located.skin, start, scan, scene)
    nothing = OwnProtection(0.0, 0.0, np.zeros(len(surface.offset), bool))
    regions = find_regions(surface, start.template)
    return LocatedHead(located.skin, start, surface, regions, nothing, inside=start)


def _apart_mm(one: Alignment, other: Alignment) -> float:
    """Distance between where two alignments of a scan have the middle of the face."""
    template = one.template
    middle = template.points[template.region("eyes", "nose")].mean(axis=0).astype(np.float64)
    here, there = (apply_affine(np.linalg.inv(a.scan_to_template), middle) for a in (one, other))
    return float(np.linalg.norm(here - there))


def aside_mm(known: OwnProtection, inside: Alignment) -> float:
    """How far our cut or our face lies from where the brain has the brow, mm.

    Forwards and upwards only: to the sides, the scalp tells better.

    Parameters
    ----------
    known : OwnProtection
        Which tells the place of what faceblind put there.
    inside : Alignment
        Of the same scan, by its brain.
    """
    if known.place is not None:
        from_scan, usual = known.place.scan_to_cut, USUAL_CUT_MM
    elif known.face_at is not None:
        from_scan, usual = known.face_at.scan_to_face, USUAL_FACE_MM
    else:
        return 0.0
    there = apply_affine(inside.scan_to_template @ np.linalg.inv(from_scan), BROW_MM)
    return float(np.linalg.norm((there - BROW_MM - usual)[1:]))


def _is_masked(located: LocatedHead, edges: Edges | None) -> bool:
    """Whether what looks like a face ends as a mask does."""
    surface, template = located.surface, located.alignment.template
    if edges is None or surface.vertex is None:
        return False
    on_skin = surface.seen & (surface.vertex >= 0)
    natural = on_skin & edges.natural[np.maximum(surface.vertex, 0)]
    for here in (template.region(*FACE), template.region("brow")):
        seen = float(surface.area[here & on_skin].sum())
        if seen and surface.area[here & natural].sum() >= MOST_MASKED * seen:
            return False
    return True


def _cut_like_a_face(
    located: LocatedHead, scene: Scene, scan: Scan, faceless: _Faceless
) -> LocatedHead | None:
    """Our cut, if the template was bent onto it: sought from where scalp and brain lie."""
    for start in (faceless.by_scalp, faceless.by_brain):
        if start is not None:
            found = _explained_by(located.skin, scene, start, scan, (0.0, *PITCHES), whole=False)
            if found.known.is_cut:
                return found
    return None


def _by_brain(
    located: LocatedHead, scene: Scene, scan: Scan, faceless: _Faceless, *, sure: bool
) -> LocatedHead:
    """The same or, if it shows our cut or more of a person, what shows where the brain lies.

    A scalp alone is too round to tell how far a head is pitched.
    """
    found = faceless.by_brain
    if found is None:
        turned = _explained_by(located.skin, scene, located.alignment, scan, PITCHES)
        if turned.known.is_cut:
            return turned
        if sure:
            return located
        require_head(located.alignment, located.remaining, scan, faceless.head)
        raise _unsure(scan, located.alignment)
    turned = _explained_by(located.skin, scene, found, scan)
    if turned.known.is_cut or turned.known.is_face:
        return turned
    if _shown(turned.regions) <= _shown(located.regions):
        return located
    return replace(turned, other=located.other)


def _shown(regions: dict[str, RegionPresence]) -> float:
    return remaining_person_share(remaining_face_share(regions), regions)


def _unsure(scan: Scan, found: Alignment) -> FaceblindError:
    return explained(
        AlignmentError(
            "no head was found with enough confidence "
            f"({found.confidence:.2f} of {CONFIDENT:.2f}); look at the scan"
        ),
        scan,
    )


def _explained_by(
    skin: Skin,
    scene: Scene,
    found: Alignment,
    scan: Scan,
    pitches: Sequence[float] = (0.0,),
    *,
    whole: bool | None = None,
    far: bool = True,
) -> LocatedHead:
    """What the surface is by one alignment.

    `whole` overrules whether a whole face shows; `far` allows for an alignment that is far off.
    """
    surface = find_surface(skin, found, scan, scene)
    regions = find_regions(surface, found.template)
    if whole is None:
        whole = remaining_face_share(regions) >= WHOLE_FACE
    known = find_own_protection(skin, surface, found, scan, whole=whole, pitches=pitches, far=far)
    if known.place is not None:
        # The cut tells where the head lies far better than a scalp does.
        found = aligned_by(known.place.head, found)
        surface = find_surface(skin, found, scan, scene)
        regions = find_regions(surface, found.template)
        known = replace(known, ours=explained_by_cut(surface, known.place, scan))
    return LocatedHead(skin, found, surface, regions, known)


def _by_scalp(faceless: _Faceless) -> Alignment | None:
    """The head found without its face; None where the scalp does not bear it out."""
    found = faceless.by_scalp
    if found is None:
        return None
    seen = max(found.seen["scalp"], 1e-6)
    return found if found.support["scalp"] / seen >= LEAST_SCALP else None
