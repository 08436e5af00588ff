"""Where the air ends and the head begins, in any contrast.

No intensity is assumed: the level and spread of the air come from the voxels outside the head,
the level of tissue from the voxels inside, both refined by turns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.errors import ScanError
from faceblind.geometry.arrays import median, quantile
from faceblind.geometry.grid import (
    Grid,
    Mask,
    Volume,
    blur,
    dilate,
    erode,
    from_scan,
    regrid,
    resize,
)
from faceblind.head.error_context import about
from faceblind.head.open_skull import open_skull
from faceblind.head.padding import padding_as_air
from faceblind.scan import Scan

WORKING_MM = 2.0
"""Spacing of the mask grid: the coarsest at which ears and lips still have several voxels."""
SMALLEST_HEAD_LITRES = 0.5
"""A newborn's head has about 0.6 litres; a capsule, a hand or a wrapped nose far less."""
NOISE_SIGMAS = 4.0
"""Air voxels exceed this many robust standard deviations rarely enough to leave no clumps."""
TISSUE_FRACTION = 0.3
"""Share of the local tissue level above which a voxel is head; ghosts rarely reach a fifth."""
DIM_FRACTION = 0.1
"""The same for a scalp that bright fluid close beneath outshines, as in small children."""
OPENING_MM = 4.0
"""Half the thickness below which an attached thing is not solid: ears, but also tables, pads."""
REGROW_MM = 14.0
"""How far thin parts (ears, nose) may reach out of the solid head along themselves."""
SMALLEST_EAR_LITRES = 0.0025
"""Thin loose pieces below this are capsules or tubes; a child's pinna has about 4 ml."""
CLOSING_MM = 4.0
"""Half the width of openings that are bridged: nostrils, mouth, ear canals."""


@dataclass(frozen=True)
class HeadMask:
    """The head on a working grid of about 2 mm.

    Parameters
    ----------
    mask : (I, J, K) bool ndarray
        True from the skin inwards; cavities are filled.
    affine : (4, 4) float64 ndarray
        Index of `mask` to scan RAS+ millimetres. Axes follow the scan's memory order.
    air_level, air_noise : float
        Median and robust spread of the air on the working grid, in scan units.
    tissue_level : float
        Median of the head's tissue, in scan units.
    skin_level : (I, J, K) float32 ndarray
        Smooth field of the tissue level just under the skin, in scan units; follows the coil.
    threshold : (I, J, K) float32 ndarray
        Level between air and head that was used at each place.
    """

    mask: Mask
    affine: NDArray[np.float64]
    air_level: float
    air_noise: float
    tissue_level: float
    skin_level: Volume
    threshold: Volume

    @property
    def litres(self) -> float:
        """Volume of the mask."""
        return float(self.mask.sum() * abs(np.linalg.det(self.affine[:3, :3])) / 1e6)

    def level(self, share: float) -> float:
        """Grey level at a share of the contrast between air (0) and tissue (1), in scan units."""
        return self.air_level + share * (self.tissue_level - self.air_level)


def find_head(scan: Scan, tissue_fraction: float = TISSUE_FRACTION) -> HeadMask:
    """Find the head in a scan of any contrast and orientation.

    Parameters
    ----------
    scan : Scan
        3-D, or 4-D of which the first volume is used.
    tissue_fraction : float
        `TISSUE_FRACTION`, or `DIM_FRACTION` where the scalp was missed with it.

    Raises
    ------
    ScanError
        If nothing solid of a head's size stands out from the noise.
    """
    with about(scan):
        return head_in_grid(usable_grid(scan), scan.source or "scan", tissue_fraction)


def usable_grid(scan: Scan) -> Grid:
    """The scan's first volume in memory order, finite, with CT padding raised to air."""
    name = scan.source or "scan"
    grid = from_scan(scan)
    values = grid.values
    if np.iscomplexobj(values) or values.dtype == object:
        raise ScanError(f"{name}: voxels are not plain numbers; export a magnitude image")
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.all():
            if not finite.any():
                raise ScanError(f"{name}: no finite voxel; export the scan again")
            values = np.where(finite, values, values[finite].min())
        values = values.astype(np.float32, copy=False)
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise ScanError(f"{name}: all voxels have the same value; export the scan again")
    return grid.like(padding_as_air(values, grid.spacing))


def head_in_grid(
    grid: Grid, name: str = "scan", tissue_fraction: float = TISSUE_FRACTION
) -> HeadMask:
    """:func:`find_head` on a prepared grid."""
    extent = np.array(grid.values.shape) * grid.spacing
    if extent.min() < 25 or np.sort(extent)[1] < 60:
        raise ScanError(
            f"{name}: {extent[0]:.0f}x{extent[1]:.0f}x{extent[2]:.0f} mm cannot hold a head; "
            "check the voxel size in the header"
        )
    coarse = regrid(grid, np.full(3, WORKING_MM))
    values = _limit_bright(coarse.values)
    if values.min() == values.max():
        raise _no_head(name)
    level, noise, tissue, threshold = _first_split(values, name)
    for _ in range(2):
        bright = _without_crumbs(values > threshold)
        solid = _fill(bright)
        level, noise = _air_statistics(values, solid, level, noise)
        inside = solid & bright
        if not inside.any():
            raise _no_head(name)
        tissue = median(values[inside])
        if tissue - level < 5 * noise or tissue <= level:
            raise _no_head(name)
        local = _local_level(values, inside, 18.0 / WORKING_MM, tissue)
        threshold = _threshold(level, noise, local, tissue_fraction)
    bright = _without_crumbs(values > threshold)
    near, closed = _with_its_inside(bright)
    mask = _keep_head(near, closed)
    litres = float(mask.sum() * abs(np.linalg.det(coarse.affine[:3, :3])) / 1e6)
    if litres < SMALLEST_HEAD_LITRES:
        raise _no_head(name)
    shell = erode(mask, 1) & ~erode(mask, 3) & bright
    skin = _local_level(values, shell, 10.0 / WORKING_MM, tissue)
    # Bone in CT and fat in T1 lie just below; the second mean heeds them less.
    skin = _local_level(np.minimum(values, level + 1.15 * (skin - level)), shell, 5.0, tissue)
    return HeadMask(mask, coarse.affine, level, noise, tissue, skin, threshold)


def _no_head(name: str) -> ScanError:
    return ScanError(
        f"{name}: no head was found: nothing solid of a head's size (0.5 litres) stands out from "
        "the noise; check that this is a head scan"
    )


def _limit_bright(values: Volume) -> Volume:
    """Cap vessels, fat and metal, whose outliers would dominate every mean."""
    return np.minimum(values, np.float32(quantile(values[::2, ::2, ::2].ravel(), 0.99)))


def _first_split(values: Volume, name: str) -> tuple[float, float, float, Volume]:
    """Air and tissue by Otsu's rule on square roots, which weigh dark tissue like bright."""
    low = float(values.min())
    roots = np.sqrt(values - low)
    cut = _otsu(roots) ** 2 + low
    below, above = values[values <= cut], values[values > cut]
    if not below.size or not above.size:
        raise _no_head(name)
    level = median(below)
    noise = _spread(below, level)
    tissue = median(above)
    return level, noise, tissue, np.full(values.shape, min(cut, (level + tissue) / 2), np.float32)


def _otsu(values: Volume) -> float:
    """Threshold of the largest between-class variance (Otsu 1979)."""
    counts, edges = np.histogram(values, bins=256)
    centres = (edges[1:] + edges[:-1]) / 2
    weight = np.cumsum(counts)
    total = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = total / weight - (total[-1] - total) / (weight[-1] - weight)
        between = weight * (weight[-1] - weight) * gap**2
    return float(centres[np.nanargmax(between[:-1])])


def _spread(air: NDArray[np.float32], level: float) -> float:
    """Robust standard deviation; the upper quantile sees noise that zeroing left in patches."""
    mad = 1.4826 * median(np.abs(air - level))
    upper = (quantile(air, 0.9) - level) / 1.2816
    return max(mad, upper)


def _air_statistics(values: Volume, solid: Mask, level: float, noise: float) -> tuple[float, float]:
    air = values[~dilate(solid, 2)]
    # A tight field of view may leave no air that is clear of the head.
    if air.size < 500:
        return level, noise
    level = median(air)
    return level, _spread(air, level)


def _local_level(values: Volume, where: Mask, sigma: float, default: float) -> Volume:
    """Gaussian mean of `values` over `where`, carried on smoothly to everywhere else.

    A wide second Gaussian takes over where the narrow one finds no voxels (normalised
    convolution, Knutsson and Westin 1993).
    """
    step = 2
    weight = where.astype(np.float32)
    small = Grid(weight, np.eye(4))
    w = regrid(small, np.full(3, float(step))).values
    s = regrid(small.like(values * weight), np.full(3, float(step))).values
    wide = np.full(3, 3 * sigma / step)
    narrow = np.full(3, sigma / step)
    tiny = 1e-4
    w_wide, s_wide = blur(w, wide), blur(s, wide)
    far = (s_wide + tiny * default) / (w_wide + tiny)
    level = (blur(s, narrow) + 0.02 * far) / (blur(w, narrow) + 0.02)
    return resize(level, values.shape)


def _threshold(
    level: float, noise: float, local: Volume, fraction: float = TISSUE_FRACTION
) -> Volume:
    contrast = np.maximum(local - level, 0)
    return level + np.clip(NOISE_SIGMAS * noise, fraction * contrast, 0.5 * contrast).astype(
        np.float32
    )


def _without_crumbs(mask: Mask, voxels: int = 60) -> Mask:
    """Drop components below `voxels` (0.5 ml): noise and ghost speckle, cheap to remove early."""
    labels, _ = ndimage.label(mask)
    big = np.bincount(labels.ravel()) >= voxels
    big[0] = False
    return big[labels]


def _fill(mask: Mask) -> Mask:
    """Everything that air cannot reach from outside through openings wider than about 8 mm.

    Cavities that the border of the field of view cuts open are closed there by filling the
    border plane as a picture.
    """
    steps = round(CLOSING_MM / WORKING_MM)
    # Carrying the border on outwards keeps the closing from bridging head and border.
    pad = steps + 1
    closed = dilate(np.pad(mask, pad, mode="edge"), steps)
    free = ~closed
    seeds = np.zeros_like(free)
    for axis in range(3):
        for end in (0, -1):
            plane = np.moveaxis(closed, axis, 0)[end]
            np.moveaxis(seeds, axis, 0)[end] |= ~ndimage.binary_fill_holes(plane)
    labels, count = ndimage.label(free)
    reached = np.zeros(count + 1, bool)
    reached[np.unique(labels[seeds & free])] = True
    reached[0] = False
    inner = (slice(pad, -pad),) * 3
    return erode(~reached[labels], steps)[inner] | mask


def _near_the_head(mask: Mask) -> Mask:
    """Components inside the head or broadly on it; wrapped copies and headphones in air go.

    The head is the component with the widest extent: the scalp may hold the brain inside, apart
    from it by dark bone.
    """
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    boxes = ndimage.find_objects(labels)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    extent = [
        np.prod([s.stop - s.start for s in box]) * n
        for box, n in zip(boxes, sizes[1:], strict=True)
    ]
    keep = np.zeros(count + 1, bool)
    keep[1 + int(np.argmax(extent))] = True
    for _ in range(2):
        near = dilate(_fill(keep[labels]), 2)
        share = np.bincount(labels[near], minlength=count + 1) / np.maximum(sizes, 1)
        keep |= share > 0.4
        keep[0] = False
    return keep[labels]


def _with_its_inside(bright: Mask) -> tuple[Mask, Mask]:
    """What is near the head, with the inside of a dark skull that a cut opened; the same filled."""
    near = _near_the_head(bright)
    closed = _fill(near)
    inside = open_skull(near, closed, WORKING_MM)
    if inside.any():
        near = _near_the_head(bright | inside)
        closed = _fill(near)
    return near, closed


def _keep_head(bright: Mask, closed: Mask) -> Mask:
    """The largest solid thing with its thin parts; `closed` is `bright` filled."""
    steps = round(OPENING_MM / WORKING_MM)
    # Without the webs that the closing spun between the head and things that touch it.
    filled = bright | erode(closed, 2)
    filled &= ~_wrapped(filled)
    labels, count = ndimage.label(erode(filled, steps))
    if count == 0:
        return np.zeros_like(filled)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    head = int(sizes.argmax())
    core = dilate(labels == head, steps) & filled
    others = dilate((labels > 0) & (labels != head), steps) & filled & ~core
    near = dilate(core, 1)
    others = dilate(others, 2) & filled & ~core
    # Skin over dark bone is thin in `filled` yet no appendage: it lies on the closed head.
    thin = filled & ~near & ~others & ~dilate(erode(closed, steps), steps)
    strange = _loosely_attached(others, near, 0.3, np.inf) | _sprawling(thin)
    strange |= _loosely_attached(thin, dilate(near, 1), 0.2, SMALLEST_EAR_LITRES)
    allowed = filled & ~strange
    grown = core
    for step in range(round(REGROW_MM / WORKING_MM)):
        grown = dilate(grown, 1 + step % 2) & allowed
    return _fill(_largest(grown))


def _loosely_attached(pieces: Mask, head: Mask, share: float, litres: float) -> Mask:
    """Pieces up to `litres` with less than `share` of their surface on the head.

    Capsules, tubes and pads; ears are as loose, but larger.
    """
    out = np.zeros_like(pieces)
    labels, _ = ndimage.label(pieces)
    limit = litres * 1e6 / WORKING_MM**3
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        around = tuple(slice(max(s.start - 2, 0), s.stop + 2) for s in box)
        piece = labels[around] == index
        rim = dilate(piece, 1) & ~piece
        contact = (head[around] & (rim | piece)).sum()
        if piece.sum() < limit and contact < share * rim.sum():
            out[around] |= piece
    return out


def _wrapped(filled: Mask) -> Mask:
    """Copies that touch the head: what the field of view cuts off reappears on the other side.

    A copy continues, through its border plane, the cut on the opposite plane, and hangs on the
    head by less than that cut; the nose is the usual case. Copies in free air need no care: they
    are separate.
    """
    out = np.zeros_like(filled)
    if not any(_sections_match(filled, axis) for axis in range(3)):
        return out
    steps = round(3 * OPENING_MM / WORKING_MM)
    bulk = dilate(dilate(_largest(erode(filled, steps)), steps) & filled, 1)
    labels, _ = ndimage.label(filled & ~bulk)
    for axis in range(3):
        for here, there in ((0, -1), (-1, 0)):
            cut = np.moveaxis(labels, axis, 0)[here]
            opposite, _ = ndimage.label(np.moveaxis(filled, axis, 0)[there])
            for index in np.unique(cut[(cut > 0) & (opposite > 0)]):
                section = cut == index
                source = int(np.bincount(opposite[section & (opposite > 0)]).argmax())
                both = (section & (opposite == source)).sum()
                # Two ears that are cut the same way also face each other, but never so exactly.
                if both < 0.7 * max(section.sum(), (opposite == source).sum()):
                    continue
                piece = labels == index
                if (dilate(bulk, 1) & piece).sum() < section.sum():
                    out |= piece
    return out


def _sections_match(filled: Mask, axis: int) -> bool:
    planes = np.moveaxis(filled, axis, 0)
    return bool((planes[0] & planes[-1]).any())


def _sprawling(pieces: Mask, reach_mm: float = 100.0) -> Mask:
    """Thin pieces longer than any ear or nose: tables, head holders, blankets."""
    labels, _ = ndimage.label(pieces)
    out = np.zeros_like(pieces)
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        if max(s.stop - s.start for s in box) * WORKING_MM > reach_mm:
            out |= labels == index
    return out


def _largest(mask: Mask) -> Mask:
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())
