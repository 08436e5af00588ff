"""Attack 2, continued: undo a Gaussian blur of the face.

A blur spreads every edge by the same amount and takes the noise away; where both happened, its
width is known from the skin's edge and it can be undone. Richardson (1972) and Lucy (1974) give the
most probable scene under Poisson noise; only blurred voxels are fitted, the others are known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.attacks.surface import FACE, Surface
from faceblind.geometry.grid import (
    Grid,
    blur,
    dilate,
    erode,
    from_scan,
    memory_order,
    regrid,
    resize,
)
from faceblind.geometry.points import thin
from faceblind.head.alignment import Alignment
from faceblind.head.segmentation import HeadMask
from faceblind.scan import Scan

LEAST_MM = 1.5
"""Blur beyond that of the scalp's edge from which it was added; scanners smooth all edges
equally."""
CALM = 0.3
"""Local variation, as a share of the head's own, below which a voxel was blurred."""
REACH_MM = 30.0
"""Distance from the face's surface within which blurred voxels are looked for."""
STEPS = 40
_PROFILE = np.arange(-26.0, 26.1, 0.5)


@dataclass(frozen=True)
class Deblurred:
    """A scan with a blur undone.

    Parameters
    ----------
    sigma_mm : float
        Width of the blur.
    scan : Scan
        In memory only, float32.
    """

    sigma_mm: float
    scan: Scan


def deblur(scan: Scan, head: HeadMask, surface: Surface, alignment: Alignment) -> Deblurred | None:
    """Undo a blur of the face.

    Parameters
    ----------
    scan : Scan
        Of a series, the first volume is used.
    head : HeadMask
    surface : Surface
    alignment : Alignment

    Returns
    -------
    Deblurred or None
        None where the face is as sharp as the scalp.
    """
    sigma = _blur_of_face(scan, surface, alignment)
    if sigma < LEAST_MM:
        return None
    step = np.maximum(scan.spacing[memory_order(scan)], sigma / 3.0)
    grid = regrid(from_scan(scan), step)
    calm = _calm(grid, head) & _near_face(grid, surface, alignment)
    if calm.sum() * np.prod(grid.spacing) < 2e4:
        return None
    box = tuple(
        slice(max(int(s.start - 3 * sigma / h), 0), int(s.stop + 3 * sigma / h) + 1)
        for s, h in zip(ndimage.find_objects(calm.astype(int))[0], grid.spacing, strict=True)
    )
    sharp = np.asarray(grid.values, np.float32).copy()
    part = np.maximum(sharp[box] - head.air_level, 0.0)
    sharp[box] = _richardson_lucy(part, calm[box], sigma / grid.spacing) + head.air_level
    return Deblurred(sigma, _back(scan, grid.like(sharp), calm))


def _blur_of_face(scan: Scan, surface: Surface, alignment: Alignment) -> float:
    """How much wider the skin's edge is at the face than at the scalp, mm (standard deviation)."""
    template = alignment.template
    normals = template.normals @ np.linalg.inv(alignment.scan_to_template_rigid)[:3, :3].T
    volume = np.asarray(scan.volume(), np.float32)
    widths = []
    for region in (template.region(*FACE), template.region("scalp")):
        rows = np.flatnonzero(region & surface.seen & np.isfinite(surface.offset))
        if len(rows) < 100:
            return 0.0
        rows = rows[thin(template.points[rows], 3.0)]
        rays = surface.points[rows, None] + _PROFILE[:, None] * normals[rows, None]
        index = scan.index(rays.reshape(-1, 3)).T
        values = ndimage.map_coordinates(volume, index, order=1, mode="nearest")
        profile = values.reshape(len(rows), -1)
        widths.append(_edge_width(profile))
    return float(np.sqrt(max(widths[0] ** 2 - widths[1] ** 2, 0.0)))


def _edge_width(profile: NDArray[np.float32]) -> float:
    """Median width (mm, standard deviation) of the falling edge in (N, T) outward profiles.

    The slope of an edge under a Gaussian is that Gaussian; its width at half height is 2.355
    standard deviations, whatever the edge's height.
    """
    slope = ndimage.gaussian_filter1d(-np.gradient(profile, axis=1), 1.0, axis=1)
    middle = np.flatnonzero(np.abs(_PROFILE) <= 8.0)
    peak = middle[slope[:, middle].argmax(axis=1)]
    rows = np.arange(len(slope))
    above = slope > 0.5 * slope[rows, peak][:, None]
    ticks = np.arange(slope.shape[1])
    left = np.where(~above & (ticks < peak[:, None]), ticks, -1).max(axis=1)
    right = np.where(~above & (ticks > peak[:, None]), ticks, len(ticks)).min(axis=1)
    step = _PROFILE[1] - _PROFILE[0]
    return float(np.median(right - left - 1) * step / 2.355)


def _calm(grid: Grid, head: HeadMask) -> NDArray[np.bool_]:
    """Places without noise and detail of the head's own strength."""
    values = np.asarray(grid.values, np.float32)
    rough = values - blur(values, np.full(3, 0.8))
    local = np.sqrt(np.maximum(blur(rough * rough, np.full(3, 1.2)), 0.0))
    inside = values > head.level(0.3)
    usual = float(np.median(local[inside])) if inside.any() else 0.0
    calm: NDArray[np.bool_] = erode(dilate(local < CALM * usual, 1), 1)
    return calm


def _near_face(grid: Grid, surface: Surface, alignment: Alignment) -> NDArray[np.bool_]:
    """Places within `REACH_MM` of the face's surface."""
    rows = np.flatnonzero(alignment.template.region(*FACE) & np.isfinite(surface.offset))
    back = np.linalg.inv(grid.affine)
    index = np.round(apply_affine(back, surface.points[rows])).astype(np.int64)
    inside = ((index >= 0) & (index < np.asarray(grid.values.shape))).all(axis=1)
    seeds = np.ones(grid.values.shape, bool)
    seeds[tuple(index[inside].T)] = False
    near: NDArray[np.bool_] = ndimage.distance_transform_edt(seeds, grid.spacing) < REACH_MM
    return near


def _richardson_lucy(
    blurred: NDArray[np.float32], mask: NDArray[np.bool_], sigma: NDArray[np.float64]
) -> NDArray[np.float32]:
    """What gave `blurred` (0 is air) under a Gaussian, changed within `mask` only.

    Accelerated by the vector extrapolation of Biggs and Andrews (1997).
    """
    tiny = np.float32(1e-3 * max(float(blurred.max()), 1e-6))
    weight = mask.astype(np.float32)
    norm = np.maximum(blur(weight, sigma), np.float32(1e-3))
    guess = np.asarray(blurred + tiny, np.float32)
    last, step_before = guess, np.zeros_like(guess)
    for _ in range(STEPS):
        step = guess - last
        pull = float((step * step_before).sum() / max(float((step_before**2).sum()), 1e-12))
        ahead = np.maximum(guess + np.float32(np.clip(pull, 0.0, 0.9)) * step, tiny)
        ahead = np.asarray(ahead, np.float32)
        ratio = np.asarray(weight * blurred / np.maximum(blur(ahead, sigma), tiny), np.float32)
        new = np.where(mask, ahead * blur(ratio, sigma) / norm, guess).astype(np.float32)
        step_before, last, guess = new - ahead, guess, new
    return guess


def _back(scan: Scan, sharp: Grid, mask: NDArray[np.bool_]) -> Scan:
    """The scan with the sharpened voxels of a coarser grid in their place."""
    order = memory_order(scan)
    shape = tuple(int(n) for n in np.asarray(scan.shape)[order])
    whole = resize(sharp.values, shape).transpose(np.argsort(order))
    share = resize(mask.astype(np.float32), shape).transpose(np.argsort(order))
    volume = np.asarray(scan.volume(), np.float32)
    voxels = (1 - share) * volume + share * whole
    return replace(scan, voxels=voxels.astype(np.float32), stored=None)
