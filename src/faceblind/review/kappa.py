"""How well two raters agree beyond chance: Cohen's kappa."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Agreement:
    """Agreement of two raters on the same items.

    Parameters
    ----------
    items : int
        How many both rated.
    observed : float
        Share of items with equal ratings, 0 to 1; NaN without items.
    kappa : float
        1 for full agreement, 0 for chance, below 0 for less than chance. NaN where chance alone
        gives full agreement (both raters gave one and the same rating throughout).
    low, high : float
        Its interval at 95 %; NaN where `kappa` is, and where the ratings show no spread to
        estimate it from.
    """

    items: int
    observed: float
    kappa: float
    low: float
    high: float


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> Agreement:
    """Cohen's kappa of two raters, unweighted.

    The interval is the large-sample one of Fleiss, Cohen and Everitt (Psychological Bulletin 72,
    1969, 323-327), cut at -1 and 1.

    Parameters
    ----------
    first, second : sequence of hashable
        Ratings of the same items in the same order.

    Returns
    -------
    Agreement

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    pairs = list(zip(first, second, strict=True))
    n = len(pairs)
    if n == 0:
        return Agreement(0, math.nan, math.nan, math.nan, math.nan)
    labels = list(dict.fromkeys([*first, *second]))
    p = {(a, b): pairs.count((a, b)) / n for a, b in set(pairs)}
    row = {label: list(first).count(label) / n for label in labels}
    column = {label: list(second).count(label) / n for label in labels}
    observed = sum(p.get((label, label), 0.0) for label in labels)
    chance = sum(row[label] * column[label] for label in labels)
    if chance >= 1.0:
        return Agreement(n, observed, math.nan, math.nan, math.nan)
    kappa = (observed - chance) / (1 - chance)
    same = sum(
        p.get((label, label), 0.0) * (1 - (row[label] + column[label]) * (1 - kappa)) ** 2
        for label in labels
    )
    other = (1 - kappa) ** 2 * sum(
        share * (column[a] + row[b]) ** 2 for (a, b), share in p.items() if a != b
    )
    spread = same + other - (kappa - chance * (1 - kappa)) ** 2
    half = _NORMAL_95 * math.sqrt(max(spread, 0.0) / n) / (1 - chance)
    if half == 0.0:
        return Agreement(n, observed, kappa, math.nan, math.nan)
    return Agreement(n, observed, kappa, max(-1.0, kappa - half), min(1.0, kappa + half))
