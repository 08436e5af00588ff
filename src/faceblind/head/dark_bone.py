"""Whether a skull is as dark as air, so that a cut through it lets the air in.

Then the brain floats in air, and an audit of the file mistakes what is left for another head.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.head.skin import Skin
from faceblind.head.skin_profile import forehead_of, values_along
from faceblind.scan import Scan

MOST_DARK = 0.8
"""Share of the forehead with such bone from which a skull is as dark as air: 0.49 and less in nine
real scans (T1w, T2w, PDw, CT), 0.99 and more in ten simulated ones whose skull has no signal."""
DARK = 0.08
"""Share of the scalp's contrast up to which bone is as dark as air."""
_DARK_MM = 3.0
_DEEP_MM, _STEP_MM, _SCALP_MM = 14.0, 0.75, 6.0
_OUTSIDE_MM = np.array([10.0, 11.0, 12.0])
_EVERY, _FEWEST = 5, 50


def is_bone_dark(scan: Scan, skin: Skin, scan_to_template: NDArray[np.float64]) -> bool:
    """Whether the forehead's bone cannot be told from air.

    Parameters
    ----------
    scan : Scan
        Of a series, the first volume is used.
    skin : Skin
        Of the same scan.
    scan_to_template : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm.
    """
    return dark_bone_share(scan, skin, scan_to_template) >= MOST_DARK


def dark_bone_share(scan: Scan, skin: Skin, scan_to_template: NDArray[np.float64]) -> float:
    """Share of the forehead below whose skin 3 mm are as dark as the air before it.

    Parameters
    ----------
    scan, skin, scan_to_template : Scan, Skin, (4, 4) float64 ndarray
        As for `is_bone_dark`.

    Returns
    -------
    float
        0 where too little of it is in view.
    """
    points, normals = forehead_of(skin, scan_to_template, _EVERY)
    if len(points) < _FEWEST:
        return 0.0
    depth = np.arange(0.0, _DEEP_MM, _STEP_MM)
    steps = np.concatenate([depth, -_OUTSIDE_MM])
    values = values_along(scan, points, normals, steps)
    air = float(np.median(values[:, len(depth) :]))
    values = values[:, : len(depth)] - np.float32(air)
    scalp = float(np.median(values[:, depth <= _SCALP_MM].max(axis=1)))
    window = round(_DARK_MM / _STEP_MM)
    runs = np.lib.stride_tricks.sliding_window_view(values, window, axis=1).mean(axis=2)
    return float((runs.min(axis=1) < DARK * scalp).mean())
