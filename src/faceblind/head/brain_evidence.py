"""Whether what lies in a supposed head is a brain: the evidence that a thing is a head at all.

A template's scalp fits melons, phantoms and knees. A brain has ventricles, white matter and cortex
where the average brain has them. After slow changes (coil, cupping, depth) are taken off, the
average brain's tissue must explain a share of the scan's intensities, whatever the contrast: for
it the head may pitch and shift as far as a fit by the scalp alone errs.

The bounds come from 17 real scans with and without their faces (whole: 0.068 and more; deep: 0.05
and more where the fit was not sure) and from 20 other things: a fruit 0.005, a dry skull 0.03, an
average brain without a head 0.04, an abdomen 0.06, a melon with a rind 0.12, but 0.007 deep.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.grid import Grid, blur, from_scan, regrid
from faceblind.geometry.interpolation import trilinear
from faceblind.head.brain_cover import template_fields
from faceblind.head.pitch_search import nearest_minimum, pitch_step
from faceblind.head.segmentation import HeadMask
from faceblind.scan import Scan

FIRST_TISSUE = 9
"""Classes of `TemplateFields.inside` from here on are 4 * (white quarters) + (grey quarters)."""
SLOW_MM = 10.0
"""Gaussian of what is taken off: wider than a ventricle, narrower than a coil's shading."""
DEEP_MM, RING_MM = 6.0, 3.0
"""Inside the cortex, and after what depends on depth alone (rings of that thickness) is taken off
too, no rind of a fruit looks like a brain."""
LEAST_WHOLE = 0.05
"""Share of the brain's intensities that the average brain must explain."""
LEAST_DEEP = 0.03
"""The same below the cortex, asked of a head that was not found with confidence."""
CLEAR_WHOLE, CLEAR_PITCH = 0.08, 15.0
"""Share, and most degrees of pitch, that do instead of it: CT hardly tells white from grey. Things
that are no heads fit best at the end of the search, where a rind meets the average cortex."""
SURE_WHOLE = 0.15
"""Share that does wherever it is found: a scalp fitted in thick slices may pitch by more."""
WORKING_MM = 2.0
SOFT_MM, SHARP_MM = 3.0, 1.5
_PITCHES = (-21.0, -15.0, -9.0, -3.0, 3.0, 9.0, 15.0, 21.0)
_SHIFTS_MM = (-8.0, 0.0, 8.0)
_MOST_PITCH, _MOST_SHIFT_MM = 25.0, 20.0
_PLACES = 6000
_LEAST_OVERLAP = 0.3


@dataclass(frozen=True)
class Tissue:
    """Places in the average brain, template mm, and its white and grey shares there, centred."""

    places: NDArray[np.float64]
    shares: NDArray[np.float64]

    @cached_property
    def mixture(self) -> Mixture:
        """Of all places."""
        return Mixture.of(self.shares)


@dataclass(frozen=True)
class Mixture:
    """Tissue shares at some places, ready to explain the intensities there.

    Parameters
    ----------
    centred : (M, 2) float64 ndarray
        Shares less their means.
    products : (2, 2) float64 ndarray
        Of the centred shares with one another, summed.
    """

    centred: NDArray[np.float64]
    products: NDArray[np.float64]

    @classmethod
    def of(cls, shares: NDArray[np.float64]) -> Mixture:
        """Of shares (M, 2)."""
        centred = shares - shares.sum(axis=0) / max(len(shares), 1)
        return cls(centred, centred.T @ centred)

    def explained(self, found: NDArray[np.float64]) -> float:
        """Share of the variance of (M,) values that a linear mixture explains (R squared)."""
        found = found - found.mean()
        total = float(found @ found)
        along = self.centred.T @ found
        if total <= 0:
            return 0.0
        return float(along @ np.linalg.lstsq(self.products, along, rcond=None)[0]) / total


def brain_share(
    scan_to_template: NDArray[np.float64],
    scan: Scan,
    head: HeadMask,
    *,
    deep: bool = False,
    enough: float = 1.0,
) -> tuple[float, NDArray[np.float64]]:
    """Share of the brain's fast changes that the average brain explains, 0 to 1.

    Parameters
    ----------
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm, of the supposed head.
    scan : Scan
    head : HeadMask
        Of the same scan.
    deep : bool
        Only below the cortex, after what depends on depth alone is taken off.
    enough : float
        The search ends where this much is found.

    Returns
    -------
    share : float
    step : (3,) float64 ndarray
        Pitch in degrees, shifts forwards and up in mm, at which it was found.
    """
    tissue = deep_brain() if deep else whole_brain()
    to_scan = np.asarray(np.linalg.inv(scan_to_template), np.float64)
    changes = Changes.of(scan, head)
    cost = partial(_cost, tissue=tissue, fast=changes.smoothed(SOFT_MM), to_scan=to_scan)
    grid = np.stack(np.meshgrid(_PITCHES, _SHIFTS_MM, _SHIFTS_MM, indexing="ij"), -1).reshape(-1, 3)
    tried: list[tuple[float, int, NDArray[np.float64]]] = []
    # Nearest first: most heads need no search.
    for step in sorted(grid, key=lambda step: float((step**2).sum())):
        tried.append((cost(step), len(tried), step))
        if -tried[-1][0] >= enough:
            return -tried[-1][0], step
    starts = [step for _, _, step in sorted(tried, key=lambda one: one[:2])[:3]]
    best = min((nearest_minimum(cost, start, 4.0) for start in starts), key=cost)
    if -cost(best) >= enough:
        return -cost(best), best
    sharp = partial(_cost, tissue=tissue, fast=changes.smoothed(SHARP_MM), to_scan=to_scan)
    finer = nearest_minimum(sharp, best, 2.0)
    if sharp(finer) < cost(best):
        return -sharp(finer), finer
    return -cost(best), best


def _cost(
    step: NDArray[np.float64], tissue: Tissue, fast: Fast, to_scan: NDArray[np.float64]
) -> float:
    if abs(step[0]) > _MOST_PITCH or np.abs(step[1:]).max() > _MOST_SHIFT_MM:
        return 0.0
    found, mixture = fast.at(fast.to_index @ to_scan @ pitch_step(step), tissue)
    if len(found) < _LEAST_OVERLAP * len(tissue.places):
        return 0.0
    return -mixture.explained(found)


@dataclass(frozen=True)
class Fast:
    """A head's intensities without what changes slowly.

    Parameters
    ----------
    values : (I, J, K) float32 ndarray
    to_index : (4, 4) float64 ndarray
        Scan mm to index.
    """

    values: NDArray[np.float32]
    to_index: NDArray[np.float64]

    def at(
        self, to_index: NDArray[np.float64], tissue: Tissue
    ) -> tuple[NDArray[np.float64], Mixture]:
        """Values (M,) where a tissue lies in the grid, and its shares there.

        Parameters
        ----------
        to_index : (4, 4) float64 ndarray
            Template mm to index.
        tissue : Tissue
        """
        index = np.ascontiguousarray(apply_affine(to_index, tissue.places).T)
        last = np.array(self.values.shape)[:, None] - 1
        seen = ((index >= 0) & (index <= last)).all(axis=0)
        if seen.all():
            return trilinear(self.values, index).astype(np.float64), tissue.mixture
        mixture = Mixture.of(tissue.shares[seen])
        return trilinear(self.values, index[:, seen]).astype(np.float64), mixture


@dataclass(frozen=True)
class Changes:
    """The same with all its noise.

    Parameters
    ----------
    grid : Grid
    """

    grid: Grid

    @classmethod
    def of(cls, scan: Scan, head: HeadMask, *, relative: bool = False) -> Changes:
        """Of a scan's first volume.

        `relative` takes changes as shares of what lies around, so that a coil's shading does not
        weigh one side of the head more than the other.
        """
        grid = from_scan(scan)
        grid = regrid(grid, np.maximum(grid.spacing, WORKING_MM))
        to_mask = np.linalg.inv(head.affine) @ grid.affine
        inside = ndimage.affine_transform(
            head.mask.astype(np.float32), to_mask[:3, :3], to_mask[:3, 3], grid.values.shape,
            order=1,
        ) > 0.5  # fmt: skip
        weight = inside.astype(np.float32)
        values = np.where(np.isfinite(grid.values), grid.values, 0).astype(np.float32)
        around = np.maximum(blur(weight, SLOW_MM / grid.spacing), np.float32(1e-3))
        # Vessels, fat and metal would outweigh the rest.
        if relative:
            values = np.minimum(values, 2 * blur(values * weight, SLOW_MM / grid.spacing) / around)
        elif inside.any():
            values = np.minimum(values, np.quantile(values[inside], 0.995))
        slow = blur(values * weight, SLOW_MM / grid.spacing) / around
        change = np.asarray((values - slow) * weight, np.float32)
        if relative:
            change /= np.maximum(slow, 1e-3 * float(np.abs(slow).max())).astype(np.float32)
        return cls(grid.like(change))

    def smoothed(self, sigma_mm: float) -> Fast:
        """By a Gaussian."""
        fast = blur(self.grid.values, sigma_mm / self.grid.spacing)
        return Fast(
            np.ascontiguousarray(fast, np.float32),
            np.asarray(np.linalg.inv(self.grid.affine), np.float64),
        )


@lru_cache(maxsize=1)
def _brain() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Places (N, 3) in the average brain, template mm, fast tissue shares (N, 2), depth (N,) mm."""
    fields = template_fields()
    inside = fields.inside >= FIRST_TISSUE
    index = np.argwhere(inside)
    quarters = fields.inside[inside].astype(np.int64) - FIRST_TISSUE
    sigma = SLOW_MM / np.linalg.norm(fields.affine[:3, :3], axis=0)
    weight = ndimage.gaussian_filter(inside.astype(np.float32), sigma)
    shares = []
    for share in (quarters // 4, quarters % 4):
        volume = np.zeros(inside.shape, np.float32)
        volume[inside] = share
        slow = ndimage.gaussian_filter(volume, sigma) / np.maximum(weight, 1e-3)
        shares.append((volume - slow)[inside])
    places = np.asarray(apply_affine(fields.affine, index), np.float64)
    return places, np.stack(shares, axis=1).astype(np.float64), fields.brain[inside].astype(float)


def _some(places: NDArray[np.float64], shares: NDArray[np.float64]) -> Tissue:
    # Places in a grid's order repeat its rows; a drawn sample does not.
    keep = np.random.default_rng(0).permutation(len(places))[:_PLACES]
    return Tissue(places[keep], shares[keep])


@lru_cache(maxsize=1)
def whole_brain() -> Tissue:
    """Places in all of the average brain, in a drawn order."""
    places, shares, _ = _brain()
    return _some(places, shares)


@lru_cache(maxsize=1)
def deep_brain() -> Tissue:
    """Places below the cortex, without what depends on depth alone, in a drawn order."""
    places, shares, depth = _brain()
    keep = depth > DEEP_MM
    ring = (depth[keep] / RING_MM).astype(np.int64)
    count = np.maximum(np.bincount(ring), 1)
    mean = [np.bincount(ring, column) / count for column in shares[keep].T]
    return _some(places[keep], shares[keep] - np.stack(mean, axis=1)[ring])


def brain_in_view(scan_to_template: NDArray[np.float64], scan: Scan) -> bool:
    """Whether enough of the brain would lie in the field of view for `brain_seen` to be asked.

    Parameters
    ----------
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm.
    scan : Scan
    """
    there = apply_affine(np.linalg.inv(scan_to_template), whole_brain().places)
    index = scan.index(there)
    seen = ((index >= 0) & (index <= np.asarray(scan.shape) - 1)).all(axis=1)
    return bool(seen.mean() >= 0.5)
