"""Attack 4: is what shows the person's, or what faceblind itself puts there?

faceblind's own protection is public knowledge: its cut is a surface of the average head, and its
new face is the average one, both placed by a few numbers. Tissue that follows either of them says
nothing about the person, and is recognised here without the original. Another tool's average face
is not known, so that a face which is not ours counts as somebody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.own_protection.cut import CutPlace, explained_by_cut, find_cut
from faceblind.attacks.own_protection.face import ENOUGH_FACE, find_face
from faceblind.attacks.surface import FACE, Surface
from faceblind.geometry.points import thin
from faceblind.head.alignment import Alignment
from faceblind.head.skin import Skin
from faceblind.protect.placement import ANCHOR, Placement, placement_of
from faceblind.scan import Scan

LEAST_AREA = 0.1
"""Share of the face that must have a surface for anything to be said."""


@dataclass(frozen=True)
class OwnProtection:
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
    face_at : Placement or None
        Where the average face lies best, if a whole face shows.
    """

    cut: float
    face: float
    ours: NDArray[np.bool_]
    place: CutPlace | None = None
    face_at: Placement | None = None

    @property
    def is_cut(self) -> bool:
        """The face was removed along our cut."""
        return self.place is not None

    @property
    def is_face(self) -> bool:
        """The face is our average face."""
        return self.face >= ENOUGH_FACE and not self.is_cut


def find_own_protection(
    skin: Skin,
    surface: Surface,
    alignment: Alignment,
    scan: Scan,
    *,
    whole: bool,
    pitches: Sequence[float] = (0.0,),
    far: bool = True,
) -> OwnProtection:
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
    pitches : sequence of float
        Turns in radians, chin up, from which the cut is sought; the first that finds it counts.
    far : bool
        The alignment may be far off, as that of a scalp alone.
    """
    face = alignment.template.region(*FACE)
    usable = face & surface.seen & np.isfinite(surface.offset)
    nothing = OwnProtection(0.0, 0.0, np.zeros(len(face), bool))
    if surface.area[usable].sum() < LEAST_AREA * surface.area[face].sum():
        return nothing
    if whole:
        share, ours, placement = find_face(surface, alignment, usable, scan)
        return OwnProtection(0.0, share, ours, face_at=placement)
    follows, place = find_cut(skin, surface, alignment, usable, scan, pitches, far=far)
    if place is None:
        return replace(nothing, cut=follows)
    return OwnProtection(follows, 0.0, explained_by_cut(surface, place, scan), place)


def aligned_by(placement: Placement, alignment: Alignment) -> Alignment:
    """The alignment that a placement stands for: a turn, and the modes that come nearest its size.

    Parameters
    ----------
    placement : Placement
    alignment : Alignment
        What else was found of the head.
    """
    template = alignment.template
    rigid = placement_of(np.ones(3), placement.turn, placement.anchor).scan_to_template
    wanted = (template.points - ANCHOR) / placement.scales + ANCHOR - template.points
    few = thin(template.points, 6.0)
    modes = template.modes[:, few].reshape(len(template.modes), -1).astype(np.float64)
    # A millimetre of misfit at a vertex weighs as much as a standard deviation of a mode.
    shape = np.linalg.solve(modes @ modes.T + np.eye(len(modes)), modes @ wanted[few].ravel())
    return replace(
        alignment,
        scan_to_template=placement.scan_to_template,
        scan_to_template_rigid=rigid,
        shape=shape,
    )
