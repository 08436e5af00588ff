"""Figures and names as words."""

from __future__ import annotations

import re

from faceblind.identification.intervals import Rate

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]+")


def clean(text: str) -> str:
    r"""A text that any page can hold, also where a file's name is no text.

    Control characters, and marks that turn the direction of writing, become spaces; bytes of
    names that are not UTF-8 become escapes.

    Examples
    --------
    >>> clean("a\x00b\udc80")
    'a b\\udc80'
    """
    return _CONTROL.sub(" ", text).encode("utf-8", "backslashreplace").decode("utf-8")


def percent(share: float) -> str:
    """A share in whole percent; one that is not 0 or 1 is never written so.

    Examples
    --------
    >>> [percent(share) for share in (0, 0.002, 0.833, 0.999, 1)]
    ['0 %', 'under 1 %', '83 %', 'over 99 %', '100 %']
    """
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 < share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def interval(rate: Rate) -> str:
    """The ends of an interval in whole percent.

    Examples
    --------
    >>> interval(Rate.of(70, 84))
    '74–90 %'
    """
    return f"{100 * rate.low:.0f}–{100 * rate.high:.0f} %"


def count(hits: float) -> str:
    """Hits as a number, with decimals only where ties were shared out."""
    return f"{round(hits, 2):g}"


def counted(rate: Rate, things: str) -> str:
    """A rate as it stands in a sentence.

    Examples
    --------
    >>> counted(Rate.of(70, 84), "scans")
    '70 of 84 scans (83 %, 95 % interval 74–90 %)'
    """
    ends = f"{percent(rate.rate)}, 95 % interval {interval(rate)}"
    return f"{count(rate.hits)} of {rate.n} {things} ({ends})"
