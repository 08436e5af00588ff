"""Air that looks like the scan's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from faceblind.head.air import CT_AIR
from faceblind.head.brain import template_fields
from faceblind.head.grid import Volume, blur, is_positive
from faceblind.head.lead import volumes
from faceblind.protect.regions import memory_order, working_grid
from faceblind.protect.trend import FEWEST_SAMPLES, Trend, find_trend
from faceblind.scan import Scan

CLEAR_MM = 25.0
"""Air this far outside the template head is sampled: no person's skin reaches there."""
PADDING_GAP = 0.15
"""Padding lies below air by at least this share of the contrast between air and the brightest
tissue: -2000 or -3024 Hounsfield units do, the zeros of MR do not."""
_MOST_SAMPLES = 200_000
_BLOCK = 32
_LEVELS = 4096
_REACH_SIGMAS = 4.0


@dataclass(frozen=True)
class Air:
    """Distribution and texture of a volume's air.

    Attributes
    ----------
    sample : (N,) float32 ndarray
        Sorted intensities.
    sigma : (3,) float64 ndarray
        Gaussian (voxels, memory order) that gives independent noise the air's correlation.
    trend : Trend or None
        By what the sample is to be multiplied from place to place; None where it is the same.
    """

    sample: NDArray[np.float32]
    sigma: NDArray[np.float64]
    trend: Trend | None = None

    @property
    def level(self) -> float:
        """Median intensity."""
        return float(self.sample[len(self.sample) // 2])

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """Intensities for evenly spaced values of unit Gaussian noise."""
        grid = np.linspace(-_REACH_SIGMAS, _REACH_SIGMAS, _LEVELS)
        rank = special.ndtr(grid) * (len(self.sample) - 1)
        return np.interp(rank, np.arange(len(self.sample)), self.sample).astype(np.float32)

    @property
    def is_constant(self) -> bool:
        """Whether the scanner wiped the air."""
        return bool(self.sample[0] == self.sample[-1])


def clear_air(scan: Scan, affine: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(I, J, K) bool in memory order: air far from any head, above the shoulders.

    Parameters
    ----------
    scan : Scan
    affine : (4, 4) float64 ndarray
        Scan mm to template mm.
    """
    order = memory_order(scan)
    shape = tuple(scan.shape[axis] for axis in order)
    grid = working_grid(scan)
    total = affine @ grid.affine
    outside = -template_fields().on_grid("depth", total, grid.values.shape) - CLEAR_MM
    i, j, k = np.ogrid[tuple(slice(n) for n in grid.values.shape)]
    height = total[2, 0] * i + total[2, 1] * j + total[2, 2] * k + total[2, 3]
    outside = np.minimum(outside, (height + 60.0).astype(np.float32))
    return is_positive(outside, shape)


def measure_air(volume: NDArray[Any], clear: NDArray[np.bool_]) -> Air:
    """Distribution and correlation of the air of one volume.

    Ghosts, holders and wrapped skin are left out by a robust bound, so that their values are not
    copied into the fill.

    Parameters
    ----------
    volume : (I, J, K) ndarray
        In memory order.
    clear : (I, J, K) bool ndarray
        Where to look; the darkest twentieth of the volume if that holds too little.
    """
    places = _some_places(clear)
    values = volume[places]
    if values.size < FEWEST_SAMPLES:
        some = volume[::2, ::2, ::2]
        some = some[some <= np.quantile(some, 0.05)]
        values = some[:: max(1, some.size // _MOST_SAMPLES)]
    trend = find_trend(places, values.astype(np.float32), volume.shape)
    factor = np.float32(1.0) if trend is None else trend.at(places)
    values = values / factor
    values = _without_padding(np.sort(values.astype(np.float32)), volume)
    median = values[len(values) // 2]
    low, high = np.quantile(values, [0.1587, 0.8413])
    spread = max(float(high - low) / 2, float(median - low), 1e-6 * abs(float(median)))
    kept = values[(values >= median - 5 * spread) & (values <= median + 4 * spread)]
    texture = _texture(volume, clear, places, factor, float(median), spread)
    return Air(kept if kept.size else values, texture, trend)


def _without_padding(values: NDArray[np.float32], volume: NDArray[Any]) -> NDArray[np.float32]:
    """Sorted air without the one value that fills what a CT scanner's circle does not reach."""
    rest = values[values > values[0]]
    share = 1.0 - len(rest) / len(values)
    if len(rest) < 1000 or share < 0.005:
        return values
    if values[0] < CT_AIR:
        return rest
    gap = float(rest[len(rest) // 50] - values[0])
    contrast = float(np.quantile(volume[::4, ::4, ::4], 0.98)) - float(rest[len(rest) // 2])
    return rest if gap > PADDING_GAP * contrast else values


def _some_places(clear: NDArray[np.bool_]) -> tuple[NDArray[np.int64], ...]:
    """Indices (three arrays) of evenly taken places of a mask, in the order of memory."""
    flat = np.flatnonzero(clear)
    return np.unravel_index(flat[:: max(1, flat.size // _MOST_SAMPLES)], clear.shape)


def _texture(
    volume: NDArray[Any],
    clear: NDArray[np.bool_],
    places: tuple[NDArray[np.int64], ...],
    factor: NDArray[np.float32] | np.float32,
    level: float,
    spread: float,
) -> NDArray[np.float64]:
    """Gaussian widths (voxels) from the correlation between neighbours in each direction."""
    sigma = np.zeros(3)
    first = volume[places] / factor
    for axis in range(3):
        near = list(places)
        near[axis] = np.minimum(places[axis] + 1, volume.shape[axis] - 1)
        beside = tuple(near)
        second = volume[beside] / factor
        good = clear[beside] & (near[axis] > places[axis])
        good &= (np.abs(first - level) < 5 * spread) & (np.abs(second - level) < 5 * spread)
        if good.sum() < 500:
            continue
        a, b = first[good], second[good]
        if np.ptp(a) == 0 or np.ptp(b) == 0:  # rounding keeps the spread of equals from being 0
            continue
        correlation = float(np.clip(np.corrcoef(a, b)[0, 1], 0.0, 0.95))
        # Noise blurred by s voxels correlates by exp(-1 / (4 s^2)) between neighbours.
        if correlation > 0.05:
            sigma[axis] = min(1.5, 0.5 / np.sqrt(-np.log(correlation)))
    return sigma


class Noise:
    """Gaussian noise of unit spread over a volume, with a given correlation.

    One block of slices is drawn and comes again shifted in plane, so that large volumes cost
    neither time nor memory.

    Parameters
    ----------
    shape : tuple of int
        Of the volume, in memory order.
    sigma : (3,) float64 ndarray
        Gaussian (voxels) that gives the correlation.
    rng : Generator
    """

    def __init__(
        self, shape: tuple[int, ...], sigma: NDArray[np.float64], rng: np.random.Generator
    ) -> None:
        block = rng.standard_normal((min(shape[0], _BLOCK), *shape[1:]), np.float32)
        if (sigma > 0.1).any():
            block = blur(block, sigma)
            block /= np.float32(block[::2, ::2, ::2].std())
        self.block = block

    def slice(self, i: int) -> NDArray[np.float32]:
        """(J, K) noise of slice `i`."""
        turn, k = divmod(i, len(self.block))
        plane = self.block[k]
        return np.roll(plane, (37 * turn, 61 * turn), axis=(0, 1)) if turn else plane


def air_of_volumes(
    scan: Scan,
    affine: NDArray[np.float64],
    rng: np.random.Generator,
    times: Sequence[int] | None = None,
) -> Iterator[tuple[NDArray[Any], Air, Noise]]:
    """Each volume of a scan in memory order, its air, and noise over it; one at a time.

    Parameters
    ----------
    scan : Scan
    affine : (4, 4) float64 ndarray
        Scan mm to template mm.
    rng : Generator
    times : sequence of int, optional
        Which volumes; all of them if absent.
    """
    order, clear = memory_order(scan), clear_air(scan, affine)
    for t in range(volumes(scan)) if times is None else times:
        volume = np.ascontiguousarray(scan.volume(t).transpose(order))
        air = measure_air(volume, clear)
        yield volume, air, Noise(volume.shape, air.sigma, rng)


def fill(air: Air, mask: NDArray[np.bool_], noise: Noise) -> Volume:
    """(I, J, K) new air under a mask; elsewhere the content is undefined.

    Parameters
    ----------
    air : Air
    mask : (I, J, K) bool ndarray
        In memory order.
    noise : Noise
        Over the same volume.
    """
    if air.is_constant:
        return np.full(mask.shape, air.sample[0], np.float32)
    out = np.empty(mask.shape, np.float32)
    for i, plane in enumerate(mask):
        out[i][plane] = draw(air, noise.slice(i)[plane])
        if air.trend is not None:
            out[i][plane] *= air.trend.plane(i)[plane]
    return out


def draw(air: Air, noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn unit Gaussian noise, any shape, into intensities with the air's distribution."""
    if air.is_constant:
        return np.full(noise.shape, air.sample[0], np.float32)
    scale = np.float32((_LEVELS - 1) / (2 * _REACH_SIGMAS))
    index = (noise + np.float32(_REACH_SIGMAS)) * scale
    np.clip(index, 0, _LEVELS - 1, out=index)
    return air.table[index.astype(np.uint16)]
