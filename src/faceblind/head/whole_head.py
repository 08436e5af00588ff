"""The head of a scan, as protection needs it: with confidence, and with its face."""

from __future__ import annotations

from dataclasses import dataclass

from faceblind.errors import AlignmentError
from faceblind.head.alignment import CONFIDENT, Alignment
from faceblind.head.error_context import about, explained
from faceblind.head.own_head import OwnHead, find_own_head, or_dim
from faceblind.head.plausibility import require_head
from faceblind.head.presence import faceless, find_presence
from faceblind.head.skin import Skin
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
    return head_of(or_dim(find_own_head(scan)), strict=strict)


def head_of(own: OwnHead, *, strict: bool = True) -> Head:
    """What a series says by itself, as a head that can be cut.

    Parameters
    ----------
    own : OwnHead
    strict : bool
        False accepts an alignment of low confidence.

    Raises
    ------
    ScanError, AlignmentError
        As `find_whole_head`.
    """
    name = own.scan.source or "scan"
    if own.skin is None or own.alignment is None:
        raise own.error or uncertain(name, 0.0)
    if own.error is not None:
        raise own.error
    if not own.is_confident:
        if strict:
            raise explained(uncertain(name, own.alignment.confidence), own.scan)
        with about(own.scan):
            require_head(own.alignment, own.scan)
    if find_presence(own.alignment).is_gone:
        raise explained(faceless(name), own.scan)
    return Head(own.skin, own.alignment, own.lead)


def uncertain(name: str, confidence: float) -> AlignmentError:
    """The error for a head that was not found with confidence."""
    return AlignmentError(
        f"{name}: the head was not found with confidence ({confidence:.2f}, {CONFIDENT:g} needed): "
        "perhaps it is none, or something lies on it (pads, headphones); protect it together with "
        "another scan of the same session"
    )
