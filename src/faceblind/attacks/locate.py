"""Find the head in a scan that may have lost its face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from nibabel.affines import apply_affine

from faceblind.attacks.edge_sharpness import Edges, find_edges
from faceblind.attacks.head_check import require_head
from faceblind.attacks.own_protection.cut import NODS, explained_by_cut
from faceblind.attacks.own_protection.find import Known, aligned_by, find_known
from faceblind.attacks.region_presence import Region, face_left, find_regions, person_left
from faceblind.attacks.surface import FACE, Surface, find_surface
from faceblind.errors import AlignmentError, FaceblindError
from faceblind.geometry.raycast import Scene
from faceblind.head.alignment import CONFIDENT, Alignment, align, align_by_scalp
from faceblind.head.error_context import explained
from faceblind.head.pitch import nodded
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.head.skin import Skin, find_skin
from faceblind.scan import Scan

USUAL_SHAPE = 1.3
"""Root mean square of the shape coefficients up to which a head is an ordinary one. Templates
bent onto a cut instead of a face reach 1.4 and more."""
WHOLE_FACE = 0.75
"""Share of a face from which the fit that used the face is not doubted."""
NO_FACE = 0.25
"""Share of a face below which the head was found without it anyway."""
MOST_MASKED = 0.5
"""Share of a face's surface with the scanner's edges below which it may be a cut that looks like a
face: people's faces and new ones have 0.8 and more, cuts of ours 0.3 and less."""
MISLAID_MM = 20.0
"""How far from where scalp and brain put the eyes and the nose a cut may be believed to lie: 14 mm
and less in heads that we cut; cuts that were fitted to the wrong place lay 37 to 60 mm off."""
LEAST_SCALP = 0.8
"""Share of the scalp in view that must have skin for a fit by scalp alone to be believed."""


@dataclass(frozen=True)
class Sight:
    """A scan's surface as one alignment explains it.

    Parameters
    ----------
    skin : Skin
    alignment : Alignment
    surface : Surface
    regions : dict of str to Region
        As measured; `known` is not taken off.
    known : Known
        What faceblind itself put there.
    edges : Edges or None
        Which of the skin the scanner saw, where that can be told.
    aside_mm : float
        How far our new face lies from where scalp and brain have the face; 0 where not known.
    other : Sight or None
        A second explanation that shows more of a face: the template may have been bent onto a
        cut, or the person may only be unlike the average. A detector has to decide.
    """

    skin: Skin
    alignment: Alignment
    surface: Surface
    regions: dict[str, Region]
    known: Known
    edges: Edges | None = None
    aside_mm: float = 0.0
    other: Sight | None = None

    @property
    def left(self) -> float:
        """Share of a recognisable face, 0 to 1."""
        return face_left(self.regions)


def see(scan: Scan, head: HeadMask | None = None, native: Scan | None = None) -> Sight:
    """The best explanation of a scan's surface.

    A template can be bent onto a cut so well that the cut passes for a face. Where the fit is odd
    or the face is not whole, the head is found a second time by scalp and ears alone, and what
    faceblind's own protection explains is preferred. Heads without a whole face nod, so that they
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
    edges = find_edges(skin, native or scan, head, whole.affine)
    found = _best(skin, whole, edges, scan)
    if found.known.is_cut:
        found = _where_the_head_wants_it(found, scan)
    elif found.known.is_face:
        inside = _by_inside(skin, scan)
        if inside is not None:
            found = replace(found, aside_mm=_apart_mm(found.alignment, inside))
    if not (found.known.is_cut or found.known.is_face):
        require_head(found.alignment, found.left, scan, head)
    return replace(found, edges=edges)


def _best(skin: Skin, whole: Alignment, edges: Edges | None, scan: Scan) -> Sight:
    """The explanation that counts, from the fit that used the face."""
    scene = Scene(skin.points, skin.faces)
    sights = [_sight(skin, scene, whole, scan)]
    if sights[0].known.is_cut or sights[0].known.is_face:
        return sights[0]
    if sights[0].left >= NO_FACE and _is_masked(sights[0], edges):
        cut = _cut_like_a_face(sights[0], scene, scan)
        if cut is not None:
            return cut
    odd = float(np.sqrt((whole.shape**2).mean())) > USUAL_SHAPE
    sure = whole.confidence >= CONFIDENT
    if odd or not sure or NO_FACE < sights[0].left < WHOLE_FACE:
        other = _by_scalp(skin, scan)
        if other is not None:
            sights.append(_sight(skin, scene, other, scan))
        elif not sure:
            raise _unsure(scan, whole)
    if sights[-1].known.is_cut or sights[-1].known.is_face:
        return sights[-1]
    if len(sights) == 2 and (odd or not sure):
        more = sights[0] if sights[0].left > sights[1].left else None
        chosen = replace(sights[1], other=more)
    else:
        chosen = sights[0]
    if chosen.left >= WHOLE_FACE:
        return chosen
    return _with_nod(chosen, scene, scan, sure=sure)


def _where_the_head_wants_it(sight: Sight, scan: Scan) -> Sight:
    """The same if scalp and brain bear out where the cut lies; else what shows where they say.

    Where little of a face is in view, the cut fits in other places, too; and a scalp is too round
    to tell how far a head nods.
    """
    start = _by_inside(sight.skin, scan)
    if start is None or _apart_mm(sight.alignment, start) <= MISLAID_MM:
        return sight
    scene = Scene(sight.skin.points, sight.skin.faces)
    again = _sight(sight.skin, scene, start, scan, whole=False, far=False)
    if again.known.is_cut and _apart_mm(again.alignment, start) <= MISLAID_MM:
        return again
    surface = find_surface(sight.skin, start, scan, scene)
    nothing = Known(0.0, 0.0, np.zeros(len(surface.offset), bool))
    return Sight(sight.skin, start, surface, find_regions(surface, start.template), nothing)


def _by_inside(skin: Skin, scan: Scan) -> Alignment | None:
    """The head by its scalp, turned to fit its brain; None where either tells nothing."""
    scalp = align_by_scalp(skin, scan)
    return None if scalp is None else nodded(scalp, scan)


def _apart_mm(one: Alignment, other: Alignment) -> float:
    """Distance between where two alignments of a scan have the middle of the face."""
    template = one.template
    middle = template.points[template.region("eyes", "nose")].mean(axis=0).astype(np.float64)
    here, there = (apply_affine(np.linalg.inv(a.affine), middle) for a in (one, other))
    return float(np.linalg.norm(here - there))


def _is_masked(sight: Sight, edges: Edges | None) -> bool:
    """Whether what looks like a face ends as a mask does."""
    surface = sight.surface
    if edges is None or surface.vertex is None:
        return False
    face = sight.alignment.template.region(*FACE) & surface.seen & (surface.vertex >= 0)
    natural = face & edges.natural[np.maximum(surface.vertex, 0)]
    return bool(surface.area[natural].sum() < MOST_MASKED * surface.area[face].sum())


def _cut_like_a_face(sight: Sight, scene: Scene, scan: Scan) -> Sight | None:
    """Our cut, if the template was bent onto it: sought from where the scalp and the inside lie."""
    starts = [align_by_scalp(sight.skin, scan)]
    if starts[0] is not None:
        starts.append(nodded(starts[0], scan))
    for start in starts:
        if start is not None:
            found = _sight(sight.skin, scene, start, scan, (0.0, *NODS), whole=False)
            if found.known.is_cut:
                return found
    return None


def _with_nod(sight: Sight, scene: Scene, scan: Scan, *, sure: bool) -> Sight:
    """The same or, if it shows our cut or more of a person, what shows where the inside lies.

    A scalp alone is too round to tell how far a head nods.
    """
    found = nodded(sight.alignment, scan)
    if found is None:
        turned = _sight(sight.skin, scene, sight.alignment, scan, NODS)
        if turned.known.is_cut:
            return turned
        if sure:
            return sight
        raise _unsure(scan, sight.alignment)
    turned = _sight(sight.skin, scene, found, scan)
    if turned.known.is_cut or turned.known.is_face:
        return turned
    if _shown(turned.regions) <= _shown(sight.regions):
        return sight
    return replace(turned, other=sight.other)


def _shown(regions: dict[str, Region]) -> float:
    return person_left(face_left(regions), regions)


def _unsure(scan: Scan, found: Alignment) -> FaceblindError:
    return explained(
        AlignmentError(
            "no head was found with enough confidence "
            f"({found.confidence:.2f} of {CONFIDENT:.2f}); look at the scan"
        ),
        scan,
    )


def _sight(
    skin: Skin,
    scene: Scene,
    found: Alignment,
    scan: Scan,
    nods: Sequence[float] = (0.0,),
    *,
    whole: bool | None = None,
    far: bool = True,
) -> Sight:
    """What the surface is by one alignment.

    `whole` overrules whether a whole face shows; `far` allows for an alignment that is far off.
    """
    surface = find_surface(skin, found, scan, scene)
    regions = find_regions(surface, found.template)
    if whole is None:
        whole = face_left(regions) >= WHOLE_FACE
    known = find_known(skin, surface, found, scan, whole=whole, nods=nods, far=far)
    if known.place is not None:
        # The cut tells where the head lies far better than a scalp does.
        found = aligned_by(known.place.head, found)
        surface = find_surface(skin, found, scan, scene)
        regions = find_regions(surface, found.template)
        known = replace(known, ours=explained_by_cut(surface, known.place, scan))
    return Sight(skin, found, surface, regions, known)


def _by_scalp(skin: Skin, scan: Scan) -> Alignment | None:
    """The head found without its face; None where the scalp does not bear it out."""
    found = align_by_scalp(skin, scan)
    if found is None:
        return None
    seen = max(found.seen["scalp"], 1e-6)
    return found if found.support["scalp"] / seen >= LEAST_SCALP else None
