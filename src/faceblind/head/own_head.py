"""What one series says of its head by itself: by levels, else by a dim face.

Levels find a head that stands out of the air, in well under a second; a lower one finds skin that
is much darker than the brain, as in T2*-weighted series. The search for a dim face
(`faceblind.head.dim_face`) costs several seconds; it is made only where levels do not show a head
with a face.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from faceblind.errors import FaceblindError
from faceblind.head.alignment import CONFIDENT, Alignment, align
from faceblind.head.dim_face import find_dim_head
from faceblind.head.dim_scalp import refined_at_dim_scalp
from faceblind.head.error_context import explained
from faceblind.head.plausibility import require_head
from faceblind.head.presence import BOUNDS, find_presence
from faceblind.head.reference_volume import at_time, leaders
from faceblind.head.salt_and_pepper import with_dark_air
from faceblind.head.segmentation import DIM_FRACTION, find_head
from faceblind.head.skin import Skin, find_skin
from faceblind.head.small_head import or_smaller
from faceblind.scan import Scan

LEAST_FACE = 0.6
"""Share of a face that must show at the lower level. Intact T2*-weighted faces of children and
adults have 0.63 and more there; templates in the wrong place had 0.38 and less."""


@dataclass(frozen=True)
class OwnHead:
    """What one volume says of its head.

    Parameters
    ----------
    scan : Scan
        The volume; with dark air, where its own is salt and pepper.
    skin : Skin or None
        In the scan's RAS+ mm; None where none was found.
    alignment : Alignment or None
        Of that skin, however sure; None where none was found.
    error : FaceblindError or None
        Why there is no alignment, or why it is not believed.
    lead : int
        The volume of a series.
    """

    scan: Scan
    skin: Skin | None = None
    alignment: Alignment | None = None
    error: FaceblindError | None = None
    lead: int = 0

    @property
    def is_confident(self) -> bool:
        """Whether the alignment is confident."""
        return self.alignment is not None and self.alignment.confidence >= CONFIDENT

    @property
    def is_trusted(self) -> bool:
        """Whether it shows a head with a face, and where."""
        return (
            self.error is None
            and self.is_confident
            and self.alignment is not None
            and not find_presence(self.alignment).is_gone
        )


def find_own_head(scan: Scan, *, any_size: bool = True) -> OwnHead:
    """The head in the first leading volume that shows one with a face by levels, else in the first.

    Parameters
    ----------
    scan : Scan
        Of a series, every volume that may lead is tried, see
        `faceblind.head.reference_volume.leaders`.
    any_size : bool
        Whether small heads and their dim scalps are looked for again, as a cut needs it.
    """
    first: OwnHead | None = None
    for t in leaders(scan):
        found = _or_lower(_by_levels(with_dark_air(at_time(scan, t)), any_size), any_size)
        if found.is_trusted:
            return replace(found, lead=t)
        first = first or replace(found, lead=t)
    assert first is not None
    return first


def or_dim(own: OwnHead) -> OwnHead:
    """What levels found or, where that is not trusted, a dim face in the same volume.

    Parameters
    ----------
    own : OwnHead
        As `find_own_head` gives it; it is given back where no dim face is found.
    """
    dim = None if own.is_trusted else find_dim_head(own.scan)
    return own if dim is None else OwnHead(own.scan, dim.skin, dim.alignment, None, own.lead)


def _or_lower(own: OwnHead, any_size: bool) -> OwnHead:
    """What levels found or, where that shows no whole face, what a lower level shows more of."""
    share = 0.0
    if own.is_trusted and own.alignment is not None:
        share = find_presence(own.alignment).share
    if share >= BOUNDS.whole:
        return own
    lower = _by_levels(own.scan, any_size, lower=True)
    if not lower.is_trusted or lower.alignment is None:
        return own
    shown = find_presence(lower.alignment).share
    return lower if shown >= LEAST_FACE and shown > share else own


def _by_levels(volume: Scan, any_size: bool, *, lower: bool = False) -> OwnHead:
    skin: Skin | None = None
    alignment: Alignment | None = None
    try:
        skin = find_skin(volume, find_head(volume, DIM_FRACTION)) if lower else find_skin(volume)
        alignment = align(skin, volume)
        if any_size:
            usual = refined_at_dim_scalp(volume, skin, alignment)
            skin, alignment = or_smaller(volume, skin, usual)
        if alignment.confidence >= CONFIDENT:
            require_head(alignment, volume)
    except FaceblindError as error:
        return OwnHead(volume, skin, alignment, explained(error, volume))
    return OwnHead(volume, skin, alignment)
