"""Functions of plain arrays: correlation, order statistics, a smooth step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Pearson's correlation of two (N,) samples; 0 where one of them does not vary.

    Parameters
    ----------
    a, b : (N,) ndarray
        At least two values each.
    """
    if not np.ptp(a) or not np.ptp(b):
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def median(values: NDArray[np.floating]) -> float:
    """`numpy.median` of many values, to the last bit and several times faster.

    Parameters
    ----------
    values : (N,) ndarray
        One or more, none NaN.
    """
    half = len(values) // 2
    # NumPy selects one place by vector instructions, but not the three that its own median asks.
    parted = np.partition(values, half)
    if len(values) % 2:
        return float(parted[half])
    return float(np.mean(np.array([parted[:half].max(), parted[half]])))


def quantile(values: NDArray[np.floating], share: float) -> float:
    """`numpy.quantile` of many values, to the last bit and several times faster.

    Parameters
    ----------
    values : (N,) ndarray
        One or more, none NaN.
    share : float
        0 to 1.
    """
    place = (len(values) - 1) * share
    above = min(int(place) + 1, len(values) - 1)
    part = place - int(place)
    parted = np.partition(values, above)
    high = parted[above]
    low = parted[:above].max() if above > int(place) else high
    # The nearer end is the one that the step is taken from.
    return float(high - (high - low) * (1.0 - part) if part >= 0.5 else low + (high - low) * part)


def smooth_step(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """From 0 below 0 to 1 above 1, level at both."""
    part = np.clip(values, 0.0, 1.0)
    return np.asarray(part * part * (3.0 - 2.0 * part), np.float64)
