"""Loops in machine code, with the bits of what they replace; see `faceblind.geometry.long_runs`.

numba compiles them once for each installation and keeps the result on disk. Without fast maths it
neither reorders sums nor fuses products into them.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numba.core.types import Array, Tuple, boolean, float32, float64, int64
from numpy.typing import NDArray

_LEAF = 12
"""Points of a leaf: fewer cost more steps down the tree, more cost distances."""
_DEEPEST = 64
"""Branches that wait at most: a balanced tree of any size that fits into memory is less deep."""
# Types are given so that everything is compiled, or read from disk, while this module is imported.
_VOLUME = Array(float32, 3, "C", readonly=True)
_MASK = Array(boolean, 3, "C", readonly=True)
_ROWS = Array(float64, 2, "C", readonly=True)
_WHICH = Array(int64, 1, "C", readonly=True)


@numba.njit(cache=True, nogil=True)
def _clipped(place: float, last: int) -> float:
    """Within the volume, even what is no number: nothing checks later where it leads."""
    place = place if place > 0.0 else 0.0
    return place if place < last else float(last)


@numba.njit(cache=True, nogil=True)
def _between(values: NDArray[np.float32], x: float, y: float, z: float) -> float:
    last = values.shape[0] - 1, values.shape[1] - 1, values.shape[2] - 1
    x, y, z = _clipped(x, last[0]), _clipped(y, last[1]), _clipped(z, last[2])
    i, j, k = int(x), int(y), int(z)
    up, vp, wp = x - i, y - j, z - k
    u, v, w = 1.0 - up, 1.0 - vp, 1.0 - wp
    ip, jp, kp = min(i + 1, last[0]), min(j + 1, last[1]), min(k + 1, last[2])
    # Products and sums in scipy's order.
    total = values[i, j, k] * u * v * w
    total += values[i, j, kp] * u * v * wp
    total += values[i, jp, k] * u * vp * w
    total += values[i, jp, kp] * u * vp * wp
    total += values[ip, j, k] * up * v * w
    total += values[ip, j, kp] * up * v * wp
    total += values[ip, jp, k] * up * vp * w
    total += values[ip, jp, kp] * up * vp * wp
    return total


@numba.njit(float32[::1](_VOLUME, _ROWS), cache=True, nogil=True)
def trilinear(values: NDArray[np.float32], index: NDArray[np.float64]) -> NDArray[np.float32]:
    """`faceblind.geometry.interpolation.trilinear_at`; places are finite."""
    found = np.empty(index.shape[1], np.float32)
    for n in range(index.shape[1]):
        found[n] = _between(values, index[0, n], index[1, n], index[2, n])
    return found


@numba.njit(float32[:, :, ::1](_VOLUME, _ROWS, _MASK), cache=True, nogil=True)
def trilinear_on_grid(
    values: NDArray[np.float32],
    to_index: NDArray[np.float64],
    chosen: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """`faceblind.geometry.interpolation.trilinear_on_grid`; `chosen` in the grid's shape."""
    found = np.zeros(chosen.shape, np.float32)
    place = np.empty(3)
    for i in range(chosen.shape[0]):
        for j in range(chosen.shape[1]):
            for k in range(chosen.shape[2]):
                if chosen[i, j, k]:
                    for row in range(3):
                        a, b, c, shift = to_index[row]
                        # Sums in scipy's order.
                        place[row] = a * i + b * j + c * k + shift
                    found[i, j, k] = _between(values, place[0], place[1], place[2])
    return found


@numba.njit(cache=True, nogil=True)
def _halve(rows: NDArray[np.int64], values: NDArray[np.float64], middle: int) -> None:
    """Order rows in place so that those before the middle have no larger values (Hoare 1961)."""
    low, high = 0, len(rows) - 1
    while low < high:
        pivot = values[rows[(low + high) // 2]]
        i, j = low, high
        while i <= j:
            while values[rows[i]] < pivot:
                i += 1
            while values[rows[j]] > pivot:
                j -= 1
            if i <= j:
                rows[i], rows[j] = rows[j], rows[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


@numba.njit(Tuple((int64[::1], int64[::1], float64[:, ::1]))(_ROWS), cache=True, nogil=True)
def plant(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """A balanced tree of (P, 3) points for `closest`: node n lies above 2 n + 1 and 2 n + 2.

    Returns
    -------
    order : (P,) int64 ndarray
        The points of each leaf side by side.
    starts : (L + 1,) int64 ndarray
        Where in `order` a leaf begins, and the last ends.
    boxes : (2 L - 1, 6) float64 ndarray
        Lowest and highest corner of a node's points; the leaves come last.
    """
    leaves = 1
    while leaves * _LEAF < len(points):
        leaves *= 2
    order = np.arange(len(points))
    begins, ends = np.zeros(2 * leaves - 1, np.int64), np.zeros(2 * leaves - 1, np.int64)
    boxes = np.empty((2 * leaves - 1, 6))
    ends[0] = len(points)
    for node in range(2 * leaves - 1):
        begin, end = begins[node], ends[node]
        here, box = order[begin:end], boxes[node]
        box[:3], box[3:] = np.inf, -np.inf
        for point in here:
            for axis in range(3):
                box[axis] = min(box[axis], points[point, axis])
                box[3 + axis] = max(box[3 + axis], points[point, axis])
        if node < leaves - 1:
            middle = (end - begin) // 2
            _halve(here, points[:, np.argmax(box[3:] - box[:3])], middle)
            begins[2 * node + 1], ends[2 * node + 1] = begin, begin + middle
            begins[2 * node + 2], ends[2 * node + 2] = begin + middle, end
    starts = np.empty(leaves + 1, np.int64)
    starts[:-1], starts[-1] = begins[leaves - 1 :], len(points)
    return order, starts, boxes


@numba.njit(cache=True, nogil=True)
def _square_to_box(x: float, y: float, z: float, box: NDArray[np.float64]) -> float:
    a = max(box[0] - x, x - box[3], 0.0)
    b = max(box[1] - y, y - box[4], 0.0)
    c = max(box[2] - z, z - box[5], 0.0)
    return a * a + b * b + c * c


@numba.njit(
    Tuple((float64[::1], int64[::1]))(_ROWS, _WHICH, _WHICH, _ROWS, _ROWS), cache=True, nogil=True
)
def closest(
    points: NDArray[np.float64],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    boxes: NDArray[np.float64],
    places: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distance to the closest of the points of a tree, and its row, for each of (N, 3) places.

    `points` lie in the tree's `order`. Each search begins with what the place before found, which
    is seldom far off: places come in rows.
    """
    first_leaf = len(starts) - 2
    distance, nearest = np.empty(len(places)), np.empty(len(places), np.int64)
    waiting, squares = np.empty(_DEEPEST, np.int64), np.empty(_DEEPEST)
    best = 0
    for n in range(len(places)):
        x, y, z = places[n]
        a, b, c = x - points[best, 0], y - points[best, 1], z - points[best, 2]
        least = a * a + b * b + c * c
        waiting[0], squares[0], count = 0, 0.0, 1
        while count:
            count -= 1
            node = waiting[count]
            if squares[count] > least:
                continue
            if node >= first_leaf:
                for p in range(starts[node - first_leaf], starts[node - first_leaf + 1]):
                    a, b, c = x - points[p, 0], y - points[p, 1], z - points[p, 2]
                    square = a * a + b * b + c * c
                    if square < least:
                        least, best = square, p
                continue
            near, far = 2 * node + 1, 2 * node + 2
            near_square = _square_to_box(x, y, z, boxes[near])
            far_square = _square_to_box(x, y, z, boxes[far])
            if far_square < near_square:
                near, far, near_square, far_square = far, near, far_square, near_square
            waiting[count], squares[count] = far, far_square
            waiting[count + 1], squares[count + 1] = near, near_square
            count += 2
        distance[n], nearest[n] = math.sqrt(least), order[best]
    return distance, nearest
