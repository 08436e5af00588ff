"""Identification in a larger gallery from the tail of the non-mated scores.

A mate with score m stays first among G persons where none of the G - 1 others exceeds it. With F
the distribution of one other's score and others independent::

    rank1(G) = E[ F(m) ** (G - 1) ]

Two things make that usable:

- Probes differ: one face is similar to everybody, another to nobody. Scores of each probe are
  standardised by mean and spread of its own non-mated scores, which changes no rank, and then
  pooled.
- The greatest strangers' scores are rare. Above the 98 % quantile the pooled scores follow a
  generalised Pareto distribution (Pickands 1975, Ann Stat 3:119-131), fitted by
  probability-weighted moments (Hosking and Wallis 1987, Technometrics 29:339-349).

The interval is a bootstrap over persons, who are drawn as probes and as gallery entries together,
and is no narrower than Wilson's for so many persons: probabilities near 0 or 1 of all of a few
people do not make a rate certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.identification.searches import Searches

TAIL = 0.02
"""Share of the non-mated scores that is the tail. In simulations with a known truth 5 % and 10 %
lie too high from a population of 10^4 on; with 1 % 84 persons leave too few scores."""

FEWEST_IN_TAIL = 20
"""Scores in the tail without which two parameters are not fitted: 33 persons give so many."""

_FLAT = 1e-9
"""Spread below which a probe's non-mated scores are all the same."""


@dataclass(frozen=True)
class Tail:
    """A generalised Pareto tail.

    Parameters
    ----------
    threshold : float
        Where it begins.
    share : float
        Of the scores, above the threshold.
    shape : float
        Negative where the tail ends, 0 for an exponential, positive for a power law.
    scale : float
        Positive.
    """

    threshold: float
    share: float
    shape: float
    scale: float

    def exceeded(self, values: ArrayLike) -> NDArray[np.float64]:
        """Probability that one other's score exceeds these values, which lie above the threshold.

        ``share * (1 + shape * (x - threshold) / scale) ** (-1 / shape)``
        """
        excess = np.maximum(np.asarray(values, dtype=np.float64) - self.threshold, 0.0) / self.scale
        if abs(self.shape) < 1e-6:
            return self.share * np.exp(-excess)
        inside = 1 + self.shape * excess
        # Past the end of a tail that ends: never.
        log = np.where(inside > 0, np.log(np.maximum(inside, 1e-300)) / -self.shape, -np.inf)
        return self.share * np.exp(log)


def fit_tail(scores: NDArray[np.float64], share: float = TAIL) -> Tail | None:
    """Fit the tail of a sample by probability-weighted moments.

    With ``a0`` the mean excess and ``a1`` the mean of excess times the share of the tail above it,
    ``shape = 2 - a0 / (a0 - 2 a1)`` and ``scale = 2 a0 a1 / (a0 - 2 a1)``.

    Parameters
    ----------
    scores : (n,) ndarray
    share : float
        Of the scores, in the tail.

    Returns
    -------
    Tail or None
        None with fewer than `FEWEST_IN_TAIL` scores above the quantile, or without spread.
    """
    if scores.size == 0:
        return None
    threshold = float(np.quantile(scores, 1 - share))
    excess = np.sort(scores[scores > threshold]) - threshold
    n = len(excess)
    if n < FEWEST_IN_TAIL:
        return None
    a0 = float(excess.mean())
    a1 = float((excess * (n - 1 - np.arange(n)) / (n - 1)).mean())
    spread = a0 - 2 * a1
    if spread <= 0 or a1 <= 0:
        return None
    return Tail(threshold, n / len(scores), 2 - a0 / spread, 2 * a0 * a1 / spread)


def rank1_in(searches: Searches, sizes: ArrayLike) -> NDArray[np.float64] | None:
    """Expected rank-1 identification rate in larger galleries, of those who could be enrolled.

    Parameters
    ----------
    searches : Searches
        Its non-mated probes are not used.
    sizes : (S,) array_like
        Persons in the gallery, the mate among them.

    Returns
    -------
    (S,) float64 ndarray or None
        None where no tail can be fitted.
    """
    rows = np.flatnonzero(searches.mated)
    return _rank1(searches.values[rows], searches.mates[rows], sizes)


def resampled_rank1(
    searches: Searches, sizes: ArrayLike, repeats: int, seed: int
) -> NDArray[np.float64]:
    """The same for samples of persons, drawn with replacement as probe and gallery entry together.

    A person's own copies are neither mates of each other's nor strangers.

    Returns
    -------
    (repeats, S) float64 ndarray
        Fewer rows where no tail could be fitted.
    """
    rng = np.random.default_rng(seed)
    size = searches.gallery_size
    row_of = np.full(size, -1)
    mated = np.flatnonzero(searches.mated)
    row_of[searches.mates[mated]] = mated
    found = []
    for _ in range(repeats):
        drawn = rng.integers(0, size, size)
        probes = drawn[row_of[drawn] >= 0]
        values = searches.values[np.ix_(row_of[probes], drawn)]
        mates = searches.values[row_of[probes], probes]
        rates = _rank1_of(values, mates, probes[:, None] != drawn[None, :], sizes)
        if rates is not None:
            found.append(rates)
    return np.array(found).reshape(-1, np.size(sizes))


def _rank1(
    values: NDArray[np.float64], mates: NDArray[np.int64], sizes: ArrayLike
) -> NDArray[np.float64] | None:
    others = np.ones(values.shape, dtype=bool)
    rows = np.arange(len(values))
    others[rows, mates] = False
    return _rank1_of(values, values[rows, mates], others, sizes)


def _rank1_of(
    values: NDArray[np.float64],
    mates: NDArray[np.float64],
    others: NDArray[np.bool_],
    sizes: ArrayLike,
) -> NDArray[np.float64] | None:
    """Rank-1 rate from scores, mates' scores and a mask of the non-mated scores."""
    counts = others.sum(axis=1)
    if len(counts) == 0 or counts.min() < 2:
        return None
    mean = np.where(others, values, 0.0).sum(axis=1) / counts
    centred = values - mean[:, None]
    spread = np.sqrt(np.where(others, centred**2, 0.0).sum(axis=1) / counts)
    spread = np.where(spread > _FLAT, spread, 1.0)
    strangers = (centred / spread[:, None])[others]
    tail = fit_tail(strangers)
    if tail is None:
        return None
    own = (mates - mean) / spread
    better = np.where(own > tail.threshold, tail.exceeded(own), _measured(strangers, own))
    better = np.minimum(better, 1 - 1e-12)
    powers = (np.asarray(sizes, dtype=np.float64) - 1)[:, None] * np.log1p(-better)[None, :]
    rates: NDArray[np.float64] = np.exp(powers).mean(axis=1)
    return rates


def _measured(strangers: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of strangers above each value; half of those who are equal count."""
    ordered = np.sort(strangers)
    above = len(ordered) - np.searchsorted(ordered, own, side="right")
    from_here = len(ordered) - np.searchsorted(ordered, own, side="left")
    shares: NDArray[np.float64] = (above + from_here) / (2 * len(ordered))
    return shares
