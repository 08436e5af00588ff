"""What the attacks found in one scan."""

from __future__ import annotations

from dataclasses import dataclass

from faceblind.attacks.brain import Brain
from faceblind.attacks.fills import Fill
from faceblind.attacks.metadata.texts import Finding
from faceblind.attacks.region_presence import RegionPresence, remaining_person_share
from faceblind.attacks.wrapped import Piece
from faceblind.identification.ranking import Link


@dataclass(frozen=True)
class Findings:
    """All that the attacks found in one scan.

    Parameters
    ----------
    regions : dict of str to RegionPresence
        Without what faceblind itself put there.
    remaining, remaining_under_fills, remaining_in_the_dark, remaining_in_later_volumes : float
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
    blur_mm, remaining_deblurred : float
        Width of a blur of the face, and the share of a face once it is undone.
    replaced_by_other : bool
        The face that shows looks like another tool's average, or is shared with other people.
    checked : bool
        False where faceblind's own protection was recognised, but not whether the person's skin
        shows beside it, see `faceblind.attacks.own_skin`.
    placed : bool
        False where faceblind's own protection was recognised, but the brain does not tell whether
        it lies where the face was.
    aside_mm : float
        How far faceblind's own protection lies from where the brain has the brow.
    short_mm : float
        How far too low and too far forward it lies by the brain's outline, or by the skin that it
        left where a brain is unlike its skull, see `faceblind.attacks.mislaid.short_mm`. NaN where
        neither tells.
    gap_share : float
        Share of the forehead with air between faceblind's new face and the head.
    second_skin : float
        Share of the forehead with a second skin below faceblind's new face.
    """

    regions: dict[str, RegionPresence]
    remaining: float
    remaining_under_fills: float
    remaining_in_the_dark: float
    remaining_in_later_volumes: float
    fills: tuple[Fill, ...]
    replaced: str
    detector_max: float
    detector_views: int
    pieces: tuple[Piece, ...]
    brain: Brain
    metadata: tuple[Finding, ...]
    links: tuple[Link, ...] = ()
    blur_mm: float = 0.0
    remaining_deblurred: float = 0.0
    replaced_by_other: bool = False
    checked: bool = True
    placed: bool = True
    aside_mm: float = 0.0
    short_mm: float = 0.0
    gap_share: float = 0.0
    second_skin: float = 0.0

    @property
    def face(self) -> float:
        """How much of a recognisable face any attack gets, 0 to 1."""
        hidden = (
            self.remaining_under_fills,
            self.remaining_in_the_dark,
            self.remaining_in_later_volumes,
            self.remaining_deblurred,
        )
        return max(self.remaining, *hidden)

    @property
    def score(self) -> float:
        """How much of a recognisable person any attack gets, face and ears, 0 to 1."""
        return remaining_person_share(self.face, self.regions)
