"""What an experiment says of smaller galleries (exactly) and of larger ones (by two models)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.identification import extreme_values, metrics, pitman_yor, subgallery
from faceblind.identification.intervals import Rate, wilson_interval
from faceblind.identification.pitman_yor import PitmanYor
from faceblind.identification.searches import FEWEST, Searches

RANKS = (1, 5, 10)
"""Lengths of the candidate list in the table of sub-galleries."""

POPULATIONS = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8)
"""Gallery sizes that the models are asked for: a hospital's archive to a large country."""

REPEATS = (40, 200)
"""Fewest and most bootstrap samples of persons: 5 samples beyond each end of a 95 % interval, or 1
in large studies, whose samples take long and differ little."""

MOST_SCORES = 50_000_000
"""Scores that all samples together hold: about two seconds of work."""


@dataclass(frozen=True)
class SubGallery:
    """Expected rates over all sub-galleries of one size.

    Parameters
    ----------
    size : int
        Persons, the mate among them.
    rates : tuple of Rate
        For each of `RANKS`, with Wilson's interval for the number of persons.
    """

    size: int
    rates: tuple[Rate, ...]


@dataclass(frozen=True)
class Estimate:
    """A model's answer.

    Parameters
    ----------
    rate, low, high : float
        Rank-1 identification rate and its 95 % interval, in [0, 1].
    """

    rate: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Rounded to six digits."""
        return {key: round(getattr(self, key), 6) for key in ("rate", "low", "high")}


@dataclass(frozen=True)
class Population:
    """Rank-1 identification rate expected in a larger gallery.

    Parameters
    ----------
    size : int
        Persons in the gallery.
    extreme_values : Estimate
        See `faceblind.identification.extreme_values`.
    pitman_yor : Estimate
        See `faceblind.identification.pitman_yor`.
    """

    size: int
    extreme_values: Estimate
    pitman_yor: Estimate

    @property
    def low(self) -> float:
        """The lower of the models' lower ends."""
        return min(self.extreme_values.low, self.pitman_yor.low)

    @property
    def high(self) -> float:
        """The higher of the models' higher ends."""
        return max(self.extreme_values.high, self.pitman_yor.high)

    def as_dict(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        return {
            "gallery_size": self.size,
            "low": round(self.low, 6),
            "high": round(self.high, 6),
            "extreme_values": self.extreme_values.as_dict(),
            "pitman_yor": self.pitman_yor.as_dict(),
        }


@dataclass(frozen=True)
class GalleryScaling:
    """Identification as a function of the gallery's size.

    Parameters
    ----------
    smaller : tuple of SubGallery
        By size, up to the whole gallery.
    larger : tuple of Population
        By size; empty where no tail could be fitted.
    law : PitmanYor
        The fitted law.
    """

    smaller: tuple[SubGallery, ...]
    larger: tuple[Population, ...]
    law: PitmanYor

    def as_dict(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        return {
            "rank1_in_larger_galleries": [one.as_dict() for one in self.larger],
            "pitman_yor": {
                "entropy_nats": round(self.law.entropy, 4),
                "power_law_share": round(self.law.share, 4),
                "citation": "Rocher et al. 2025, Nat Commun 16:347",
            },
            "intervals": "bootstrap over persons, 95 %, no narrower than Wilson",
        }

    def rows(self) -> list[dict[str, Any]]:
        """Rows of `gallery_scaling.tsv`: exact sub-galleries, then each model."""
        found: list[dict[str, Any]] = []
        for one in self.smaller:
            for rank, rate in zip(RANKS, one.rates, strict=True):
                ends = {"rate": rate.rate, "low": rate.low, "high": rate.high}
                found.append({"gallery": one.size, "rank": rank, "by": "sub-galleries"} | ends)
        for name in ("extreme_values", "pitman_yor"):
            for larger in self.larger:
                ends = getattr(larger, name).as_dict()
                found.append({"gallery": larger.size, "rank": 1, "by": name} | ends)
        return found


def gallery_scaling(
    searches: Searches, populations: tuple[int, ...] = POPULATIONS, seed: int = 0
) -> GalleryScaling | None:
    """Rates in smaller galleries, and what two models expect in larger ones.

    Failures to enrol are misses in galleries of every size.

    Parameters
    ----------
    searches : Searches
    populations : tuple of int
        Sizes; those not larger than the gallery are left out.
    seed : int
        Of the bootstrap.

    Returns
    -------
    GalleryScaling or None
        None with fewer than `FEWEST` mated searches.
    """
    rows = np.flatnonzero(searches.mated)
    persons, size = searches.mated_count, searches.gallery_size
    if len(rows) < FEWEST:
        return None
    better, equal, _ = metrics.counts(searches.values[rows], searches.mates[rows])
    sizes = subgallery.sizes_up_to(size)
    smaller = tuple(_smaller(better, equal, size, g, persons) for g in sizes)
    wanted = tuple(one for one in populations if one > size)
    found = np.stack([subgallery.hit_probabilities(better, equal, size, g) for g in sizes], axis=1)
    law = pitman_yor.fit(sizes, found.mean(axis=0))
    laws = pitman_yor.fit_many(sizes, resampled_curves(found, _repeats(searches), seed))
    return GalleryScaling(smaller, _larger(searches, wanted, [law, *laws], seed), law)


def resampled_curves(found: NDArray[np.float64], repeats: int, seed: int) -> NDArray[np.float64]:
    """Rates in sub-galleries for samples of persons.

    Persons are drawn as probes only. Drawing gallery entries with replacement, too, leaves fewer
    different ones, and finds more people than there are.

    Parameters
    ----------
    found : (P, S) ndarray
        Probability that each person is found in a sub-gallery of each size.
    repeats, seed : int

    Returns
    -------
    (repeats, S) float64 ndarray
    """
    persons = len(found)
    drawn = np.random.default_rng(seed).multinomial(
        persons, np.full(persons, 1 / persons), size=repeats
    )
    curves: NDArray[np.float64] = drawn @ found / persons
    return curves


def _repeats(searches: Searches) -> int:
    fewest, most = REPEATS
    return max(fewest, min(most, MOST_SCORES // max(searches.values.size, 1)))


def _smaller(
    better: NDArray[np.int64], equal: NDArray[np.int64], gallery: int, size: int, persons: int
) -> SubGallery:
    rates = []
    for k in RANKS:
        hits = float(subgallery.hit_probabilities(better, equal, gallery, size, k).sum())
        rates.append(Rate.of(round(hits, 9), persons))
    return SubGallery(size, tuple(rates))


def _larger(
    searches: Searches, sizes: tuple[int, ...], laws: list[PitmanYor], seed: int
) -> tuple[Population, ...]:
    tail = extreme_values.rank1_in(searches, sizes)
    if tail is None or not sizes:
        return ()
    enrolled = int(searches.mated.sum()) / searches.mated_count
    tails = extreme_values.resampled_rank1(searches, sizes, _repeats(searches), seed)
    fits = np.array([law.rate(sizes) for law in laws])
    persons = searches.mated_count
    by_tail = _estimates(tail * enrolled, tails * enrolled, persons)
    by_law = _estimates(fits[0] * enrolled, fits[1:] * enrolled, persons)
    return tuple(Population(*one) for one in zip(sizes, by_tail, by_law, strict=True))


def _estimates(
    rates: NDArray[np.float64], samples: NDArray[np.float64], persons: int
) -> list[Estimate]:
    """Percentile intervals, no narrower than Wilson's for so many persons."""
    found: list[Estimate] = []
    for rate, column in zip(rates, samples.T, strict=True):
        low, high = wilson_interval(min(float(rate), 1.0) * persons, persons)
        if len(column):
            ends = np.quantile(column, (0.025, 0.975))
            low, high = min(low, float(ends[0])), max(high, float(ends[1]))
        found.append(Estimate(float(rate), low, high))
    return found
