"""Parts of a volume that hold one value: never acquired, or wiped by a scanner or a tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.grid import Mask, dilate

FINE_MM = 0.8
COARSE_MM = 2.6
"""Blocks have 8 voxels along axes of finer spacing than the first, 2 along those of coarser spacing
than the second, else 4: a block of noise hardly holds one value then, however often noise is 0."""
FEWEST_BLOCKS = 0.002
"""Share of all blocks below which one value is no part of a volume."""
BROAD_MM = 12.0
"""Half the width of a box that fits into padding; gaps in a face's outline hold no such box."""
FEWEST_CORNERS = 6
"""Of a volume's eight: padding brighter than air covers them, a table does not."""
FEWEST_PLANES = 3
"""Planes of one value at a border that count as padding where no more of it is found: scanners
leave one or two."""
CT_AIR = -1000.0
"""Hounsfield units of air by definition; padding outside the scanner's circle lies below."""
PADDING_GAP = 0.4
"""Padding of other units lies below air by at least this share of the range from air to bone; so
far below lie -2000 and -3024 Hounsfield units."""
BRIGHT_PADDING = 0.1
"""Padding brighter than the darkest twentieth by more than this share of the range is not air."""
AIR_WIDTH = 0.15
"""The same for the width of air: its darkest fifth of what is not padding."""
_MOST_VALUES = 4
_THIN_BLOCKS = 8


def padding_as_air(values: NDArray[Any], spacing: NDArray[np.floating]) -> NDArray[Any]:
    """A volume whose padding has the level of air, so that it is neither darker nor tissue.

    Parameters
    ----------
    values : (I, J, K) ndarray
        Finite.
    spacing : (3,) ndarray
        Voxel size, mm.
    """
    low, some = float(values.min()), values[::4, ::4, ::4]
    # Padding is one exact value; without that test, MR units with an offset would be cut.
    if (some == low).mean() > 0.005:
        air = CT_AIR if low < CT_AIR else _air_above(some, low)
        if air is not None:
            values = np.maximum(values, values.dtype.type(air))
    return _without_bright_padding(values, spacing)


def _air_above(values: NDArray[Any], low: float) -> float | None:
    """Level of air far above padding, as in CT of shifted units; None where `low` is no padding.

    Air is a narrow group at the lower end of what is not padding; the edges of a head in wiped air
    are none.
    """
    rest = values[values > low]
    if not rest.size:
        return None
    first, fifth, top = (float(q) for q in np.quantile(rest, (0.01, 0.2, 0.98)))
    is_padding = first - low > PADDING_GAP * (top - first)
    return first if is_padding and fifth - first < AIR_WIDTH * (top - first) else None


def _without_bright_padding(values: NDArray[Any], spacing: NDArray[np.floating]) -> NDArray[Any]:
    """Air in place of padding that is brighter, such as 0 in Hounsfield units around a circle."""
    found, counts = np.unique(corners(values), return_counts=True)
    value, some = found[counts.argmax()], values[::4, ::4, ::4]
    rest = some[some != value]
    if counts.max() < FEWEST_CORNERS or not rest.size:
        return values
    dark, top = (float(q) for q in np.quantile(rest, (0.05, 0.98)))
    if float(value) - dark <= BRIGHT_PADDING * (top - dark):
        return values
    blocks = blocks_of(values, spacing)
    flat = (blocks.low == value) & (blocks.high == value)
    padding = voxels_of(values, value, broad(flat, blocks.reach(spacing)), blocks)
    # Interpolation leaves a shell between padding and air that would close like skin.
    return np.where(dilate(padding, 1), values.dtype.type(dark), values)


@dataclass(frozen=True)
class Blocks:
    """The extremes of a volume in small blocks.

    Attributes
    ----------
    low, high : (A, B, C) ndarray
        Least and greatest value of each block.
    size : tuple of int
        Voxels of a block along each axis; the last blocks may hold fewer.
    """

    low: NDArray[Any]
    high: NDArray[Any]
    size: tuple[int, int, int]

    @property
    def shape(self) -> tuple[int, ...]:
        """(A, B, C) number of blocks along each axis."""
        return self.low.shape

    def reach(self, spacing: NDArray[np.floating]) -> tuple[int, ...]:
        """Blocks in `BROAD_MM` along each axis, at least one; `spacing` is the voxel size, mm."""
        steps = zip(self.size, spacing, strict=True)
        return tuple(max(1, round(BROAD_MM / (step * float(mm)))) for step, mm in steps)

    def of_one_value(self) -> list[tuple[Any, Mask]]:
        """Values that fill whole blocks, the most frequent first, and (A, B, C) where they do."""
        flat = self.low == self.high
        values, counts = np.unique(self.low[flat], return_counts=True)
        often = np.argsort(-counts, kind="stable")[:_MOST_VALUES]
        often = often[counts[often] >= max(2, FEWEST_BLOCKS * flat.size)]
        return [(values[k], flat & (self.low == values[k])) for k in often]


def blocks_of(volume: NDArray[Any], spacing: NDArray[np.floating]) -> Blocks:
    """Least and greatest value in each block of a volume.

    Parameters
    ----------
    volume : (I, J, K) ndarray
        Finite.
    spacing : (3,) ndarray
        Voxel size, mm.
    """
    halvings = [3 if mm < FINE_MM else 2 if mm < COARSE_MM else 1 for mm in spacing]
    low = high = volume
    for axis, times in enumerate(halvings):
        for _ in range(times):
            low, high = _halved(low, axis, np.minimum), _halved(high, axis, np.maximum)
    first, second, third = (2**times for times in halvings)
    return Blocks(low, high, (first, second, third))


def _halved(values: NDArray[Any], axis: int, extreme: np.ufunc) -> NDArray[Any]:
    """Extremes of pairs of neighbours; the last may have none."""
    first = [slice(None)] * 3
    second = list(first)
    first[axis], second[axis] = slice(0, None, 2), slice(1, None, 2)
    out = values[tuple(first)].copy()
    other = values[tuple(second)]
    paired = list(first)
    paired[axis] = slice(0, other.shape[axis])
    extreme(out[tuple(paired)], other, out=out[tuple(paired)])
    return out


def broad(mask: Mask, reach: tuple[int, ...]) -> Mask:
    """What of a mask lies in boxes of ``2 * reach + 1`` that fit into it; it goes on outside.

    Parameters
    ----------
    mask : (A, B, C) bool ndarray
    reach : tuple of int
        Along each axis.
    """
    margin = [(2 * r, 2 * r) for r in reach]
    out = np.pad(mask, margin, mode="edge").view(np.uint8)
    for axis, r in enumerate(reach):
        out = ndimage.minimum_filter1d(out, 2 * r + 1, axis)
    for axis, r in enumerate(reach):
        out = ndimage.maximum_filter1d(out, 2 * r + 1, axis)
    inner = tuple(slice(2 * r, n + 2 * r) for r, n in zip(reach, mask.shape, strict=True))
    return np.ascontiguousarray(out[inner]).view(bool)


def border_layers(volume: NDArray[Any]) -> list[tuple[tuple[slice, ...], Any, int]]:
    """Layers of one value at the border of a volume: an index, the value, the number of planes.

    They may be too thin for a block. A constant volume has none.
    """
    found = []
    for axis, count in enumerate(volume.shape):
        for planes, first in (
            (np.moveaxis(volume, axis, 0), True),
            (np.moveaxis(volume, axis, 0)[::-1], False),
        ):
            value, thick = planes[0].flat[0], 0
            while thick < count and (planes[thick] == value).all():
                thick += 1
            if 0 < thick < count:
                index = [slice(None)] * 3
                index[axis] = slice(0, thick) if first else slice(count - thick, count)
                found.append((tuple(index), value, thick))
    return found


def corners(volume: NDArray[Any]) -> NDArray[Any]:
    """(8,) values at the corners of a volume or mask."""
    return volume[np.ix_(*[(0, n - 1) for n in volume.shape])].ravel()


def voxels_of(volume: NDArray[Any], value: Any, core: Mask, blocks: Blocks) -> Mask:
    """(I, J, K) voxels of one value in and about some blocks, without its lone voxels in noise.

    Parameters
    ----------
    volume : (I, J, K) ndarray
    value : number
    core : (A, B, C) bool ndarray
        Blocks of that value.
    blocks : Blocks
        Of the volume.
    """
    # Where a circle touches the border, padding is thinner than a block for centimetres.
    near = dilate(core, _THIN_BLOCKS)
    for axis, step in enumerate(blocks.size):
        near = np.repeat(near, step, axis=axis)
    same = (volume == value) & near[tuple(slice(n) for n in volume.shape)]
    # A cube of three voxels to a side: even where most of the noise is 0 hardly one is all 0.
    cubes = np.pad(same, 1, mode="edge")
    for extreme in (np.logical_and, np.logical_or):
        for axis in range(3):
            cubes = _neighbours(cubes, axis, extreme)
    # A plane that runs obliquely through voxels has steps into which no cube fits.
    return dilate(cubes[1:-1, 1:-1, 1:-1], 1) & same


def _neighbours(values: Mask, axis: int, extreme: np.ufunc) -> Mask:
    """Whether all, or any, of each voxel and its two neighbours along an axis are true."""
    out = values.copy()
    a, b = np.moveaxis(out, axis, 0), np.moveaxis(values, axis, 0)
    extreme(a[1:], b[:-1], out=a[1:])
    extreme(a[:-1], b[1:], out=a[:-1])
    return out
