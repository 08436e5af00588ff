"""What smaller galleries would have given: exact expectations, without drawing any.

A random sub-gallery of g persons holds the mate and ``g - 1`` of the ``G - 1`` others, all choices
equally likely. Of ``b`` others who are better than the mate the sub-gallery then holds a
hypergeometric number, and the mate is within rank k where that number is below k::

    P(rank <= k) = sum over j < k of C(b, j) C(G - 1 - b, g - 1 - j) / C(G - 1, g - 1)

Ties are in random order: with t others equal to the mate, the expectation is the mean over
``b … b + t`` better ones.

Tulyakov and Govindaraju (2008), Use of identification trial statistics for the combination of
biometric matchers, IEEE Trans Inf Forensics Secur 3:719-733, discuss what resampling of one
experiment's scores can and cannot tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from faceblind.errors import FaceblindError

NEVER = -1e300
"""Logarithm of a probability of zero that exponentiates without a warning."""


def hit_table(gallery: int, size: int, k: int) -> NDArray[np.float64]:
    """Probability that a mate is within rank k of a random sub-gallery, by better others.

    Parameters
    ----------
    gallery : int
        Persons in the whole gallery, G.
    size : int
        Persons in the sub-gallery, the mate among them; 1 to G.
    k : int
        Length of the candidate list, at least 1.

    Returns
    -------
    (G,) float64 ndarray
        Element b is for b others who are better.
    """
    if not 1 <= size <= gallery or k < 1:
        raise FaceblindError(
            f"sub-gallery: expected 1 <= size <= {gallery} and k >= 1, got {size} and {k}"
        )
    better = np.arange(gallery)
    worse = gallery - 1 - better
    whole = float(_log_choose(gallery - 1, np.array(size - 1)))
    total = np.zeros(gallery)
    for j in range(min(k, size)):
        chosen = _log_choose(better, np.array(j)) + _log_choose(worse, np.array(size - 1 - j))
        total += np.exp(np.maximum(chosen - whole, NEVER))
    # The logarithms of large binomials lose some digits.
    return np.clip(total, 0.0, 1.0)


def hit_probabilities(
    better: ArrayLike, equal: ArrayLike, gallery: int, size: int, k: int = 1
) -> NDArray[np.float64]:
    """Probability that each probe's mate is within rank k of a random sub-gallery.

    Parameters
    ----------
    better, equal : (P,) array_like of int
        Others who are better than the mate, and as good; see `metrics.counts`.
    gallery, size, k : int
        See `hit_table`.

    Returns
    -------
    (P,) float64 ndarray
        Higher means found.
    """
    b, t = np.asarray(better, dtype=np.int64), np.asarray(equal, dtype=np.int64)
    sums = np.concatenate([[0.0], np.cumsum(hit_table(gallery, size, k))])
    means: NDArray[np.float64] = (sums[b + t + 1] - sums[b]) / (t + 1)
    return np.clip(means, 0.0, 1.0)


def sizes_up_to(gallery: int, steps: int = 12) -> tuple[int, ...]:
    """Sizes of sub-galleries for a table: from 2 to the whole gallery, evenly in the logarithm."""
    if gallery < 2:
        return ()
    found = np.unique(np.round(np.geomspace(2, gallery, steps)).astype(int))
    return tuple(int(size) for size in found)


def _log_choose(n: ArrayLike, r: NDArray[np.int64]) -> NDArray[np.float64]:
    """Logarithm of the binomial coefficient; minus infinity where ``r > n``."""
    top = np.asarray(n)
    possible = r <= top
    low = np.where(possible, top - r, 0)
    values = gammaln(top + 1.0) - gammaln(r + 1.0) - gammaln(low + 1.0)
    return np.where(possible, values, -np.inf)
