"""Values between the voxels of a volume."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_FEW = 1000
"""Places up to which scipy's own loop is quicker."""


def trilinear(values: NDArray[np.float32], index: NDArray[np.float64]) -> NDArray[np.float32]:
    """Linear interpolation within a volume: `scipy.ndimage.map_coordinates`, bit for bit.

    In half the time for thousands of places.

    Parameters
    ----------
    values : (I, J, K) float32 ndarray
        In C order.
    index : (3, N) float64 ndarray
        Places in voxels, each from 0 to the last.

    Returns
    -------
    (N,) float32 ndarray
    """
    if index.shape[1] <= _FEW:
        found = ndimage.map_coordinates(values, index, order=1, mode="nearest")
        return np.asarray(found, np.float32)
    below = np.floor(index)
    above_weight = index - below
    low = below.astype(np.intp)
    ends = []
    for axis, (size, stride) in enumerate(zip(values.shape, _strides(values.shape), strict=True)):
        high = np.minimum(low[axis] + 1, size - 1)
        weight = above_weight[axis]
        ends.append(((low[axis] * stride, 1.0 - weight), (high * stride, weight)))
    flat = values.ravel()
    total = np.zeros(index.shape[1])
    # Products and sums in scipy's order.
    for (i, a), (j, b), (k, c) in product(*ends):
        part = flat.take(i + j + k) * a
        part *= b
        part *= c
        total += part
    return total.astype(np.float32)


def _strides(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Places in the flat array from one voxel to the next along each axis."""
    return shape[1] * shape[2], shape[2], 1
