"""Sets of points."""

from __future__ import annotations

from types import ModuleType
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.geometry.long_runs import kernels

_LEAF = 48
"""Points of a leaf. Queries from afar meet many leaves, each at the cost of a search: with 16, as
is usual, they take a half more, queries from near as long."""
_MOST_CELLS = 20
"""Cubes for each point up to which a table of all of them is quicker than sorting."""


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
    cells = int(size.prod())
    if cells > _MOST_CELLS * len(points):
        return np.sort(np.unique(key, return_index=True)[1])
    # Of several values that are assigned to one place, the last stays.
    first = np.full(cells, len(points), np.int32)
    first[key[::-1]] = np.arange(len(points), dtype=np.int32)[::-1]
    kept = np.zeros(len(points) + 1, bool)
    kept[first] = True
    return np.flatnonzero(kept[:-1])


def unique_rows(index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Different rows in ascending order, as `numpy.unique` along axis 0 gives them.

    Parameters
    ----------
    index : (N, 3) int64 ndarray
        Voxels: within a box that fits into memory.
    """
    if not len(index):
        return index
    low = index.min(axis=0)
    box = tuple(int(n) for n in index.max(axis=0) - low + 1)
    present = np.zeros(box, bool)
    present[tuple((index - low).T)] = True
    return np.argwhere(present) + low


class Tree(Protocol):
    """Points, ready to be asked for the closest."""

    def query(self, places: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """(N,) distance to the closest point, and its row, for each of (N, 3) places."""
        ...


class _CompiledTree:
    """The answers of `scipy.spatial.cKDTree` in a third of the time."""

    def __init__(self, points: NDArray[np.float64], compiled: ModuleType) -> None:
        self._compiled = compiled
        order, starts, boxes = compiled.plant(points)
        self._tree = points[order], order, starts, boxes

    def query(self, places: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """As `Tree.query`."""
        where = np.ascontiguousarray(places, np.float64)
        if not np.isfinite(where).all():
            raise ValueError("places must be finite")
        distance, row = self._compiled.closest(*self._tree, where)
        return distance, row


def tree_of(points: NDArray[np.floating]) -> Tree:
    """A tree for the closest of (N, 3) points, some near to the places that are asked for, some
    far.
    """
    compiled = kernels()
    if compiled and len(points):
        return _CompiledTree(np.ascontiguousarray(points, np.float64), compiled)
    # Of arrays, it gives arrays.
    return cast("Tree", cKDTree(points, leafsize=_LEAF, balanced_tree=False))
