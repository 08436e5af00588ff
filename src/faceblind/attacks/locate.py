"""Find the head in a scan that may have lost its face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from faceblind.attacks.edge_sharpness import Edges, find_edges
from faceblind.attacks.faceless import Faceless
from faceblind.attacks.head_check import require_head
from faceblind.attacks.mislaid import apart_mm, aside_mm
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
from faceblind.head.alignment import CONFIDENT, Alignment, align
from faceblind.head.error_context import about, explained
from faceblind.head.fitting import SkinTargets
from faceblind.head.presence import BOUNDS
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.head.skin import Skin, find_skin
from faceblind.scan import Scan

USUAL_SHAPE = 1.3
"""Root mean square of the shape coefficients up to which a head is an ordinary one. Templates
bent onto a cut instead of a face reach 1.4 and more."""
MOST_MASKED = 0.5
"""Share of the scanner's edges below which a face may be a cut that looks like one, in the face as
a whole and in the brow: cuts of ours have 0.3 and less in both. Faces have 0.7 and more, but 0.15
to 0.4 where coil or field of view leave the lower face in noise; their brows have 0.8 and more.
An average of 27 scans of one man has 0.12 and 0.27."""
MISLAID_MM = 15.0
"""How far from where scalp and brain put the eyes and the nose a cut may be believed to lie: 10 mm
and less in heads that we cut; cuts that were fitted to the wrong place lay 17 to 60 mm off."""


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
    brain : Alignment or None
        Where a brain like the average one lies best, if faceblind protected the head. Unlike
        `inside`, it need not tell where the face is.
    aside_mm : float
        How far faceblind's own protection lies from where the brain has the brow, see `aside_mm`;
        0 where not known.
    outline : Alignment or None
        Where the brain's outline has a head that faceblind protected, if nothing else of the brain
        tells.
    unlike_skull : bool
        A brain shows, but is unlike its skull, so that it does not tell where the face is.
    other : LocatedHead or None
        A second explanation that shows more of a face: the template may have been bent onto a
        cut, or the person may only be unlike the average. A detector has to decide.
    scene : Scene or None
        The skin ready for rays.
    """

    skin: Skin
    alignment: Alignment
    surface: Surface
    regions: dict[str, RegionPresence]
    known: OwnProtection
    edges: Edges | None = None
    by_scalp: Alignment | None = None
    inside: Alignment | None = None
    brain: Alignment | None = None
    aside_mm: float = 0.0
    outline: Alignment | None = None
    unlike_skull: bool = False
    other: LocatedHead | None = None
    scene: Scene | None = field(default=None, repr=False, compare=False)

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
    with about(scan):
        targets = SkinTargets.of(skin, scan)
    whole = align(skin, scan, maybe_faceless=True, targets=targets)
    edges = find_edges(skin, native or scan, head, whole.scan_to_template)
    faceless = Faceless(skin, scan, head, targets)
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
    scalp, brain = faceless.by_scalp, faceless.by_brain
    return replace(
        found, edges=edges, by_scalp=scalp, inside=inside, brain=brain, aside_mm=aside,
        outline=faceless.by_outline, unlike_skull=faceless.is_unlike_skull,
    )  # fmt: skip


def _best(
    skin: Skin, whole: Alignment, edges: Edges | None, scan: Scan, faceless: Faceless
) -> LocatedHead:
    """The explanation that counts, from the fit that used the face."""
    scene = Scene(skin.points, skin.faces)
    candidates = [_explained_by(skin, scene, whole, scan)]
    if candidates[0].known.is_cut or candidates[0].known.is_face:
        return candidates[0]
    if candidates[0].remaining >= BOUNDS.none and _is_masked(candidates[0], edges):
        cut = _cut_like_a_face(candidates[0], scene, scan, faceless)
        if cut is not None:
            return cut
    odd = float(np.sqrt((whole.shape**2).mean())) > USUAL_SHAPE
    sure = whole.confidence >= CONFIDENT
    if odd or not sure or BOUNDS.none < candidates[0].remaining < BOUNDS.whole:
        other = faceless.by_scalp_alone
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
    if chosen.remaining >= BOUNDS.whole:
        return chosen
    return _by_brain(chosen, scene, scan, faceless, sure=sure)


def _where_the_head_wants_it(located: LocatedHead, scan: Scan, faceless: Faceless) -> LocatedHead:
    """The same if scalp and brain bear out where the cut lies; else what shows where they say.

    That may be our face: a template may have been bent so that its front seems cut.

    Where little of a face is in view, the cut fits in other places, too; and a scalp is too round
    to tell how far a head pitches.
    """
    start = faceless.by_brain
    if start is None or apart_mm(located.alignment, start) <= MISLAID_MM:
        return located
    scene = located.scene or Scene(located.skin.points, located.skin.faces)
    again = _explained_by(located.skin, scene, start, scan, whole=False, far=False)
    if again.known.is_cut and apart_mm(again.alignment, start) <= MISLAID_MM:
        return again
    face = _explained_by(located.skin, scene, start, scan, whole=True)
    if face.known.is_face and face.remaining >= BOUNDS.gone:
        return face
    if faceless.surely_by_brain is None:
        return located
    return replace(located_as(located.skin, start, scan, scene), inside=start)


def located_as(
    skin: Skin, alignment: Alignment, scan: Scan, scene: Scene | None = None
) -> LocatedHead:
    """A surface as an alignment explains it, without a protection of faceblind's.

    Parameters
    ----------
    skin, alignment, scan
        Of one head.
    scene : Scene, optional
        Of the same skin, where there is one already.
    """
    scene = scene or Scene(skin.points, skin.faces)
    surface = find_surface(skin, alignment, scan, scene)
    nothing = OwnProtection(0.0, 0.0, np.zeros(len(surface.offset), bool))
    regions = find_regions(surface, alignment.template)
    return LocatedHead(skin, alignment, surface, regions, nothing, scene=scene)


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
    located: LocatedHead, scene: Scene, scan: Scan, faceless: Faceless
) -> LocatedHead | None:
    """Our cut, if the template was bent onto it: sought from where scalp and brain lie."""
    for start in (faceless.by_scalp, faceless.by_brain):
        if start is not None:
            found = _explained_by(located.skin, scene, start, scan, (0.0, *PITCHES), whole=False)
            if found.known.is_cut:
                return found
    return None


def _by_brain(
    located: LocatedHead, scene: Scene, scan: Scan, faceless: Faceless, *, sure: bool
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
        whole = remaining_face_share(regions) >= BOUNDS.whole
    known = find_own_protection(skin, surface, found, scan, whole=whole, pitches=pitches, far=far)
    if known.place is not None:
        # The cut tells where the head lies far better than a scalp does.
        found = aligned_by(known.place.head, found)
        surface = find_surface(skin, found, scan, scene)
        regions = find_regions(surface, found.template)
        known = replace(known, ours=explained_by_cut(surface, known.place, scan))
    return LocatedHead(skin, found, surface, regions, known, scene=scene)
