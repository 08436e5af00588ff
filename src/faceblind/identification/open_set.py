"""Open-set figures: what a search says when the person may not be in the gallery at all.

Terms follow ISO/IEC 19795-1 and NIST FRTE 1:N. A search returns the candidates whose score lies
above a threshold T.

FPIR(T)
    False positive identification rate: the share of non-mated searches that return anybody.
    Non-mated searches are made by leaving the mate out of the gallery, so that each has one entry
    less than the mated search; probes whose person is not in the gallery are searched as they are.
DIR(T)
    Detection and identification rate (rank 1): the share of mated searches whose mate stands first
    and above T.
FNIR(T)
    False negative identification rate, ``1 - DIR(T)``.

FPIR grows with the gallery: a threshold is good for galleries of this size only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.identification import metrics
from faceblind.identification.intervals import Rate
from faceblind.identification.searches import FEWEST, LEAST, Searches

FPIRS = (0.01, 0.001)
"""False positive identification rates at which DIR is reported."""

TABLE_FPIRS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Rates of the threshold table, as far as the number of searches allows them."""

REPEATS = 500
"""Bootstrap samples: the ends of a 95 % interval then stand on 12 samples each."""


@dataclass(frozen=True)
class OperatingPoint:
    """One threshold and what it does.

    Parameters
    ----------
    wanted_fpir : float
        The rate that was asked for.
    threshold : float
        The lowest score above which no more than ``floor(wanted_fpir * searches)`` non-mated
        searches return anybody.
    fpir : Rate
        Measured share of non-mated searches above it, with its Wilson interval.
    dir : Rate
        Mated searches whose mate is first and above it. The interval is a bootstrap over persons,
        in which the threshold moves too, and no narrower than Wilson's.
    """

    wanted_fpir: float
    threshold: float
    fpir: Rate
    dir: Rate

    @property
    def fnir(self) -> float:
        """``1 - DIR``."""
        return 1 - self.dir.rate


@dataclass(frozen=True)
class OpenSet:
    """Open-set figures of one experiment.

    Parameters
    ----------
    mated_searches, nonmated_searches : int
        Failures to enrol count as mated searches (all misses), not as non-mated ones.
    gallery_size : int
        Of a mated search; a non-mated search made by leaving the mate out has one less.
    points : tuple of OperatingPoint
        At each of `FPIRS` that the number of searches allows.
    too_few : tuple of float
        Those of `FPIRS` that it does not allow.
    table : tuple of OperatingPoint
        At each of `TABLE_FPIRS` that it allows.
    """

    mated_searches: int
    nonmated_searches: int
    gallery_size: int
    points: tuple[OperatingPoint, ...]
    too_few: tuple[float, ...]
    table: tuple[OperatingPoint, ...]

    def as_dict(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        return {
            "mated_searches": self.mated_searches,
            "nonmated_searches": self.nonmated_searches,
            "gallery_size": self.gallery_size,
            "rank": 1,
            "dir_at_fpir": [
                {
                    "fpir": point.wanted_fpir,
                    "threshold": round(point.threshold, 6),
                    "dir": point.dir.as_dict(),
                    "fnir": round(point.fnir, 6),
                    "measured_fpir": point.fpir.as_dict(),
                }
                for point in self.points
            ],
            "too_few": [
                {"fpir": fpir, "searches_needed": searches_needed(fpir)} for fpir in self.too_few
            ],
            "intervals": "DIR: bootstrap over persons, 95 %, no narrower than Wilson; FPIR: Wilson",
        }

    def rows(self) -> list[dict[str, float | int]]:
        """Rows of `open_set.tsv`, one for each threshold."""
        return [
            {
                "threshold": point.threshold,
                "fpir": point.fpir.rate,
                "fpir_low": point.fpir.low,
                "fpir_high": point.fpir.high,
                "dir": point.dir.rate,
                "dir_low": point.dir.low,
                "dir_high": point.dir.high,
                "fnir": point.fnir,
            }
            for point in self.table
        ]


def searches_needed(fpir: float) -> int:
    """Non-mated searches from which a rate can be set: one of them may then be a false positive."""
    return math.ceil(1 / fpir - 1e-9)


def open_set(searches: Searches, seed: int = 0) -> OpenSet | None:
    """Thresholds, DIR at the usual FPIR, and the threshold table.

    Parameters
    ----------
    searches : Searches
    seed : int
        Of the bootstrap.

    Returns
    -------
    OpenSet or None
        None with fewer than `FEWEST` mated or non-mated searches.
    """
    outcome = _Outcome.of(searches)
    if min(len(outcome.mate), outcome.nonmated) < FEWEST or searches.mated_count < FEWEST:
        return None
    possible = [f for f in TABLE_FPIRS if searches_needed(f) <= outcome.nonmated]
    found = {fpir: _point(outcome, fpir, seed) for fpir in possible}
    return OpenSet(
        mated_searches=searches.mated_count,
        nonmated_searches=outcome.nonmated,
        gallery_size=searches.gallery_size,
        points=tuple(found[fpir] for fpir in FPIRS if fpir in found),
        too_few=tuple(fpir for fpir in FPIRS if fpir not in found),
        table=tuple(found.values()),
    )


def threshold_at(best_others: NDArray[np.float64], fpir: float) -> float:
    """The lowest threshold above which no more than ``floor(fpir * n)`` searches return anybody.

    Parameters
    ----------
    best_others : (n,) ndarray
        Greatest score of each non-mated search.
    fpir : float
        In (0, 1].

    Raises
    ------
    FaceblindError
        If fewer than ``1 / fpir`` searches were made.
    """
    n = len(best_others)
    if n < searches_needed(fpir):
        raise FaceblindError(
            f"open set: FPIR {fpir:g} needs {searches_needed(fpir)} non-mated searches, got {n}"
        )
    allowed = math.floor(fpir * n + 1e-9)
    ordered = np.sort(best_others)[::-1]
    return float(ordered[allowed]) if allowed < n else LEAST


@dataclass(frozen=True)
class _Outcome:
    """One entry per person: score of the mate, chance that it is first, best other score.

    Whose search is not mated has `mated` False; whose search is not non-mated (a failure to enrol)
    has a best other of NaN.
    """

    mated: NDArray[np.bool_]
    mate: NDArray[np.float64]
    first: NDArray[np.float64]
    other: NDArray[np.float64]

    @classmethod
    def of(cls, searches: Searches) -> _Outcome:
        lost = len(searches.failed)
        return cls(
            mated=np.append(searches.mated, np.ones(lost, dtype=bool)),
            mate=np.append(searches.mate_scores(), np.full(lost, LEAST)),
            first=np.append(
                metrics.hit_probabilities(searches.values, searches.mates, 1), np.zeros(lost)
            ),
            other=np.append(searches.best_others(), np.full(lost, np.nan)),
        )

    @property
    def nonmated(self) -> int:
        return int((~np.isnan(self.other)).sum())


def _point(outcome: _Outcome, fpir: float, seed: int) -> OperatingPoint:
    other = outcome.other[~np.isnan(outcome.other)]
    threshold = threshold_at(other, fpir)
    hits = round(float(outcome.first[outcome.mate > threshold].sum()), 9)
    n = int(outcome.mated.sum())
    rate = Rate.of(hits, n)
    low, high = _bootstrap(outcome, fpir, seed)
    return OperatingPoint(
        wanted_fpir=fpir,
        threshold=threshold,
        fpir=Rate.of(int((other > threshold).sum()), len(other)),
        dir=Rate(hits, n, rate.rate, min(low, rate.low), max(high, rate.high)),
    )


def _bootstrap(outcome: _Outcome, fpir: float, seed: int) -> tuple[float, float]:
    """95 % percentile interval of DIR at a FPIR, over samples of persons."""
    count = len(outcome.mate)
    drawn = np.random.default_rng(seed).integers(0, count, (REPEATS, count))
    other = np.where(np.isnan(outcome.other), LEAST, outcome.other)[drawn]
    made = (~np.isnan(outcome.other))[drawn].sum(axis=1)
    allowed = np.floor(fpir * made + 1e-9).astype(int)
    ordered = -np.sort(-other, axis=1)
    place = np.minimum(allowed, count - 1)
    threshold = np.where(allowed < made, ordered[np.arange(REPEATS), place], LEAST)
    first = (outcome.first * outcome.mated)[drawn]
    hits = (first * (outcome.mate[drawn] > threshold[:, None])).sum(axis=1)
    mated = np.maximum(outcome.mated[drawn].sum(axis=1), 1)
    low, high = np.quantile(hits / mated, (0.025, 0.975))
    return float(low), float(high)
