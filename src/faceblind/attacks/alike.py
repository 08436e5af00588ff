"""How alike two samples of voxels are."""

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
