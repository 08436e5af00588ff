"""Find the head in a scan that may have lost its face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from faceblind.attacks.known_cut import NODS, explained_by_cut
from faceblind.attacks.no_head import heads_only
from faceblind.attacks.presence import Region, face_left, find_regions, person_left
from faceblind.attacks.replaced import Known, aligned_by, find_known
from faceblind.attacks.surface import Surface, find_surface
from faceblind.errors import AlignmentError, FaceblindError
from faceblind.face.raycast import Scene
from faceblind.head.align import CONFIDENT, Alignment, align, align_by_scalp
from faceblind.head.inside import nodded
from faceblind.head.refusal import explained
from faceblind.head.skin import HeadMask, Skin, find_skin
from faceblind.scan import Scan

USUAL_SHAPE = 1.3
"""Root mean square of the shape coefficients up to which a head is an ordinary one. Templates
bent onto a cut instead of a face reach 1.4 and more."""
WHOLE_FACE = 0.75
"""Share of a face from which the fit that used the face is not doubted."""
NO_FACE = 0.25
"""Share of a face below which the head was found without it anyway."""
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
    other : Sight or None
        A second explanation that shows more of a face: the template may have been bent onto a
        cut, or the person may only be unlike the average. A detector has to decide.
    """

    skin: Skin
    alignment: Alignment
    surface: Surface
    regions: dict[str, Region]
    known: Known
    other: Sight | None = None

    @property
    def left(self) -> float:
        """Share of a recognisable face, 0 to 1."""
        return face_left(self.regions)


@heads_only
def see(scan: Scan, head: HeadMask | None = None) -> Sight:
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

    Raises
    ------
    ScanError
        If no head stands out from the air.
    AlignmentError
        If neither way finds the head with confidence, or it is no head.
    """
    skin = find_skin(scan, head)
    whole = align(skin, scan, maybe_faceless=True)
    scene = Scene(skin.points, skin.faces)
    sights = [_sight(skin, scene, whole, scan)]
    if sights[0].known.is_cut or sights[0].known.is_face:
        return sights[0]
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
    skin: Skin, scene: Scene, found: Alignment, scan: Scan, nods: Sequence[float] = (0.0,)
) -> Sight:
    surface = find_surface(skin, found, scan, scene)
    regions = find_regions(surface, found.template)
    whole = face_left(regions) >= WHOLE_FACE
    known = find_known(skin, surface, found, scan, whole=whole, nods=nods)
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
