"""What a protection left of the face, judged where its own scan showed the skin.

The cheap part of an audit: the head is known, so that nothing has to be found again.
"""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.attacks.region_presence import ON_SKIN_MM
from faceblind.attacks.surface import FACE, find_surface
from faceblind.head.alignment import Alignment
from faceblind.head.presence import IMPORTANCE
from faceblind.head.skin import Skin
from faceblind.scan import Scan

UNDER_MM = 2.0
"""Depth under the skin at which tissue must have gone: below the soft edge of skin."""
AIR_MM = 6.0
"""Height over the skin at which the scan's own air is read."""
BRIGHT = 0.5
"""Share of the contrast between air and the tissue that was there from which new air shows it."""
LEAST_CONTRAST = 5.0
"""Spreads of the air by which tissue must stand out for brightness to tell anything."""


def find_remaining(
    before: Scan,
    after: Scan,
    mask: NDArray[np.bool_],
    skin: Skin,
    alignment: Alignment,
    *,
    air: bool,
) -> tuple[float, dict[str, float]]:
    """How much of the face's skin a protection left.

    Parameters
    ----------
    before, after : Scan
        One volume, and the same protected.
    mask : (I, J, K) bool ndarray
        Voxels that were replaced.
    skin, alignment : Skin, Alignment
        Of the head in `before`, scan RAS+ mm.
    air : bool
        What was replaced should be air, and is judged, too.

    Returns
    -------
    remaining : float
        Share of a recognisable face, by `faceblind.head.presence.IMPORTANCE`.
    regions : dict of str to float
        For each region of the face in view, the share of its skin that stays.
    """
    template = alignment.template
    surface = find_surface(skin, alignment, before, chosen=template.region(*FACE))
    rows = np.flatnonzero(surface.seen & np.isfinite(surface.offset))
    rows = rows[np.abs(surface.offset[rows]) <= ON_SKIN_MM]
    ways = template.smooth_ways @ np.linalg.inv(alignment.scan_to_template_rigid)[:3, :3].T
    under = surface.points[rows] - UNDER_MM * ways[rows]
    gone, inside = _at(before, under, mask)
    stays = inside & ~gone.astype(bool)
    if air:
        over = surface.points[rows] + AIR_MM * ways[rows]
        old, new = (_at(scan, under, scan.voxels)[0].astype(np.float64) for scan in (before, after))
        clear, in_view = _at(before, over, before.voxels)
        stays |= inside & _bright(old, new, clear[in_view].astype(np.float64))
    shows = np.zeros(len(template.points), bool)
    shows[rows] = stays
    regions, remaining, whole = {}, 0.0, 0.0
    for name in FACE:
        here = template.region(name) & surface.seen
        area = float(surface.area[here].sum())
        if not area:
            continue
        regions[name] = float(surface.area[here & shows].sum()) / area
        weight = IMPORTANCE[name] * area / float(surface.area[template.region(name)].sum())
        remaining, whole = remaining + weight * regions[name], whole + weight
    return (remaining / whole if whole else 0.0), regions


def _bright(
    old: NDArray[np.float64], new: NDArray[np.float64], air: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(N,) whether new values are as bright as the tissue that was there."""
    if not old.size or not air.size:
        return np.zeros(len(old), bool)
    level = float(np.median(air))
    spread = 1.4826 * float(np.median(np.abs(air - level)))
    contrast = float(np.median(old)) - level
    if contrast <= LEAST_CONTRAST * spread:
        return np.zeros(len(old), bool)
    return np.asarray(new - level > BRIGHT * contrast, bool)


def _at(
    scan: Scan, points: NDArray[np.float64], values: NDArray[np.generic]
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Values at the nearest voxels of (N, 3) scan mm, and which lie in the scan."""
    index = np.rint(apply_affine(np.linalg.inv(scan.affine), points)).astype(np.int64)
    last = np.asarray(scan.shape) - 1
    inside = ((index >= 0) & (index <= last)).all(axis=1)
    return values[tuple(np.clip(index, 0, last).T)], inside
