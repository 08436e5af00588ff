"""A second skin below a new face: the person's own forehead, from which nothing was taken.

In a head that was refaced, skull follows below the new skin. Where the new face lies too far
forward but still touches the head, no air lies between, but skin, bone and brain follow once more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.head.segmentation import HeadMask
from faceblind.head.skin import Skin
from faceblind.head.skin_profile import forehead_of, values_along
from faceblind.scan import Scan

_STEPS = np.arange(0.0, 30.0, 0.75)
_FIRST_MM, _DIP_MM, _AGAIN_MM, _BONE_MM = 0.75, (3.0, 15.0), (1.5, 7.0), (2.0, 9.0)
"""Depth from which the new skin counts, and at which something dark lies below it; how far below
that the second skin lies, and how far below the second skin its bone."""
LEAST_AGAIN = 0.8
"""Brightness of the second skin against the new one: marrow, between two dark sheets of bone, is
darker."""
MOST_DIP, MOST_BONE = 0.75, 0.55
"""Brightness of what lies between the skins, and of the bone below, against the darker of the two:
brain below bright fluid is brighter. Bone is darker than the outermost skin, too: not in CT."""
_EVERY, _PATCHES, _NEIGHBOURS, _FEWEST = 3, 60, 20, 100


def second_skin_share(
    scan: Scan, head: HeadMask, skin: Skin, scan_to_template: NDArray[np.float64]
) -> float:
    """Share of the forehead below whose skin lies another, and then bone.

    Parameters
    ----------
    scan : Scan
        Of a series, the first volume is used.
    head : HeadMask
        Of `scan`; gives the level of air.
    skin : Skin
        Of `scan`.
    scan_to_template : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm, roughly: it tells where the forehead is.

    Returns
    -------
    float
        0 where too little is in view, or bone is not dark.
    """
    points, normals = forehead_of(skin, scan_to_template, _EVERY)
    if len(points) < _FEWEST:
        return 0.0
    values = values_along(scan, points, normals, _STEPS) - np.float32(head.air_level)
    some = points[:: max(1, len(points) // _PATCHES)]
    near = cKDTree(points).query(some, k=_NEIGHBOURS)[1]
    return float(np.mean([_has_second(one) for one in np.median(values[near], axis=1)]))


def _has_second(profile: NDArray[np.floating]) -> bool:
    """Whether a profile from the skin inwards is bright, darker, bright and dark."""
    skin = float(profile[_between((_FIRST_MM, _DIP_MM[0]))].max())
    dips = np.flatnonzero(_between(_DIP_MM))
    for dip in dips[_is_lowest(profile, dips)]:
        first = float(profile[_between((_FIRST_MM, _STEPS[dip]))].max())
        after = np.flatnonzero(_between(_AGAIN_MM, _STEPS[dip]))
        again = after[profile[after].argmax()]
        bone = profile[_between(_BONE_MM, _STEPS[again])].min()
        bright = min(first, float(profile[again]))
        dark = profile[dip] < MOST_DIP * bright and bone < MOST_BONE * min(bright, skin)
        if bright >= LEAST_AGAIN * first and dark:
            return True
    return False


def _between(limits: tuple[float, float], start: float = 0.0) -> NDArray[np.bool_]:
    return (start + limits[0] <= _STEPS) & (start + limits[1] >= _STEPS)


def _is_lowest(profile: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the steps are no brighter than those beside them."""
    return (profile[rows] <= profile[rows - 1]) & (profile[rows] <= profile[rows + 1])
