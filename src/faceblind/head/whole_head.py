"""The head of a scan, as protection needs it: with confidence, and with its face."""

from __future__ import annotations

from dataclasses import dataclass

from faceblind.errors import AlignmentError, FaceblindError
from faceblind.head.alignment import CONFIDENT, Alignment, align
from faceblind.head.dim_face import find_dim_head
from faceblind.head.dim_scalp import refined_at_dim_scalp
from faceblind.head.error_context import about
from faceblind.head.plausibility import require_head
from faceblind.head.presence import faceless, find_presence
from faceblind.head.reference_volume import at_time, leaders
from faceblind.head.skin import Skin, find_skin
from faceblind.head.small_head import or_smaller
from faceblind.scan import Scan


@dataclass(frozen=True, repr=False)
class Head:
    """What is known of the head in a scan before it is protected.

    Parameters
    ----------
    skin : Skin
        In the scan's RAS+ mm.
    alignment : Alignment
        Of that skin.
    lead : int
        The volume of a series that both were found in.
    """

    skin: Skin
    alignment: Alignment
    lead: int = 0

    def __repr__(self) -> str:
        found = find_presence(self.alignment)
        return (
            f"Head(confidence {self.alignment.confidence:.2f}, {len(self.skin.points)} points of "
            f"skin, {found.share:.0%} of a face)"
        )


def find_whole_head(scan: Scan, *, strict: bool = True) -> Head:
    """Skin and alignment, or an error where the head is not found with confidence.

    Parameters
    ----------
    scan : Scan
    strict : bool
        False accepts an alignment of low confidence.

    Raises
    ------
    ScanError
        If there is no head, or its face was taken out before.
    AlignmentError
        If its place is uncertain.
    """
    first: FaceblindError | None = None
    for t in leaders(scan):
        try:
            return _head_of_volume(at_time(scan, t), t, strict)
        except FaceblindError as error:
            first = first or error
    assert first is not None
    raise first


def _head_of_volume(volume: Scan, lead: int, strict: bool) -> Head:
    try:
        return _plain_head(volume, lead, strict)
    except FaceblindError:
        dim = find_dim_head(volume)
        if dim is None:
            raise
        return Head(dim.skin, dim.alignment, lead)


def _plain_head(volume: Scan, lead: int, strict: bool) -> Head:
    """By levels and skin alone."""
    name = volume.source or "scan"
    skin = find_skin(volume)
    with about(volume):
        usual = refined_at_dim_scalp(volume, skin, align(skin, volume))
        skin, alignment = or_smaller(volume, skin, usual)
        if strict and alignment.confidence < CONFIDENT:
            raise uncertain(name, alignment.confidence)
        require_head(alignment, volume)
        if find_presence(alignment).is_gone:
            raise faceless(name)
    return Head(skin, alignment, lead)


def uncertain(name: str, confidence: float) -> AlignmentError:
    """The error for a head that was not found with confidence."""
    return AlignmentError(
        f"{name}: the head was not found with confidence ({confidence:.2f}, {CONFIDENT:g} needed): "
        "perhaps it is none, or something lies on it (pads, headphones); protect it together with "
        "another scan of the same session"
    )
