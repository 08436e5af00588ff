"""Regular grids in world space: resampling and fast binary morphology.

Axes are kept in memory order (slowest first) rather than in RAS order: the affine carries the
difference, and nothing has to be transposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceblind.scan import Scan, memory_axes

_COLUMNS = 1 << 14
_BITS = 64
Mask = NDArray[np.bool_]
Volume = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Values on a regular grid.

    Parameters
    ----------
    values : (I, J, K) ndarray
        C-contiguous.
    affine : (4, 4) float64 ndarray
        Index to RAS+ millimetres.
    """

    values: NDArray[Any]
    affine: NDArray[np.float64]

    @property
    def spacing(self) -> NDArray[np.float64]:
        """(3,) voxel size in millimetres."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    def like(self, values: NDArray[Any]) -> Grid:
        """Other values on the same grid."""
        return Grid(values, self.affine)


def from_scan(scan: Scan) -> Grid:
    """First volume of `scan` with its axes in memory order; copies only when it must."""
    volume = scan.volume(0)
    order = np.argsort([-abs(stride) for stride in volume.strides], kind="stable")
    values = np.ascontiguousarray(volume.transpose(order))
    affine = np.array(scan.affine)
    affine[:, :3] = affine[:, order]
    return Grid(values, affine)


def resize(values: NDArray[Any], shape: tuple[int, ...], *, cubic: bool = False) -> Volume:
    """Resample to `shape` over the same extent: area average down, linear or cubic up.

    Parameters
    ----------
    values : (I, J, K) ndarray
    shape : tuple of int
        New (I, J, K).
    """
    out = np.ascontiguousarray(values)
    # Shrinking axes first keeps the intermediate arrays small.
    for axis in sorted(range(3), key=lambda a: shape[a] / values.shape[a]):
        if shape[axis] != out.shape[axis]:
            out = _resize_axis(out, axis, shape[axis], cubic)
    return out if out.dtype == np.float32 else out.astype(np.float32)


def is_positive(values: NDArray[Any], shape: tuple[int, ...]) -> Mask:
    """Where :func:`resize` to a finer `shape` is above 0, without the float volume in memory.

    Parameters
    ----------
    values : (I, J, K) ndarray
    shape : tuple of int
        New (I, J, K).
    """
    flat = resize(values, (values.shape[0], *shape[1:])).reshape(values.shape[0], -1)
    out = np.empty((shape[0], flat.shape[1]), bool)
    for start in range(0, flat.shape[1], _COLUMNS):
        part = np.ascontiguousarray(flat[:, start : start + _COLUMNS])
        column = resize(part[:, :, None], (shape[0], part.shape[1], 1))
        np.greater(column[:, :, 0], 0, out=out[:, start : start + _COLUMNS])
    return out.reshape(shape)


def _resize_axis(values: NDArray[Any], axis: int, size: int, cubic: bool) -> Volume:
    up = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    how = cv2.INTER_AREA if size < values.shape[axis] else up
    a, b, c = values.shape
    if axis == 2:
        rows = values.reshape(a * b, c).astype(np.float32, copy=False)
        out = cv2.resize(rows, (size, a * b), interpolation=how)
        return np.asarray(out, np.float32).reshape(a, b, size)
    if axis == 0:
        rows = values.reshape(a, b * c).astype(np.float32, copy=False)
        out = cv2.resize(rows, (b * c, size), interpolation=how)
        return np.asarray(out, np.float32).reshape(size, b, c)
    stack = np.empty((a, size, c), np.float32)
    for i in range(a):
        stack[i] = cv2.resize(
            values[i].astype(np.float32, copy=False), (c, size), interpolation=how
        )
    return stack


def resized_affine(
    affine: NDArray[np.float64], old: tuple[int, ...], new: tuple[int, ...]
) -> NDArray[np.float64]:
    """Affine of a grid of shape `old` after :func:`resize` to `new`."""
    factor = np.array(old, float) / np.array(new, float)
    change = np.eye(4)
    change[range(3), range(3)] = factor
    change[:3, 3] = (factor - 1) / 2
    return affine @ change


def regrid(grid: Grid, spacing: NDArray[np.float64]) -> Grid:
    """`grid` resampled as near to `spacing` (3,) mm as whole voxels over its extent allow."""
    old = grid.values.shape
    size = np.maximum(1, np.round(np.array(old) * grid.spacing / spacing)).astype(int)
    new = tuple(int(n) for n in size)
    return Grid(resize(grid.values, new), resized_affine(grid.affine, old, new))


def blur(values: Volume, sigma: tuple[float, ...] | NDArray[np.float64]) -> Volume:
    """Gaussian of `sigma` (3,) voxels, edges replicated; several times faster than scipy's."""
    out = values
    a, b, c = values.shape
    border = cv2.BORDER_REPLICATE
    for axis, s in enumerate(sigma):
        radius = int(np.ceil(3 * s))
        if s < 0.1 or values.shape[axis] == 1:
            continue
        kernel = cv2.getGaussianKernel(2 * radius + 1, float(s), cv2.CV_32F)
        one = np.ones((1, 1), np.float32)
        if axis == 2:
            flat = cv2.sepFilter2D(out.reshape(a * b, c), -1, kernel, one, borderType=border)
            out = np.asarray(flat, np.float32).reshape(a, b, c)
        elif axis == 0:
            flat = cv2.sepFilter2D(out.reshape(a, b * c), -1, one, kernel, borderType=border)
            out = np.asarray(flat, np.float32).reshape(a, b, c)
        else:
            new = np.empty_like(out)
            for i in range(a):
                new[i] = cv2.sepFilter2D(out[i], -1, one, kernel, borderType=border)
            out = new
    return out


def dilate(mask: Mask, steps: int) -> Mask:
    """Dilation by about `steps` voxels in a rounded shape (crosses and cubes by turns)."""
    a, b, c = mask.shape
    # 64 voxels of the last axis are the bits of one word.
    wide = np.zeros((a, b, -(-c // _BITS) * _BITS), bool)
    wide[:, :, :c] = mask
    packed = np.packbits(wide.reshape(-1), bitorder="little")
    words: NDArray[np.uint64] = packed.view("<u8").reshape(a, b, -(-c // _BITS))
    for step in range(steps):
        words = _grown(words, cube=step % 3 == 1)
    bits = np.unpackbits(words.view(np.uint8).reshape(-1), bitorder="little")
    return np.ascontiguousarray(bits.view(bool).reshape(wide.shape)[:, :, :c])


def erode(mask: Mask, steps: int) -> Mask:
    """Erosion by about `steps` voxels; beyond the border counts as inside."""
    return ~dilate(~mask, steps)


def _grown(words: NDArray[np.uint64], *, cube: bool) -> NDArray[np.uint64]:
    """Packed voxels grown by one: each by its six neighbours, or by all that touch it."""
    first, last = (slice(None, -1),), (slice(1, None),)
    out, one, top = words.copy(), np.uint64(1), np.uint64(_BITS - 1)
    for axis in range(3):
        if cube and axis:
            words = out.copy()
        rest = (slice(None),) * axis
        if axis == 2:
            # What is shifted beyond the mask's end comes from its last voxel, and returns there.
            out |= words << one
            out |= words >> one
            out[rest + last] |= words[rest + first] >> top
            out[rest + first] |= words[rest + last] << top
        else:
            out[rest + last] |= words[rest + first]
            out[rest + first] |= words[rest + last]
    return out


def memory_order(scan: Scan) -> NDArray[np.int64]:
    """Axes of a scan's volume, slowest in memory first, as `faceblind.geometry.grid.from_scan`."""
    return memory_axes(scan.volume(0))
