"""Functions of plain arrays: correlation, a smooth step."""

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


def smooth_step(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """From 0 below 0 to 1 above 1, level at both."""
    part = np.clip(values, 0.0, 1.0)
    return np.asarray(part * part * (3.0 - 2.0 * part), np.float64)
