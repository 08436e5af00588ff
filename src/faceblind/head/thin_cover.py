"""Whether scalp and skull are as thin as a small child's, whatever the size of the head.

A child of 8 years may have an adult's head size over a brain that lies nearer to the skin. Above
the ears, where the cut comes nearest to the brain and no sinus lies before it, the scan itself
tells how deep the inside of the skull begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.head.brain_cover import template_fields
from faceblind.head.skin import Skin
from faceblind.head.skin_profile import (
    BONE_MM,
    DEEP_MM,
    bright_inner_side,
    inner_side,
    values_along,
)
from faceblind.scan import Scan

_ACROSS_MM, _FORWARD_MM, _HEIGHT_MM = 48.0, (-70.0, 10.0), (18.0, 50.0)
"""Above the ears: further to the sides than this, and between these template places."""
_LATERAL, _STANDS_OFF_MM = 0.7, 6.0
"""Skin of an ear does not face sideways, or stands off the smooth core of the head."""
_STEPS = np.arange(0.0, 22.5, 0.5)
_AIR_STEPS = np.array([-12.0, -11.0, -10.0])
_RIM_MM = 4.0
_MOST_RAYS, _PROFILES, _NEIGHBOURS, _FEWEST = 1500, 80, 20, 60
_NOT_FOUND_MM = 30.0
"""Where bone is not seen within reach the cover is thick."""
BONE_BRIGHT, CT_LIMIT_MM = 0.8, 10.5
"""Darkest of a profile against the brain, from which bone is not dark (0.89 and more in CT, up to
0.71 in other scans); and median depth of the bone's inner side below which the cover is thin: 7.0
to 9.5 mm in children, 11.5 and more in five adults."""
RIM_CT = 2.0
"""Rim from which what looks like bright bone is the scalp over a dim inside, and nothing is said:
1.2 to 1.5 in CT, 4 to 7 in six simulated T1w scans of adults with a scalp far brighter than all
below."""
LIMIT_MM, BRIGHT_LIMIT_MM = 12.0, 10.0
"""The same without CT, where fluid is no brighter than the brain (6.5 to 12 mm in children, 12.5
and more in adults; a child of just 12 mm counts as grown), and where it is, so that the inside
begins at the fluid (6 to 9.5, and 11 mm and more)."""
RIM_EVEN, RIM_BRIGHT = 1.03, 1.06
"""Brightest within `_RIM_MM` inside the bone, against the brain, up to which fluid counts as no
brighter, and from which as brighter."""
RIM_FLUID = 1.2
"""From here it is T2-weighted, for which the brain's place is believed; between, it is not."""
DIM_BONE, QUARTER_LIMIT_MM = 0.2, 9.75
"""Where bone is not darker than this it is missed in places, and the lower quartile tells: 8 to 9.5
mm in children, 11 and more in adults."""


SHALLOWEST_MM = 5.0
"""No child's bone ends as near to the skin: 6 mm and more in children. What is read there is noise,
or a coil that shows the skin far brighter than all below."""
UNSURE_MM = 0.5
"""How far a median depth may be wrong, one step of the profiles: 12.0 mm were read in noise of a
child whose brain an adult's cut entered."""
AGREE_MM, LEAST_AGREE = 3.0, 0.5
"""Within this of the median must lie so much of the depths for a thin cover to be sure; and so much
of a thick one must be found."""


@dataclass(frozen=True)
class SideCover:
    """What the profiles above the ears tell.

    Parameters
    ----------
    depth_mm : (N,) float64 ndarray
        Of the bone's inner side, scan mm; `_NOT_FOUND_MM` where none is seen.
    dark, rim : float
        Medians of the darkest value over the bone, and of the brightest just inside it, against
        what lies deep; air is 0.
    """

    depth_mm: NDArray[np.float64]
    dark: float
    rim: float

    @property
    def is_thin(self) -> bool:
        """Whether the cover is that of a small child."""
        median = float(np.median(self.depth_mm))
        if self.dark > BONE_BRIGHT:
            return self.rim < RIM_CT and median < CT_LIMIT_MM
        limit = float(np.interp(self.rim, (RIM_EVEN, RIM_BRIGHT), (LIMIT_MM, BRIGHT_LIMIT_MM)))
        quarter = float(np.quantile(self.depth_mm, 0.25))
        missed = self.dark > DIM_BONE and self.rim <= RIM_EVEN and quarter < QUARTER_LIMIT_MM
        return median < limit or missed

    @property
    def may_be_thin(self) -> bool:
        """Whether it is so little thicker than a small child's that it may be one."""
        # Where it cannot be told whether fluid is bright, the cover may end at either.
        rim = min(self.rim, RIM_EVEN) if self.rim < RIM_FLUID else self.rim
        return bool(SideCover(self.depth_mm - UNSURE_MM, self.dark, rim).is_thin)

    @property
    def is_sure(self) -> bool:
        """Whether the profiles agree on a depth at which a bone may end."""
        median = float(np.median(self.depth_mm))
        agree = float((np.abs(self.depth_mm - median) <= AGREE_MM).mean())
        return median >= SHALLOWEST_MM and agree >= LEAST_AGREE

    @property
    def is_surely_thick(self) -> bool:
        """Whether bone is seen, and hardly anywhere as near to the skin as a small child's."""
        if not self.is_seen or self.dark > BONE_BRIGHT:
            return False
        found = self.depth_mm[self.depth_mm < _NOT_FOUND_MM]
        return float(np.quantile(found, 0.1)) > LIMIT_MM

    @property
    def is_seen(self) -> bool:
        """Whether so much bone is seen that the profiles tell anything of the cover."""
        return float((self.depth_mm < _NOT_FOUND_MM).mean()) >= 1.0 - LEAST_AGREE

    @property
    def shows_cortex(self) -> bool:
        """Whether the contrast is one in which the average brain's place is to be believed."""
        even, fluid = self.rim <= RIM_EVEN, self.rim >= RIM_FLUID
        return self.dark <= BONE_BRIGHT and (even or fluid)


def side_cover(scan: Scan, skin: Skin, scan_to_template: NDArray[np.float64]) -> SideCover | None:
    """Measure scalp and skull above the ears.

    Parameters
    ----------
    scan : Scan
        Its first volume is used.
    skin : Skin
        Of the same scan.
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm.

    Returns
    -------
    SideCover or None
        None where too little skin is seen there.
    """
    points, normals = _above_ears(skin, scan_to_template)
    if len(points) < _FEWEST:
        return None
    values = values_along(scan, points, normals, np.concatenate([_STEPS, _AIR_STEPS]))
    values = values - np.median(values[:, len(_STEPS) :])
    some = points[:: max(1, len(points) // _PROFILES)]
    near = cKDTree(points).query(some, k=_NEIGHBOURS)[1]
    profiles = np.median(values[:, : len(_STEPS)][near], axis=1)
    steps = _STEPS
    deep = np.maximum(np.median(profiles[:, steps > DEEP_MM], axis=1), 1e-6)
    over = (steps >= BONE_MM[0]) & (steps <= BONE_MM[1])
    dark = float(np.median(profiles[:, over].min(axis=1) / deep))
    find = bright_inner_side if dark > BONE_BRIGHT else inner_side
    depth = np.array([find(profile, steps) for profile in profiles])
    rims = [
        profile[(steps >= at) & (steps <= at + _RIM_MM)].max() / inside
        for profile, at, inside in zip(profiles, depth, deep, strict=True)
        if np.isfinite(at)
    ]
    depth = np.where(np.isfinite(depth), depth, _NOT_FOUND_MM)
    return SideCover(depth, dark, float(np.median(rims)) if rims else 0.0)


def _above_ears(
    skin: Skin, scan_to_template: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Skin over the skull there, (N, 3) scan mm, and its normals."""
    usable = np.flatnonzero(~skin.edge)[::2]
    points = skin.points[usable].astype(np.float64)
    across, forward, height = apply_affine(scan_to_template, points).T
    beside = (np.abs(across) > _ACROSS_MM) & (height > _HEIGHT_MM[0]) & (height < _HEIGHT_MM[1])
    beside &= (forward > _FORWARD_MM[0]) & (forward < _FORWARD_MM[1])
    points, normals = points[beside], skin.normals[usable][beside].astype(np.float64)
    turned = normals @ scan_to_template[:3, :3].T
    sideways = np.abs(turned[:, 0]) > _LATERAL * np.linalg.norm(turned, axis=1)
    core = template_fields().at("depth", apply_affine(scan_to_template, points))
    kept = np.flatnonzero(sideways & (core > -_STANDS_OFF_MM))
    kept = kept[:: max(1, len(kept) // _MOST_RAYS)]
    return points[kept], normals[kept]
