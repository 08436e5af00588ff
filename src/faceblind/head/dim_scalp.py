"""Skin and head of one scan as protection needs them: where a scalp is dim, looked for again."""

from __future__ import annotations

from collections.abc import Callable

from faceblind.head.alignment import CONFIDENT, Alignment, align
from faceblind.head.brain_cover import ADULT_SIZE, find_cover, head_size
from faceblind.head.segmentation import DIM_FRACTION, find_head
from faceblind.head.skin import Skin, find_skin
from faceblind.scan import Scan

MOST_OUTSIDE = 0.04
"""Share of a small head's upper scalp that may lie outside the skin that was found: 0.01 at most in
heads that were found well, a third and more where fluid outshines a thin scalp."""


def refined_at_dim_scalp(
    scan: Scan,
    skin: Skin,
    alignment: Alignment,
    find: Callable[[Skin, Scan], Alignment | None] = align,
) -> tuple[Skin, Alignment]:
    """The skin and where the head is, better where that is needed.

    In small heads of which much lies outside the skin that was found, it is found once more at a
    lower level.

    Parameters
    ----------
    scan, skin, alignment : Scan, Skin, Alignment
        As `faceblind.head.skin.find_skin` and `faceblind.head.alignment.align` found them.
    find : callable, optional
        What finds the head in the new skin; where it gives None, nothing changes.

    Raises
    ------
    ScanError, AlignmentError
        If there is no head at the lower level.
    """
    if alignment.confidence < CONFIDENT or not has_dim_scalp(scan, skin, alignment):
        return skin, alignment
    lower = find_skin(scan, find_head(scan, DIM_FRACTION))
    found = find(lower, scan)
    return (skin, alignment) if found is None else (lower, found)


def has_dim_scalp(scan: Scan, skin: Skin, alignment: Alignment) -> bool:
    """Whether much of a small head's scalp lies outside the skin that was found.

    Parameters
    ----------
    scan, skin, alignment : Scan, Skin, Alignment
        Of one head.
    """
    if head_size(alignment.scan_to_template) <= ADULT_SIZE:
        return False
    return find_cover(scan, skin, alignment.scan_to_template).outside_share > MOST_OUTSIDE
