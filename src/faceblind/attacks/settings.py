"""The bounds from which a scan fails, passes or is doubted."""

from __future__ import annotations

from dataclasses import dataclass

from faceblind.head.presence import BOUNDS


@dataclass(frozen=True)
class AuditSettings:
    """Bounds of the verdict. All shares are 0 to 1.

    Parameters
    ----------
    fail_remaining : float
        Share of a recognisable face from which a scan fails: intact faces have 0.5 and more.
    pass_remaining : float
        Share below which it passes: what faceblind protects has 0.12 and less. Between the two
        nobody knows.
    worse : float
        By how much an attack must add to what lies open to be named.
    shown : float
        Share of a region that is worth naming.
    in_view, in_view_face : float
        Share of a region's skin from which no scan passes, and the same under our new face. Where
        the brain kept the brow's upper rim, our cuts show 0.32 of it and less; below a new face
        0.25 and less.
    in_view_cut : float
        The same for a cut that lies where the brain has the brow: one 8 mm too far forward showed
        0.47 of a brow.
    in_view_aside, in_view_face_aside : float
        The same where the protection lies more than `near_mm` from where the brain has the brow.
    in_view_unplaced : float
        The same for a cut of whose place the brain does not tell: 0.35 and less in twenty simulated
        heads with small brains. A new face has `in_view_face_aside` there.
    near_short_mm, most_short_mm : float
        How far too low and too far forward a protection may lie by the skin that it left before
        less skin may be in view, and before it is doubted. Ten simulated heads with small brains
        have 5.6 and less in place, and 12 mm too low 6.0 to 19 where less skin is in view than is
        doubted anyway. By the brain's outline two real scans and four simulated have 3.3 and less
        in place, and 12 mm too low the two real ones 7.6 to 13.
    near_mm, aside_mm : float
        Distance that tightens the bounds, and distance from which a protection is doubted: 10 mm
        and less in twenty heads that we protected, most of it the error of the brain's place
        (4 mm along each axis).
    aside_unchecked_mm : float
        The same where the edges of the skin do not tell whose it is: skin that follows a cut in the
        wrong place looks as if the scan had been resampled after protection.
    most_gap : float
        Share of the forehead with air below what faceblind put there from which that is doubted:
        0.20 and less in place, 0.27 and more 12 mm too far forward.
    most_second : float
        Share of the forehead with a second skin below a new face from which that is doubted.
    detected_views : int
        Views (of 81) with a detected face from which a scan without a face is doubted. Defaced
        heads, like clouds, look like a face from some angle: the authors' own defaced scan has 13.
    face_views : int
        Views from which a surface is a face: intact heads have 45 to 81, cut heads 42 and less.
    surely_none : float
        Share of a face in a quick look below which no second one is taken.
    finest_mm : float
        Voxel size to which finer scans are averaged before they are attacked.
    chance : float
        Chance of a first rank by accident from which it is a doubt, not a failure.
    clear_lead : float
        Lead over the second best, in spreads of all scores, from which a first rank is no accident.
    """

    fail_remaining: float = BOUNDS.none
    pass_remaining: float = 0.14
    worse: float = 0.1
    shown: float = 0.3
    in_view: float = 0.5
    in_view_face: float = 0.3
    in_view_cut: float = 0.4
    in_view_aside: float = 0.3
    in_view_face_aside: float = 0.25
    in_view_unplaced: float = 0.38
    near_short_mm: float = 2.5
    most_short_mm: float = 6.2
    near_mm: float = 4.0
    aside_mm: float = 11.0
    aside_unchecked_mm: float = 6.0
    most_gap: float = 0.25
    most_second: float = 0.33
    detected_views: int = 30
    face_views: int = 45
    surely_none: float = 0.08
    finest_mm: float = 1.0
    chance: float = 0.05
    clear_lead: float = 0.5

    def least_in_view(
        self, replaced: str, aside_mm: float, placed: bool = True, short_mm: float = 0.0
    ) -> float:
        """Share of a region's skin from which no scan passes.

        Parameters
        ----------
        replaced : {"", "cut", "face"}
            What faceblind itself put there.
        aside_mm : float
            How far it lies from where the brain has the brow.
        placed : bool
            Whether the brain tells that.
        short_mm : float
            How far the protection falls short by the skin that it left, where that was asked.
        """
        aside = aside_mm > self.near_mm
        if replaced == "face":
            return self.in_view_face_aside if aside or not placed else self.in_view_face
        if replaced and not placed:
            told = short_mm <= self.near_short_mm
            return self.in_view_unplaced if told else self.in_view_face_aside
        if replaced:
            return self.in_view_aside if aside else self.in_view_cut
        return self.in_view


SETTINGS = AuditSettings()
"""The settings of every audit."""
