"""Attack 2: find what a tool put over a face, take it off, and look again.

A slab, a smooth fill or a band of noise is not tissue, and tissue is not so even: voxels that are
exactly equal, or vary less than the scan's own noise, or are flat once the noise is averaged away,
are set to air when they reach the outside. What then comes to light is measured like any skin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.arrays import median
from faceblind.geometry.grid import Grid, blur, dilate, erode, from_scan, memory_order, regrid
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.scan import Scan

Kind = Literal["constant", "smooth", "even noise"]

LEAST_ML = 6.0
"""Fills smaller than this hide nothing: a nose has 10 ml or more."""
SMOOTH_SHARE = 0.2
"""Local variation below this share of the head's own counts as smooth. Averaging over neighbours,
as every interpolation does, leaves a third or more."""
FLAT_SHARE = 0.05
"""Rise of the averaged intensity (of the tissue level, over 3 mm) below which noise is even."""
OUTSIDE_SHARE = 0.12
"""Share of a fill's surface that must touch air or the border. White matter is even, too, but
inside."""
WORKING_MM = 1.5
_TINY = 1e-6


@dataclass(frozen=True)
class Fill:
    """Something artificial in a scan.

    Parameters
    ----------
    kind : {"constant", "smooth", "even noise"}
    millilitres : float
    level : float
        Median intensity as a share of the tissue level above the air.
    """

    kind: Kind
    millilitres: float
    level: float


@dataclass(frozen=True)
class Peeled:
    """A scan with its fills taken off.

    Parameters
    ----------
    scan : Scan
        In memory only, float32; its fills are air.
    fills : tuple of Fill
    mask : (I, J, K) bool ndarray
        Where fills were, on the scan's grid.
    """

    scan: Scan
    fills: tuple[Fill, ...]
    mask: NDArray[np.bool_]


def peel(scan: Scan, head: HeadMask | None = None) -> Peeled | None:
    """Take artificial fills off a scan.

    Parameters
    ----------
    scan : Scan
        Of a series, the first volume is used.
    head : HeadMask, optional
        Of the same scan, where it is known already.

    Returns
    -------
    Peeled or None
        None where nothing artificial lies over the head.

    Raises
    ------
    ScanError
        If no head stands out from the air.
    """
    head = head or find_head(scan)
    volume = np.asarray(scan.volume(), np.float32)
    fills: list[Fill] = []
    taken = np.zeros(volume.shape, bool)
    for kind, mask in _candidates(scan, volume, head):
        fresh = mask & ~taken
        millilitres = float(fresh.sum() * np.prod(scan.spacing) / 1e3)
        if millilitres < LEAST_ML:
            continue
        level = float(np.median(volume[fresh])) - head.air_level
        fills.append(Fill(kind, millilitres, level / (head.tissue_level - head.air_level)))
        taken |= fresh
    if not fills:
        return None
    # A blurred rim would pass for a skin of its own.
    wide = ndimage.binary_dilation(taken, iterations=1)
    voxels = np.where(wide, np.float32(head.air_level), volume)
    return Peeled(replace(scan, voxels=voxels, stored=None), tuple(fills), taken)


def _candidates(
    scan: Scan, volume: NDArray[np.float32], head: HeadMask
) -> list[tuple[Kind, NDArray[np.bool_]]]:
    """Artificial places that reach the outside, on the scan's grid, surest first."""
    bright = _threshold(head)
    outside = volume <= bright
    found: list[tuple[Kind, NDArray[np.bool_]]] = []
    constant = _constant(volume) & ~outside
    found.append(("constant", _reaching_out(_regrown(constant, volume), outside, scan)))
    grid = regrid(from_scan(scan), np.maximum(scan.spacing[memory_order(scan)], WORKING_MM))
    smooth, even = _unlike_tissue(grid, head, bright)
    pairs: tuple[tuple[Kind, NDArray[np.bool_]], ...] = (("smooth", smooth), ("even noise", even))
    for kind, coarse in pairs:
        mask = _onto(coarse, grid, scan) & ~outside
        found.append((kind, _reaching_out(mask, outside, scan)))
    return found


def _threshold(head: HeadMask) -> float:
    """Level above which a voxel is not air."""
    contrast = head.tissue_level - head.air_level
    return head.air_level + max(0.12 * contrast, min(4.0 * head.air_noise, 0.5 * contrast))


def _constant(volume: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Voxels that equal all six neighbours, but for the rounding of averages."""
    rounding = 1e-6 * float(np.abs(volume).max())
    same = np.ones(volume.shape, bool)
    for axis in range(3):
        equal = np.abs(np.diff(volume, axis=axis)) <= rounding
        here = np.moveaxis(same, axis, 0)
        step = np.moveaxis(equal, axis, 0)
        here[1:] &= step
        here[:-1] &= step
    return same


def _regrown(core: NDArray[np.bool_], volume: NDArray[np.float32]) -> NDArray[np.bool_]:
    """A constant core with the voxels of the same value around it."""
    if not core.any():
        return core
    values, counts = np.unique(volume[core], return_counts=True)
    common = values[counts > 0.02 * counts.sum()]
    grown = ndimage.binary_dilation(core, iterations=2) & np.isin(volume, common)
    whole: NDArray[np.bool_] = core | grown
    return whole


def _unlike_tissue(
    grid: Grid, head: HeadMask, bright: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Places too smooth for the scan, and places that are flat but for noise; both bright."""
    values = np.asarray(grid.values, np.float32)
    contrast = head.tissue_level - head.air_level
    sigma = 2.0 / grid.spacing
    rough = values - blur(values, np.full(3, 0.8))
    local = np.sqrt(np.maximum(blur(rough * rough, sigma), 0))
    soft = blur(values, sigma)
    rise = np.sqrt(sum(slope**2 for slope in np.gradient(soft, *grid.spacing)))
    inside = soft > bright
    if not inside.any():
        nothing = np.zeros(values.shape, bool)
        return nothing, nothing
    usual = median(local[inside])
    smooth = inside & (local < SMOOTH_SHARE * usual)
    flat = inside & (rise * 3.0 < FLAT_SHARE * contrast) & (local > _TINY * contrast)
    # Averages lose their rim; the fill reaches a little further.
    return (dilate(smooth, 1), dilate(erode(dilate(flat, 1), 2), 2))


def _reaching_out(
    mask: NDArray[np.bool_], outside: NDArray[np.bool_], scan: Scan
) -> NDArray[np.bool_]:
    """Pieces of `mask` that are large and lie open to the air or to the border."""
    least = LEAST_ML * 1e3 / float(np.prod(scan.spacing))
    nothing = np.zeros_like(mask)
    if mask.sum() < least:
        return nothing
    # Labels are found faster along an array's own order.
    labels, count = ndimage.label(mask.T if mask.flags.f_contiguous else mask)
    labels = labels.T if mask.flags.f_contiguous else labels
    sizes = np.bincount(labels.ravel(order="K"), minlength=count + 1)
    keep = np.zeros(count + 1, bool)
    boxes = ndimage.find_objects(labels) if sizes[1:].max() >= least else []
    for label in np.flatnonzero(sizes[1:] >= least) + 1:
        around = tuple(slice(max(s.start - 2, 0), s.stop + 2) for s in boxes[label - 1])
        piece = labels[around] == label
        rim = ndimage.binary_dilation(piece, iterations=2) & ~piece
        keep[label] = (outside[around] & rim).sum() >= OUTSIDE_SHARE * max(rim.sum(), 1)
    chosen: NDArray[np.bool_] = keep[labels] if keep.any() else nothing
    return chosen


def _onto(coarse: NDArray[np.bool_], grid: Grid, scan: Scan) -> NDArray[np.bool_]:
    """A mask of the working grid on the scan's own."""
    to_grid = np.linalg.inv(grid.affine) @ scan.affine
    axes = [np.arange(n) for n in scan.shape]
    order = memory_order(scan)
    picks: list[NDArray[np.int64]] = []
    # Both grids share their axes, so that each index follows from one of the scan's.
    for row, axis in enumerate(order):
        place = to_grid[row, axis] * axes[axis] + to_grid[row, 3]
        picks.append(np.clip(np.round(place), 0, coarse.shape[row] - 1).astype(np.int64))
    fine = coarse[np.ix_(*picks)]
    result: NDArray[np.bool_] = fine.transpose(np.argsort(order))
    return result
