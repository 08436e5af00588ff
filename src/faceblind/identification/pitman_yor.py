"""How identification falls with the population: the two-parameter law of Rocher et al. 2025.

The law takes people as draws from a Pitman-Yor process: everybody falls into a cell of people whom
the attack cannot tell apart, cells are picked again with probabilities of power-law form, and the
attack guesses within the cell. Of n people the share that is identified is then the expected number
of cells over n, which for discount ``0 <= d < 1`` and concentration ``a > 0`` is (Pitman 2006,
Combinatorial stochastic processes, section 3.3)::

    kappa(n) = a / (n d) [ G(a) G(n + a + d) / (G(a + d) G(n + a)) - 1 ]     (d > 0, G: gamma)
    kappa(n) = a / n [ psi(n + a) - psi(a) ]                                 (d = 0)

The article's parameters are the entropy h (nats) and the share g in [0, 1] of the power law in it::

    psi(1 - d) = psi(1) - h g,    psi(1 + a) = psi(1) + h (1 - g)

What is done here. The curve is fitted to the exact expectation over sub-galleries (`subgallery`)
with the loss of the authors' own package, the mean of ``ln(n) (kappa(n) - measured)²``. The minimum
is sought from the best point of a grid of (h, g), so that no start has to be chosen. The interval
is not the authors': it is a bootstrap over persons (`gallery_scaling.resampled_curves`).

The law is a description. Where scores come from comparing noisy vectors, its fit to small galleries
lies too high in large ones (see the evidence page): read it as the upper of two answers.

References
----------
Rocher L, Hendrickx JM, de Montjoye YA (2025), A scaling law to model the effectiveness of
identification techniques. Nat Commun 16:347, doi:10.1038/s41467-024-55296-6.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares
from scipy.special import digamma, exprel, polygamma

ENTROPIES = np.geomspace(0.2, 40.0, 160)
"""Grid of h, nats: steps of 3.4 %. At 40 nats nobody of 10^8 people is mistaken."""

SHARES = np.linspace(0.0, 0.995, 80)
"""Grid of g. At 1 the concentration would be 0, where the formula ends."""

_TIGHT = 1e-12
"""The valley of the loss is narrow and bent: with the usual tolerances the search stops in it."""

_LARGE = 2e3
"""From here on three terms of the series of digamma are exact to 1e-12, and nearer than the
difference of two values."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
"""Gauss-Legendre on 0 to 1: exact to 1e-9 where the nearest pole lies at -1 or below."""


@dataclass(frozen=True)
class PitmanYor:
    """The fitted law.

    Parameters
    ----------
    entropy : float
        h, nats.
    share : float
        g, in [0, 1).
    """

    entropy: float
    share: float

    def rate(self, sizes: ArrayLike) -> NDArray[np.float64]:
        """Share of people identified in populations of these sizes, in [0, 1]."""
        discount, concentration = parameters(self.entropy, self.share)
        return identified(sizes, discount, concentration)


def identified(
    sizes: ArrayLike, discount: ArrayLike, concentration: ArrayLike
) -> NDArray[np.float64]:
    """Share of people identified, ``kappa(n)``; 1 at n = 1, and never rising.

    Parameters
    ----------
    sizes : array_like
        n, at least 1.
    discount : array_like
        d, in [0, 1).
    concentration : array_like
        a, above 0.

    Returns
    -------
    float64 ndarray
        In the broadcast shape; in [0, 1].
    """
    n, d, a = (np.asarray(x, dtype=np.float64) for x in (sizes, discount, concentration))
    slope = _slope(n, a, d)
    return np.clip(a / n * slope * exprel(d * slope), 0.0, 1.0)


def parameters(
    entropy: ArrayLike, share: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Discount and concentration of the process with this entropy and share of the power law."""
    h, g = np.asarray(entropy, dtype=np.float64), np.asarray(share, dtype=np.float64)
    one = float(digamma(1.0))
    discount = np.clip(1 - inverse_digamma(one - h * g), 0.0, 1 - 1e-12)
    concentration = np.maximum(inverse_digamma(one + h * (1 - g)) - 1, 1e-9)
    return discount, concentration


def inverse_digamma(values: ArrayLike) -> NDArray[np.float64]:
    """The x > 0 with ``psi(x)`` = value, by Newton's method.

    Start and steps after Minka (2000), Estimating a Dirichlet distribution, appendix C.
    """
    y = np.asarray(values, dtype=np.float64)
    below = np.minimum(y, -2.22) - float(digamma(1.0))
    x = np.where(y >= -2.22, np.exp(np.maximum(y, -2.22)) + 0.5, -1 / below)
    for _ in range(6):
        x = x - (digamma(x) - y) / polygamma(1, x)
    return x


def fit(sizes: ArrayLike, curve: ArrayLike) -> PitmanYor:
    """The law that fits a curve best: least squares from the best point of the grid.

    Parameters
    ----------
    sizes : (S,) array_like of int
        Sizes of sub-galleries, at least 2.
    curve : (S,) array_like
        Measured share identified at each.
    """
    n, measured = np.asarray(sizes, dtype=np.float64), np.asarray(curve, dtype=np.float64)
    start = fit_many(n, measured[None, :])[0]
    weights = np.sqrt(np.log(n))

    def errors(point: NDArray[np.float64]) -> NDArray[np.float64]:
        wrong: NDArray[np.float64] = weights * (identified(n, *parameters(*point)) - measured)
        return wrong

    ends = ([ENTROPIES[0], 0.0], [ENTROPIES[-1], SHARES[-1]])
    inside = np.clip([start.entropy, start.share], np.add(ends[0], 1e-6), np.add(ends[1], -1e-6))
    found = least_squares(
        errors, inside, bounds=ends, x_scale=(1.0, 0.1), xtol=_TIGHT, ftol=_TIGHT, gtol=_TIGHT
    )
    return PitmanYor(float(found.x[0]), float(found.x[1]))


def fit_many(sizes: ArrayLike, curves: NDArray[np.float64]) -> list[PitmanYor]:
    """The point of the grid that fits each curve best, for bootstrap samples.

    Parameters
    ----------
    sizes : (S,) array_like of int
        Sizes of sub-galleries, at least 2.
    curves : (C, S) ndarray
        Measured share identified at each.

    Returns
    -------
    list of PitmanYor
        One for each curve.
    """
    n = tuple(int(size) for size in np.asarray(sizes))
    rates = _grid_rates(n)
    weights = np.log(n)
    # Expanded square; the term of the curve alone does not move the minimum.
    loss = (rates**2 @ weights)[None, :] - 2 * (curves * weights) @ rates.T
    entropies, shares = _grid()
    return [PitmanYor(float(entropies[i]), float(shares[i])) for i in loss.argmin(axis=1)]


def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    h, g = np.meshgrid(ENTROPIES, SHARES, indexing="ij")
    return h.ravel(), g.ravel()


@lru_cache(maxsize=4)
def _grid_rates(sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """(grid, S) the law at every point of the grid."""
    discount, concentration = parameters(*_grid())
    return identified(np.array(sizes)[None, :], discount[:, None], concentration[:, None])


def _slope(
    n: NDArray[np.float64], a: NDArray[np.float64], d: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``(ln G(n + a + d) - ln G(n + a) - ln G(a + d) + ln G(a)) / d``; its limit for d = 0.

    The mean of ``psi(n + a + t) - psi(a + t)`` for t from 0 to d: differences of large logarithms
    would lose the digits. The pole at ``a + t = 0`` is taken off first.
    """
    safe = np.where(d > 0, d, 1.0)
    pole = np.where(d > 0, np.log1p(safe / a) / safe, 1 / a)
    rest = [
        weight * _digamma_growth(n - 1, a + 1 + d * node)
        for node, weight in zip(_NODES, _WEIGHTS, strict=True)
    ]
    return np.asarray(pole + np.sum(rest, axis=0), np.float64)


def _digamma_growth(n: NDArray[np.float64], a: NDArray[np.float64]) -> NDArray[np.float64]:
    """``psi(n + a) - psi(a)``, also where both are equal to the last digit."""
    large, far = np.maximum(a, _LARGE), np.maximum(a, _LARGE) + n
    series = np.log1p(n / large) - (1 / far - 1 / large) / 2 - (1 / far**2 - 1 / large**2) / 12
    small = np.minimum(a, _LARGE)
    return np.where(a > _LARGE, series, digamma(n + small) - digamma(small))
