"""A thing that is no head gets no verdict about a face."""

from __future__ import annotations

from faceblind.head.alignment import CONFIDENT, Alignment
from faceblind.head.plausibility import CLOSE_FIT_MM, is_head, no_head
from faceblind.head.presence import BOUNDS
from faceblind.head.segmentation import HeadMask
from faceblind.scan import Scan


def require_head(found: Alignment, remaining_face_share: float, scan: Scan, head: HeadMask) -> None:
    """Refuse what is no head.

    Parameters
    ----------
    found : Alignment
        Of the head that was found.
    remaining_face_share : float
        Share of a recognisable face that shows.
    scan : Scan
    head : HeadMask
        Of `scan`.

    Raises
    ------
    AlignmentError
        If nothing in it resembles a brain, and no whole face shows that fits closely.
    """
    whole = remaining_face_share >= BOUNDS.whole and found.residual_mm <= CLOSE_FIT_MM
    if not (whole and found.confidence >= CONFIDENT) and not is_head(found, scan, head):
        raise no_head(scan.source or "scan")
