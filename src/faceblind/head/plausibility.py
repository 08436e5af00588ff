"""Heads and what is none: phantoms, fruit, other parts of a body, skulls without skin."""

from __future__ import annotations

from functools import partial

from faceblind.errors import AlignmentError
from faceblind.head.alignment import CONFIDENT, Alignment
from faceblind.head.brain_evidence import (
    CLEAR_PITCH,
    CLEAR_WHOLE,
    LEAST_DEEP,
    LEAST_WHOLE,
    SURE_WHOLE,
    brain_in_view,
    brain_share,
)
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.scan import Scan

LEAST_ANY = 0.02
"""Share below which there is surely no brain: smooth and noisy phantoms had 0.007 and less."""
CLOSE_FIT_MM = 1.4
"""Median distance between skin and template up to which a whole face speaks for itself: real ones
had 0.9 to 1.3, a smooth ellipsoid of a head's size 1.7."""


def is_head(alignment: Alignment, scan: Scan, head: HeadMask | None = None) -> bool:
    """Whether what was aligned has a brain, as far as one is in view.

    Parameters
    ----------
    alignment : Alignment
    scan : Scan
    head : HeadMask, optional
        Of the same scan, where it is known already.
    """
    if not brain_in_view(alignment.scan_to_template, scan):
        return True
    look = partial(brain_share, alignment.scan_to_template, scan, head or find_head(scan))
    if look(enough=LEAST_WHOLE)[0] < LEAST_WHOLE:
        return False
    if alignment.confidence >= CONFIDENT or look(deep=True, enough=LEAST_DEEP)[0] >= LEAST_DEEP:
        return True
    share, step = look()
    clear = share >= CLEAR_WHOLE and abs(step[0]) <= CLEAR_PITCH
    return bool(clear or share >= SURE_WHOLE)


def require_head(alignment: Alignment, scan: Scan) -> None:
    """Refuse what a template fits loosely and what has nothing of a brain in it.

    Other contrasts (angiography, tracers) may show little of a brain; they are left alone.

    Parameters
    ----------
    alignment : Alignment
        Found with confidence.
    scan : Scan

    Raises
    ------
    AlignmentError
    """
    if alignment.residual_mm <= CLOSE_FIT_MM or not brain_in_view(alignment.scan_to_template, scan):
        return
    if (
        brain_share(alignment.scan_to_template, scan, find_head(scan), enough=LEAST_ANY)[0]
        < LEAST_ANY
    ):
        raise no_head(scan.source or "scan")


def no_head(name: str) -> AlignmentError:
    """The error for a thing that is no head.

    Parameters
    ----------
    name : str
        The scan's.
    """
    return AlignmentError(
        f"{name}: no head was found: what stands out has a head's size, but nothing in it looks "
        "like a brain; give a scan of a head"
    )
