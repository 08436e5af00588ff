"""Sets of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def thin(
    points: NDArray[np.floating], step_mm: float, origin: NDArray[np.floating] | None = None
) -> NDArray[np.int64]:
    """Indices of an even subset: the first point in each cube of side `step_mm`.

    Parameters
    ----------
    points : (N, 3) ndarray
        Millimetres.
    step_mm : float
    origin : (3,) ndarray, optional
        Where a cube begins; by default the lowest corner of the points.
    """
    if not len(points):
        return np.zeros(0, np.int64)
    start = points.min(axis=0) if origin is None else origin
    cell = np.floor((points - start) / step_mm).astype(np.int64)
    cell -= cell.min(axis=0)
    size = cell.max(axis=0) + 1
    key = (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2]
    return np.sort(np.unique(key, return_index=True)[1])
