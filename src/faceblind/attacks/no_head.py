"""A thing that is no head gets no verdict about a face."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeVar

from faceblind.head.air import HeadMask, find_head
from faceblind.head.align import CONFIDENT, Alignment
from faceblind.head.is_head import CLOSE_FIT_MM, is_head, no_head
from faceblind.scan import Scan

WHOLE_FACE = 0.75
"""Share of a face that shows by itself that a thing is a head."""


class Seen(Protocol):
    """What is asked of a look at a scan; see `faceblind.attacks.see.Sight`."""

    @property
    def alignment(self) -> Alignment:
        """Of the head that was found."""

    @property
    def left(self) -> float:
        """Share of a recognisable face."""


Look = TypeVar("Look", bound=Seen)


def heads_only(look: Callable[[Scan, HeadMask], Look]) -> Callable[..., Look]:
    """A look that raises AlignmentError where what it saw is no head.

    Parameters
    ----------
    look : callable
        Of a scan and its head mask.
    """

    @wraps(look)
    def checked(scan: Scan, head: HeadMask | None = None) -> Look:
        head = head or find_head(scan)
        sight = look(scan, head)
        found = sight.alignment
        whole = sight.left >= WHOLE_FACE and found.residual_mm <= CLOSE_FIT_MM
        if not (whole and found.confidence >= CONFIDENT) and not is_head(found, scan, head):
            raise no_head(scan.source or "scan")
        return sight

    return checked
