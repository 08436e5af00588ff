"""Intensities of a scan from the skin inwards, and where bone ends in them."""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.head.skin import Skin
from faceblind.scan import Scan

DEEP_MM = 15.0
"""From here inwards lies brain."""
BONE_MM = (2.0, 14.0)
"""Depths at which bone is looked for."""
_WIDE_MM, _FORWARD_MM, _HEIGHT_MM = 45.0, 50.0, (32.0, 65.0)
"""The forehead without sinus, template mm."""


def forehead_of(
    skin: Skin, scan_to_template: NDArray[np.float64], every: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places of the forehead without sinus, and their normals.

    Parameters
    ----------
    skin : Skin
    scan_to_template : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm, roughly: it tells where the forehead is.
    every : int
        One in so many of the skin's vertices is looked at.

    Returns
    -------
    points, normals : (N, 3) float64 ndarray
        Scan RAS+ mm, and outward units; not at the border of the field of view.
    """
    points, normals = (a[::every].astype(np.float64) for a in (skin.points, skin.normals))
    x, y, z = apply_affine(scan_to_template, points).T
    forehead = ~skin.edge[::every] & (y > _FORWARD_MM) & (np.abs(x) < _WIDE_MM)
    forehead &= (z > _HEIGHT_MM[0]) & (z < _HEIGHT_MM[1])
    return points[forehead], normals[forehead]


def values_along(
    scan: Scan,
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    steps: NDArray[np.float64],
) -> NDArray[np.float32]:
    """(N, S) values of the scan on lines from skin inwards."""
    rays = points[:, None] - steps[:, None] * normals[:, None]
    index = scan.index(rays.reshape(-1, 3))
    values = ndimage.map_coordinates(
        scan.volume(0), index.T, output=np.float32, order=1, mode="nearest"
    )
    return np.asarray(values.reshape(len(points), len(steps)), np.float32)


def inner_side(profile: NDArray[np.floating], steps: NDArray[np.float64]) -> float:
    """Depth where a profile leaves the dark of the bone for what lies inside; NaN if unclear.

    CT shows bone bright, so nothing is found and the usual cover holds.
    """
    search = np.flatnonzero((steps >= BONE_MM[0]) & (steps <= BONE_MM[1]))
    bone = int(search[profile[search].argmin()])
    deep = float(np.median(profile[steps > DEEP_MM]))
    rise = deep - profile[bone]
    if rise <= 0.2 * float(np.ptp(profile)) or steps[bone] >= 13.5:
        return float("nan")
    back = np.flatnonzero(profile[bone:] > profile[bone] + 0.3 * rise)
    return float(steps[bone + back[0]])


def bright_inner_side(profile: NDArray[np.floating], steps: NDArray[np.float64]) -> float:
    """Depth where a profile leaves the bright of the bone for what lies inside; NaN if it stays."""
    search = np.flatnonzero((steps >= BONE_MM[0]) & (steps <= BONE_MM[1]))
    bone = int(search[profile[search].argmax()])
    deep = float(np.median(profile[steps > DEEP_MM]))
    if profile[bone] < 1.3 * deep:
        return float("nan")
    back = np.flatnonzero(profile[bone:] < deep + 0.3 * (profile[bone] - deep))
    return float(steps[bone + back[0]]) if len(back) else float("nan")
