"""Two studies of the same people: is one found less often than the other?

The people are the same, so the comparison is paired: only people found in one study and not in the
other tell anything.

- McNemar's exact test: of the people found in one study only, half should be found in either if
  nothing has changed; the p-value is two-sided and binomial (McNemar 1947, Psychometrika 12:153).
- The interval of the difference of rates is a bootstrap over people to which two are added, one
  found in the first study only and one in the second only. Without them nobody who changes would
  give an interval of no width; Bonett and Price (2012, J Educ Behav Stat 37:479-488) add the same
  two to the formula of Wald.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr

from faceblind.errors import FaceblindError
from faceblind.identification.intervals import Rate

REPEATS = 4000
"""Bootstrap samples: the ends move by less than a tenth of the interval from seed to seed."""


@dataclass(frozen=True)
class PairedDifference:
    """How often the same people are found in studies A and B.

    Parameters
    ----------
    rank : int
        Found means within this rank.
    a, b : Rate
        With Wilson's intervals; expected hits where scores are tied.
    both, only_a, only_b, neither : int
        People by where they are found. With tied scores a person counts as found where that is
        more likely than not.
    difference, low, high : float
        Rate of B less rate of A, and its 95 % interval.
    p_value : float
        Of McNemar's exact test.
    """

    rank: int
    a: Rate
    b: Rate
    both: int
    only_a: int
    only_b: int
    neither: int
    difference: float
    low: float
    high: float
    p_value: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values; names nobody."""
        return {
            "rank": self.rank,
            "a": self.a.as_dict(),
            "b": self.b.as_dict(),
            "found_in_both": self.both,
            "found_in_a_only": self.only_a,
            "found_in_b_only": self.only_b,
            "found_in_neither": self.neither,
            "difference": round(self.difference, 6),
            "low": round(self.low, 6),
            "high": round(self.high, 6),
            "p_mcnemar": self.p_value,
        }

    def row(self) -> dict[str, Any]:
        """A row of `compare.tsv`."""
        plain = self.as_dict()
        rates = {f"{side}_{key}": plain[side][key]
                 for side in ("a", "b") for key in ("hits", "rate", "low", "high")}  # fmt: skip
        kept = {key: value for key, value in plain.items() if key not in ("a", "b", "rank")}
        return {"rank": self.rank, "people": self.a.n, **rates, **kept}


def hit_probability(ranks: ArrayLike, tied: ArrayLike, k: int) -> NDArray[np.float64]:
    """Probability of a place within rank k, from the expected rank and the number of ties.

    Parameters
    ----------
    ranks : (N,) array_like
        ``1 + b + t / 2``, see `faceblind.identification.metrics.expected_ranks`; infinite where no
        search could be made.
    tied : (N,) array_like of int
        t.
    k : int
    """
    r, t = np.asarray(ranks, dtype=np.float64), np.asarray(tied, dtype=np.float64)
    better = np.where(np.isfinite(r), r - 1 - t / 2, np.inf)
    found: NDArray[np.float64] = np.clip((k - better) / (t + 1), 0.0, 1.0)
    return found


def compare_paired(a: ArrayLike, b: ArrayLike, rank: int, seed: int = 0) -> PairedDifference:
    """Compare two studies of the same people.

    Parameters
    ----------
    a, b : (N,) array_like
        Probability that each person is found, in the same order of people.
    rank : int
        What found means; only kept.
    seed : int
        Of the bootstrap.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or len(first) == 0:
        raise FaceblindError(
            f"compare: expected the same people, got {first.shape} and {second.shape}"
        )
    n = len(first)
    in_a, in_b = first > 0.5, second > 0.5
    only_a, only_b = int((in_a & ~in_b).sum()), int((~in_a & in_b).sum())
    low, high = bootstrap_difference(second - first, seed)
    return PairedDifference(
        rank=rank,
        a=Rate.of(round(float(first.sum()), 9), n),
        b=Rate.of(round(float(second.sum()), 9), n),
        both=int((in_a & in_b).sum()),
        only_a=only_a,
        only_b=only_b,
        neither=int((~in_a & ~in_b).sum()),
        difference=float((second - first).mean()),
        low=low,
        high=high,
        p_value=mcnemar_exact(only_a, only_b),
    )


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Two-sided exact p-value: twice the lower binomial tail of the smaller count, at most 1."""
    pairs = only_a + only_b
    if pairs == 0:
        return 1.0
    return float(min(1.0, 2 * bdtr(min(only_a, only_b), pairs, 0.5)))


def bootstrap_difference(changes: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """95 % interval of a mean change between -1 and 1, see the module's description.

    Parameters
    ----------
    changes : (N,) ndarray
        Of each person.
    seed : int
    """
    values, counts = np.unique(np.append(changes, (-1.0, 1.0)), return_counts=True)
    n = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, size=REPEATS)
    low, high = np.quantile(drawn @ values / n, (0.025, 0.975))
    return float(low), float(high)
