"""Air between a new face and the head: it lies in front of the person's own skin.

A new face reaches into the head that it was made for. One that lies too far forward stands before
the forehead like a mask, and whoever takes it off sees the person.
"""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.attacks.edge_sharpness import skin_contrast
from faceblind.head.segmentation import HeadMask
from faceblind.head.skin import Skin
from faceblind.head.skin_profile import values_along
from faceblind.scan import Scan

LEAST_GAP_MM = 2.25
"""Depth of air that is a gap: less may be the partial volume of bone."""
AIR_SHARE = 0.06
"""Share of the skin's contrast below which a place is air; bone has 0.1 to 0.3."""
HEAD_SHARE = 0.35
"""Share of it from which the head begins again."""
MOST_BONE = 0.1
"""Share of the scalp with such a gap from which bone looks like air in a scan, so that gaps tell
nothing."""
_DEEP_MM, _STEP_MM = 20.0, 0.75
"""Frontal sinuses begin further in."""
_EVERY = 5
"""One in so many of the skin's vertices is looked at, about one for each square of 4 mm."""
_FEWEST = 50


def gap_share(
    scan: Scan, head: HeadMask, skin: Skin, scan_to_template: NDArray[np.float64]
) -> float:
    """Share of forehead and brow below whose skin lies air, and then more of the head.

    Parameters
    ----------
    scan : Scan
        Of a series, the first volume is used.
    head : HeadMask
        Of `scan`; gives the levels of air and skin.
    skin : Skin
        Of `scan`.
    scan_to_template : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm, roughly: it tells where forehead and scalp are.

    Returns
    -------
    float
        0 where bone cannot be told from air, or too little is in view.
    """
    points, normals = (a[::_EVERY].astype(np.float64) for a in (skin.points, skin.normals))
    x, y, z = apply_affine(scan_to_template, points).T
    open_ = ~skin.edge[::_EVERY]
    forehead = open_ & (y > 55.0) & (z > 15.0) & (z < 75.0) & (np.abs(x) < 50.0)
    scalp = open_ & (y < 20.0) & (z > 40.0)
    if min(forehead.sum(), scalp.sum()) < _FEWEST:
        return 0.0
    before, behind = (_gaps(scan, head, points[m], normals[m]).mean() for m in (forehead, scalp))
    return 0.0 if behind > MOST_BONE else float(before)


def _gaps(
    scan: Scan, head: HeadMask, points: NDArray[np.float64], normals: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(N,) whether the line inwards from a place of the skin meets head, air and head."""
    depth = np.arange(-1.0, _DEEP_MM, _STEP_MM)
    values = values_along(scan, points, normals, depth)
    values = (values - head.air_level) / skin_contrast(head, points)[:, None]
    begun = np.logical_or.accumulate(values > HEAD_SHARE, axis=1)
    steps = round(LEAST_GAP_MM / _STEP_MM)
    empty = np.lib.stride_tricks.sliding_window_view(values < AIR_SHARE, steps, axis=1).all(axis=2)
    gap = np.logical_or.accumulate(empty & begun[:, : empty.shape[1]], axis=1)
    again = values[:, steps:] > HEAD_SHARE
    return np.asarray((again & gap[:, : again.shape[1]]).any(axis=1), np.bool_)
