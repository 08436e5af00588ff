"""Rates with their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from faceblind.errors import FaceblindError


@dataclass(frozen=True)
class Rate:
    """A share of trials with its interval.

    Parameters
    ----------
    hits : float
        Successes; fractional when ties were shared out.
    n : int
        Trials.
    rate : float
        ``hits / n`` in [0, 1].
    low, high : float
        Ends of the interval, in [0, 1].
    """

    hits: float
    n: int
    rate: float
    low: float
    high: float

    @classmethod
    def of(cls, hits: float, n: int, confidence: float = 0.95) -> Rate:
        """The rate of `hits` in `n` trials with its Wilson interval.

        Raises
        ------
        FaceblindError
            If `n` is not positive or `hits` lies outside 0 to `n`.
        """
        if n < 1:
            raise FaceblindError("rate: no trial was made, so there is no rate")
        low, high = wilson_interval(hits, n, confidence)
        return cls(hits=hits, n=n, rate=hits / n, low=low, high=high)

    def as_dict(self) -> dict[str, float | int]:
        """Plain numbers under the keys ``hits, n, rate, low, high``; whole hits as integers."""
        hits = round(self.hits, 6)
        return {
            "hits": int(hits) if hits == int(hits) else hits,
            "n": self.n,
            "rate": round(self.rate, 6),
            "low": round(self.low, 6),
            "high": round(self.high, 6),
        }


def wilson_interval(hits: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a binomial proportion.

    With ``p = hits / n`` and z the normal quantile of ``(1 + confidence) / 2``::

        (p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n)

    Unlike the textbook ``p ± z sqrt(p (1 - p) / n)`` it does not collapse at 0 or n hits: none of
    20 still allows 16 %. Fractional hits (expected hits under ties) are accepted; the trials are
    taken as independent persons.

    Parameters
    ----------
    hits : float
        Successes, 0 to `n`.
    n : int
        Trials. Zero trials tell nothing and give (0, 1).
    confidence : float
        Coverage in (0, 1).

    Returns
    -------
    low, high : float
        Ends of the interval in [0, 1].

    References
    ----------
    Wilson EB (1927), Probable inference, the law of succession, and statistical inference.
    J Am Stat Assoc 22:209-212.

    Examples
    --------
    >>> [round(100 * end, 1) for end in wilson_interval(70, 84)]
    [73.9, 89.8]
    """
    if not 0 < confidence < 1:
        raise FaceblindError(f"confidence: expected a number between 0 and 1, got {confidence}")
    if n < 0 or not 0 <= hits <= n:
        raise FaceblindError(f"interval: expected 0 <= hits <= n, got {hits} of {n}")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = hits / n
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At 0 and n hits the end is 0 or 1 exactly; rounding must not leave 1e-17.
    low = 0.0 if hits == 0 else max(0.0, (middle - half) / scale)
    high = 1.0 if hits == n else min(1.0, (middle + half) / scale)
    return low, high
