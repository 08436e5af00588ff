"""Whether some groups of people are found more often than others.

Each trait (age band, sex, ...) is tested by a permutation test: if it does not matter, labels may
be dealt out to people at random. The statistic is the weighted spread of the groups' rates,
``sum over groups of n (rate - rate of all)²``; the p-value is the share of random deals with a
spread at least as large, the measured one included (Phipson and Smyth 2010, Stat Appl Genet Mol
Biol 9:39). Several traits are several chances of a false alarm, so p-values are corrected by Holm's
method (Holm 1979, Scand J Stat 6:65-70).

A group of fewer than `FEWEST_IN_GROUP` people is neither shown nor tested: its rate would say
little, and figures of few people may be about one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import FaceblindError
from faceblind.identification.intervals import Rate
from faceblind.identification.searches import FEWEST

FEWEST_IN_GROUP = FEWEST
"""People below whom a group is too small to say."""

PERMUTATIONS = 9999
"""Random deals of the labels: the least p-value is 1e-4, small enough for Holm over some traits."""

LEVEL = 0.05
"""Corrected p-values below are called a difference."""

AGE_BANDS = ((0, 18), (18, 40), (40, 60), (60, 75), (75, 131))
"""Years, upper end not included."""

_AT_A_TIME = 2_000_000
"""Numbers that are permuted at once: 16 MB."""


@dataclass(frozen=True)
class Group:
    """People who share a trait, and how many of them are found at rank 1.

    Parameters
    ----------
    label : str
        Such as ``"F"`` or ``"60-74"``.
    rate : Rate
        With its Wilson interval.
    """

    label: str
    rate: Rate


@dataclass(frozen=True)
class Trait:
    """The groups of one trait.

    Parameters
    ----------
    name : str
        Such as ``"sex"``.
    groups : tuple of Group
        Those of `FEWEST_IN_GROUP` people and more, by label.
    too_small : int
        People in smaller groups.
    unknown : int
        People of whom the trait is not known.
    p_value, corrected : float or None
        Of the permutation test, and after Holm's method; None with fewer than two groups.
    """

    name: str
    groups: tuple[Group, ...]
    too_small: int
    unknown: int
    p_value: float | None = None
    corrected: float | None = None

    @property
    def verdict(self) -> str:
        """``differs``, ``no difference shown`` or ``too few to say``."""
        if self.corrected is None:
            return "too few to say"
        return "differs" if self.corrected < LEVEL else "no difference shown"

    def as_dict(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        return {
            "trait": self.name,
            "verdict": self.verdict,
            "p_value": self.p_value,
            "p_holm": self.corrected,
            "groups": {group.label: group.rate.as_dict() for group in self.groups},
            "people_in_smaller_groups": self.too_small,
            "unknown": self.unknown,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Rows of `subgroups.tsv`."""
        return [
            {
                "trait": self.name,
                "group": group.label,
                **group.rate.as_dict(),
                "p_holm": self.corrected,
            }
            for group in self.groups
        ]


def compare_groups(
    found: ArrayLike, traits: Mapping[str, Sequence[str | None]], seed: int = 0
) -> tuple[Trait, ...]:
    """Rates by group, and tests of the traits with at least two groups that are large enough.

    Parameters
    ----------
    found : (N,) array_like
        Probability that each person is found at rank 1: 0 or 1 unless tied.
    traits : mapping of str to sequence of str or None
        For each trait the label of each person, None where it is not known.
    seed : int
        Of the permutations.

    Returns
    -------
    tuple of Trait
        In the order of `traits`, without those of which nothing is known.
    """
    hits = np.asarray(found, dtype=np.float64)
    known = {name: labels for name, labels in traits.items() if any(labels)}
    tested = [_trait(hits, name, labels, seed) for name, labels in known.items()]
    values = [trait.p_value for trait in tested if trait.p_value is not None]
    corrected = iter(holm(values))
    return tuple(
        trait if trait.p_value is None else replace(trait, corrected=next(corrected))
        for trait in tested
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: in rising order ``max over i <= j of (m - i) p_i``, at most 1.

    Parameters
    ----------
    p_values : sequence of float
        m of them.

    Returns
    -------
    list of float
        In the order given.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.minimum(np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))), 1.0)
    corrected = np.empty(len(p))
    corrected[order] = steps
    return [float(value) for value in corrected]


def permutation_test(found: NDArray[np.float64], group: NDArray[np.int64], seed: int = 0) -> float:
    """P-value of groups that differ by chance alone.

    Parameters
    ----------
    found : (N,) ndarray
        Outcome of each person.
    group : (N,) ndarray
        Number of each person's group, from 0.
    seed : int

    Returns
    -------
    float
        ``(1 + deals at least as far apart) / (1 + PERMUTATIONS)``.
    """
    rng = np.random.default_rng(seed)
    member = (group[:, None] == np.arange(group.max() + 1)).astype(np.float64)
    sizes = member.sum(axis=0)
    mean = found.mean()

    def spread(outcomes: NDArray[np.float64]) -> NDArray[np.float64]:
        apart: NDArray[np.float64] = (sizes * (outcomes @ member / sizes - mean) ** 2).sum(axis=-1)
        return apart

    # Sums of ties differ in the last digit with their order.
    least = float(spread(found)) - 1e-9
    beyond, left = 0, PERMUTATIONS
    while left:
        count = min(left, max(1, _AT_A_TIME // len(found)))
        dealt = rng.permuted(np.broadcast_to(found, (count, len(found))), axis=1)
        beyond += int((spread(dealt) >= least).sum())
        left -= count
    return (1 + beyond) / (1 + PERMUTATIONS)


def age_band(age: float | None) -> str | None:
    """Label of the band of an age in years, such as ``"40-59"``; None where it is not known."""
    if age is None:
        return None
    for low, high in AGE_BANDS:
        if low <= age < high:
            return f"{low}-{high - 1}" if high < AGE_BANDS[-1][1] else f"{low}+"
    raise FaceblindError(f"age: expected 0 to {AGE_BANDS[-1][1] - 1} years, got {age:g}")


def _trait(hits: NDArray[np.float64], name: str, labels: Sequence[str | None], seed: int) -> Trait:
    if len(labels) != len(hits):
        raise FaceblindError(f"{name}: expected {len(hits)} labels, got {len(labels)}")
    members = {
        label: np.array([i for i, own in enumerate(labels) if own == label])
        for label in sorted({label for label in labels if label})
    }
    large = {label: rows for label, rows in members.items() if len(rows) >= FEWEST_IN_GROUP}
    groups = tuple(
        Group(label, Rate.of(round(float(hits[rows].sum()), 9), len(rows)))
        for label, rows in large.items()
    )
    p_value = None
    if len(large) > 1:
        rows = np.concatenate(list(large.values()))
        group = np.repeat(np.arange(len(large)), [len(rows) for rows in large.values()])
        p_value = permutation_test(hits[rows], group, seed)
    in_groups = sum(len(rows) for rows in members.values())
    shown = sum(len(rows) for rows in large.values())
    return Trait(name, groups, in_groups - shown, len(labels) - in_groups, p_value)
