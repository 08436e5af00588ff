"""Air that looks like the scan's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special
from skimage.filters import threshold_otsu

from faceblind.geometry.grid import Volume, blur, memory_order
from faceblind.head.reference_volume import volumes
from faceblind.head.skin import Skin
from faceblind.protect.air_trend import FEWEST_SAMPLES, Places, Trend, find_trend
from faceblind.protect.background import Background, find_background, surroundings
from faceblind.scan import Scan

THINGS_SPREADS = 8.0
"""Tables and rests are brighter than air by at least this many spreads of its local mean; the trend
that coils give to noise is no such step."""
FEWEST_THINGS = 0.1
"""Share of the sample below which things need no care: the robust bound leaves them out."""
FEWEST_AIR = 0.02
"""Share of the sample that air has at least where the rest is tables and rests."""
_MOST_SAMPLES = 200_000
_MOST_MEANS = 20_000
_FEWEST_MEANS = 500
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
    padding : (I, J, K) bool ndarray or None
        Voxels (memory order) that were never acquired: they stay as they are.
    """

    sample: NDArray[np.float32]
    sigma: NDArray[np.float64]
    trend: Trend | None = None
    padding: NDArray[np.bool_] | None = None

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


def measure_air(
    volume: NDArray[Any],
    clear: NDArray[np.bool_],
    near: Places | None = None,
    background: Background | None = None,
) -> Air:
    """Distribution and correlation of the air of one volume.

    Ghosts, holders and wrapped skin are left out by a robust bound, tables and rests that are a
    larger part by their step to what is darker, so that their values are not copied into the fill.

    Parameters
    ----------
    volume : (I, J, K) ndarray
        In memory order.
    clear : (I, J, K) bool ndarray
        Where to look.
    near : tuple of (N,) int64 ndarray, optional
        Indices of voxels beside the head, where to look if `clear` holds too little air; if they
        hold too little as well, the darkest twentieth of the volume counts.
    background : Background, optional
        What is constant around the head, where anything is.
    """
    padding = None if background is None else background.padding
    if background is not None and background.wiped is not None:
        return Air(np.array([background.wiped], np.float32), np.zeros(3), None, padding)
    places = _places_of_air(volume, clear, near, background)
    values = volume[places]
    if values.size < FEWEST_SAMPLES:
        some = volume[::2, ::2, ::2]
        if padding is not None and not padding.all():
            some = some[~padding[::2, ::2, ::2]]
        some = some[some <= np.quantile(some, 0.05)]
        values = some[:: max(1, some.size // _MOST_SAMPLES)]
    trend = find_trend(places, values.astype(np.float32), volume.shape)
    factor = np.float32(1.0) if trend is None else trend.at(places)
    values = values / factor
    values = np.sort(values.astype(np.float32))
    median = values[len(values) // 2]
    low, high = np.quantile(values, [0.1587, 0.8413])
    spread = max(float(high - low) / 2, float(median - low), 1e-6 * abs(float(median)))
    kept = values[(values >= median - 5 * spread) & (values <= median + 4 * spread)]
    texture = _texture(volume, clear, places, factor, float(median), spread)
    return Air(kept if kept.size else values, texture, trend, padding)


def _places_of_air(
    volume: NDArray[Any],
    clear: NDArray[np.bool_],
    near: Places | None,
    background: Background | None,
) -> Places:
    """Indices of voxels of noise far from the head, or beside it where hardly any lie further out.

    Neither padding nor tables and rests are among them.
    """
    far = _acquired(_some_places(clear), background)
    group = _darkest_group(_local_means(volume, _few(far)))
    if near is not None:
        near = _acquired(near, background)
        beside = _local_means(volume, near)
        group_near = _darkest_group(beside)
        step = THINGS_SPREADS * max(group.spread, group_near.spread)
        few = len(far[0]) < FEWEST_SAMPLES <= len(near[0])
        if few or group.level > group_near.level + step:
            return _at(near, group_near.holds(beside))
    return far if group.is_all else _at(far, group.holds(_local_means(volume, far)))


def _acquired(places: Places, background: Background | None) -> Places:
    """Those of N places that do not lie in or beside parts of one value."""
    if background is None:
        return places
    places = _at(places, ~background.is_constant(places))
    if background.padding is None:
        return places
    return _at(places, _local_means(background.padding, places) == 0)


@dataclass(frozen=True)
class _Group:
    """Local means that belong together: level, spread, and the bounds towards other groups."""

    level: float
    spread: float
    low: float
    high: float

    @property
    def is_all(self) -> bool:
        return bool(np.isinf(self.low) and np.isinf(self.high))

    def holds(self, means: NDArray[np.float32]) -> NDArray[np.bool_]:
        return (means > self.low) & (means <= self.high)


def _darkest_group(means: NDArray[np.float32]) -> _Group:
    """The darkest of well separated groups of (N,) local means, but for left-over padding."""
    low, high, total = -np.inf, np.inf, len(means)
    level = spread = 0.0
    while len(means) >= max(_FEWEST_MEANS, FEWEST_AIR * total):
        level = float(np.median(means))
        spread = _spread(means, level)
        if means.min() == means.max():
            break
        cut = float(threshold_otsu(means))
        below, above = means[means <= cut], means[means > cut]
        darker = float(np.median(below))
        narrow = _spread(below, darker)
        if len(below) < FEWEST_AIR * total:
            means = above
            continue
        if float(np.median(above)) - darker <= THINGS_SPREADS * narrow:
            break
        if narrow == 0 and len(below) < len(above):
            # One value beside more noise: padding in layers too thin to be found.
            means, low = above, cut
            continue
        if len(above) >= FEWEST_THINGS * total:
            high = cut
        means = below
    return _Group(level, spread, low, high)


def _spread(values: NDArray[np.float32], level: float) -> float:
    """Robust standard deviation."""
    return 1.4826 * float(np.median(np.abs(values - level)))


def _local_means(volume: NDArray[Any], places: Places) -> NDArray[np.float32]:
    """(N,) means over the 27 voxels around N voxels."""
    total = np.zeros(len(places[0]), np.float32)
    last = [n - 1 for n in volume.shape]
    axes = [[np.clip(axis + step, 0, end) for step in (-1, 0, 1)]
            for axis, end in zip(places, last, strict=True)]  # fmt: skip
    for i in axes[0]:
        for j in axes[1]:
            for k in axes[2]:
                total += volume[i, j, k]
    return total / np.float32(27)


def _at(places: Places, chosen: NDArray[np.bool_]) -> Places:
    """Some of N places."""
    first, second, third = (axis[chosen] for axis in places)
    return first, second, third


def _few(places: Places) -> Places:
    """Evenly taken places, as many as tell the levels of air and things."""
    first, second, third = (axis[:: max(1, len(axis) // _MOST_MEANS)] for axis in places)
    return first, second, third


def _some_places(clear: NDArray[np.bool_]) -> Places:
    """Indices (three arrays) of evenly taken places of a mask, in the order of memory."""
    flat = np.flatnonzero(clear)
    first, second, third = np.unravel_index(
        flat[:: max(1, flat.size // _MOST_SAMPLES)], clear.shape
    )
    return first, second, third


def _texture(
    volume: NDArray[Any],
    clear: NDArray[np.bool_],
    places: Places,
    factor: NDArray[np.float32] | np.float32,
    level: float,
    spread: float,
) -> NDArray[np.float64]:
    """Gaussian widths (voxels) from the correlation between neighbours in each direction."""
    sigma = np.zeros(3)
    # Places beside the head are not clear; what they border on is told by its value.
    far = bool(clear[places].all())
    first = volume[places] / factor
    for axis in range(3):
        near = list(places)
        near[axis] = np.minimum(places[axis] + 1, volume.shape[axis] - 1)
        beside = tuple(near)
        second = volume[beside] / factor
        good = near[axis] > places[axis]
        if far:
            good &= clear[beside]
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
    scan_to_template: NDArray[np.float64],
    skin: Skin,
    rng: np.random.Generator,
    times: Sequence[int] | None = None,
) -> Iterator[tuple[NDArray[Any], Air, Noise]]:
    """Each volume of a scan in memory order, its air, and noise over it; one at a time.

    Parameters
    ----------
    scan : Scan
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm.
    skin : Skin
        Of the head, scan mm.
    rng : Generator
    times : sequence of int, optional
        Which volumes; all of them if absent.
    """
    order, around = memory_order(scan), surroundings(scan, scan_to_template, skin.points)
    near = around.near()
    for t in range(volumes(scan)) if times is None else times:
        volume = np.ascontiguousarray(scan.volume(t).transpose(order))
        air = measure_air(volume, around.clear, near, find_background(volume, around))
        yield volume, air, Noise(volume.shape, air.sigma, rng)


def fill(air: Air, mask: NDArray[np.bool_], noise: Noise) -> Volume:
    """(I, J, K) new air under a mask, NaN where padding stays; elsewhere the content is undefined.

    Parameters
    ----------
    air : Air
    mask : (I, J, K) bool ndarray
        In memory order.
    noise : Noise
        Over the same volume.
    """
    if air.is_constant:
        out = np.full(mask.shape, air.sample[0], np.float32)
    else:
        out = np.empty(mask.shape, np.float32)
        for i, plane in enumerate(mask):
            out[i][plane] = draw(air, noise.slice(i)[plane])
            if air.trend is not None:
                out[i][plane] *= air.trend.plane(i)[plane]
    if air.padding is not None:
        out[air.padding] = np.nan
    return out


def draw(air: Air, noise: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn unit Gaussian noise, any shape, into intensities with the air's distribution."""
    if air.is_constant:
        return np.full(noise.shape, air.sample[0], np.float32)
    scale = np.float32((_LEVELS - 1) / (2 * _REACH_SIGMAS))
    index = (noise + np.float32(_REACH_SIGMAS)) * scale
    np.clip(index, 0, _LEVELS - 1, out=index)
    return air.table[index.astype(np.uint16)]
