"""What the attacks found in one scan."""

from __future__ import annotations

from dataclasses import dataclass

from faceblind.attacks.brain import Brain
from faceblind.attacks.fills import Fill
from faceblind.attacks.metadata.texts import Finding
from faceblind.attacks.region_presence import Region, person_left
from faceblind.attacks.wrapped import Piece
from faceblind.identification.ranking import Link


@dataclass(frozen=True)
class Findings:
    """All that the attacks found in one scan.

    Parameters
    ----------
    regions : dict of str to Region
        Without what faceblind itself put there.
    left, peeled_left, raised_left, later_left : float
        Share of a recognisable face: as it is; under fills; in the dark; in later volumes.
    fills : tuple of Fill
    replaced : str
        ``"cut"`` or ``"face"`` where faceblind's own protection was recognised, else empty.
    detector_max : float
    detector_views : int
        Views of 81 in which a detector finds a face.
    pieces : tuple of Piece
    brain : Brain
    metadata : tuple of Finding
    links : tuple of Link
    blur_mm, sharp_left : float
        Width of a blur of the face, and the share of a face once it is undone.
    foreign : bool
        The face that shows looks like another tool's average, or is shared with other people.
    checked : bool
        False where faceblind's own protection was recognised, but not whether the person's skin
        shows beside it, see `faceblind.attacks.own_skin`.
    aside_mm : float
        How far faceblind's own protection lies from where the brain has the brow.
    """

    regions: dict[str, Region]
    left: float
    peeled_left: float
    raised_left: float
    later_left: float
    fills: tuple[Fill, ...]
    replaced: str
    detector_max: float
    detector_views: int
    pieces: tuple[Piece, ...]
    brain: Brain
    metadata: tuple[Finding, ...]
    links: tuple[Link, ...] = ()
    blur_mm: float = 0.0
    sharp_left: float = 0.0
    foreign: bool = False
    checked: bool = True
    aside_mm: float = 0.0

    @property
    def face(self) -> float:
        """How much of a recognisable face any attack gets, 0 to 1."""
        hidden = (self.peeled_left, self.raised_left, self.later_left, self.sharp_left)
        return max(self.left, *hidden)

    @property
    def score(self) -> float:
        """How much of a recognisable person any attack gets, face and ears, 0 to 1."""
        return person_left(self.face, self.regions)
