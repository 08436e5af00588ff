"""A thing that is no head gets no verdict about a face."""

from __future__ import annotations

from faceblind.head.alignment import CONFIDENT, Alignment
from faceblind.head.plausibility import CLOSE_FIT_MM, is_head, no_head
from faceblind.head.segmentation import HeadMask
from faceblind.scan import Scan

WHOLE_FACE = 0.75
"""Share of a face that shows by itself that a thing is a head."""


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
    whole = remaining_face_share >= WHOLE_FACE and found.residual_mm <= CLOSE_FIT_MM
    if not (whole and found.confidence >= CONFIDENT) and not is_head(found, scan, head):
        raise no_head(scan.source or "scan")
