"""How often the grey levels of two scans meet, at places that move: one step of a registration.

Compiled once and cached by numba; a search asks some ten thousand times.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]


@numba.njit(cache=True, nogil=True)
def joint_counts(
    points: Floats, levels: NDArray[np.int64], to_index: Floats, values: Floats, bounds: Floats
) -> tuple[NDArray[np.int64], int]:
    """Counts of each pair of levels, of the places that lie in the moving scan.

    Parameters
    ----------
    points : (N, 3) float64 ndarray
        Places, mm.
    levels : (N,) int64 ndarray
        Of the fixed scan there, not negative.
    to_index : (4, 4) float64 ndarray
        Places to index of `values`.
    values : (I, J, K) float32 ndarray
        Of the moving scan; interpolated linearly.
    bounds : (L,) float32 ndarray
        Between its levels, rising.

    Returns
    -------
    (M, L + 1) int64 ndarray
        M is the highest of `levels`, and one.
    int
        Places that lie in the moving scan.
    """
    counts = np.zeros((levels.max() + 1, len(bounds) + 1), np.int64)
    inside = 0
    last = values.shape[0] - 1, values.shape[1] - 1, values.shape[2] - 1
    for n in range(len(points)):
        x, y, z = points[n]
        i = to_index[0, 0] * x + to_index[0, 1] * y + to_index[0, 2] * z + to_index[0, 3]
        j = to_index[1, 0] * x + to_index[1, 1] * y + to_index[1, 2] * z + to_index[1, 3]
        k = to_index[2, 0] * x + to_index[2, 1] * y + to_index[2, 2] * z + to_index[2, 3]
        if not (0 <= i <= last[0] and 0 <= j <= last[1] and 0 <= k <= last[2]):
            continue
        inside += 1
        a, b, c = min(int(i), last[0] - 1), min(int(j), last[1] - 1), min(int(k), last[2] - 1)
        u, v, w = i - a, j - b, k - c
        value = (1 - u) * (
            (1 - v) * ((1 - w) * values[a, b, c] + w * values[a, b, c + 1])
            + v * ((1 - w) * values[a, b + 1, c] + w * values[a, b + 1, c + 1])
        ) + u * (
            (1 - v) * ((1 - w) * values[a + 1, b, c] + w * values[a + 1, b, c + 1])
            + v * ((1 - w) * values[a + 1, b + 1, c] + w * values[a + 1, b + 1, c + 1])
        )
        level = 0
        for bound in bounds:
            level += bound < value
        counts[levels[n], level] += 1
    return counts, inside
