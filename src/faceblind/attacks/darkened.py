"""Attack 2, continued: what looks like air but still holds the face.

A face that was divided by fifty is dark to the eye and whole to a computer. Air has noise; noise
is not the same from voxel to voxel as anatomy is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.attacks.surface import FACE
from faceblind.geometry.arrays import correlation
from faceblind.geometry.grid import blur, dilate
from faceblind.geometry.points import thin, unique_rows
from faceblind.head.alignment import Alignment
from faceblind.head.segmentation import HeadMask
from faceblind.scan import Scan

DEEPEST_MM = 24.0
"""Depth under the fitted skin in which the removed face is looked for."""
STRUCTURED = 0.2
"""Correlation of voxels near each other from which the dark is worth raising. Noise has none; a
face that was divided until few grey levels were left has 0.4."""
BESIDE_MM = 3.0
"""This near to tissue, air holds its blur and its ghosts, which are similar for that reason."""
SHADING_MM = 8.0
"""Gaussian whose result is taken off before voxels are compared: coils shade the air, too."""
LEAST_VOXELS = 400


@dataclass(frozen=True)
class Darkened:
    """Structure in the dark.

    Parameters
    ----------
    correlation : float
        Between neighbouring voxels where the face was, less that of the outer air.
    scan : Scan or None
        The scan with the dark raised to the tissue's level, where structure was found.
    """

    correlation: float
    scan: Scan | None


def find_darkened(scan: Scan, alignment: Alignment, head: HeadMask) -> Darkened:
    """Look for a darkened face.

    Parameters
    ----------
    scan : Scan
    alignment : Alignment
        Of what is left of the head.
    head : HeadMask
        Of the same scan.
    """
    plain = np.asarray(scan.volume(), np.float32)
    contrast = head.tissue_level - head.air_level
    # Turned below the air, a face is dark, too.
    volume = np.where(plain < head.air_level, 2 * head.air_level - plain, plain)
    places = face_voxels(scan, alignment)
    bright = plain >= head.level(0.1)
    beside = dilate(bright, max(1, round(BESIDE_MM / float(np.mean(scan.spacing)))))
    # What a tool or a scanner wiped with the lowest value of all is no picture, but its border is.
    wiped = plain == plain.min()
    apart = places[~(beside | wiped)[tuple(places.T)]]
    if len(apart) < LEAST_VOXELS:
        return Darkened(0.0, None)
    # Shading is similar over far; a face is rough over millimetres.
    weight, sigma = (~(beside | wiped)).astype(np.float32), SHADING_MM / scan.spacing
    shading = blur(volume * weight, sigma) / np.maximum(blur(weight, sigma), np.float32(1e-3))
    rough = (volume - shading).astype(np.float32)
    outer = max(0.0, _similarity(rough, _outer_air(volume, head), wiped))
    correlation = _similarity(rough, apart, wiped) - outer
    if correlation < STRUCTURED:
        return Darkened(max(0.0, correlation), None)
    dark = places[~bright[tuple(places.T)]]
    values = volume[tuple(dark.T)]
    low, high = np.quantile(values, (0.02, 0.9))
    mask = np.zeros(volume.shape, bool)
    mask[tuple(dark.T)] = True
    mask = ndimage.binary_closing(mask, iterations=2)
    mask &= plain < head.level(0.3)
    raised = (volume - low) / max(float(high - low), 1e-9) * contrast + head.air_level
    voxels = np.where(mask, np.clip(raised, head.air_level, head.air_level + 2 * contrast), plain)
    return Darkened(correlation, replace(scan, voxels=voxels.astype(np.float32), stored=None))


def face_voxels(scan: Scan, alignment: Alignment) -> NDArray[np.int64]:
    """(N, 3) voxels under the fitted face, down to `DEEPEST_MM`.

    Parameters
    ----------
    scan : Scan
        Gives the grid.
    alignment : Alignment
    """
    template = alignment.template
    chosen = np.flatnonzero(template.region(*FACE))
    chosen = chosen[thin(template.points[chosen], 2.0)]
    turn = np.linalg.inv(alignment.scan_to_template_rigid)[:3, :3]
    points, ways = alignment.fitted()[chosen], template.normals[chosen] @ turn.T
    depths = np.arange(-2.0, DEEPEST_MM, 1.0)
    deep = (points[:, None] - depths[None, :, None] * ways[:, None]).reshape(-1, 3)
    index = np.round(scan.index(deep)).astype(np.int64)
    inside = ((index >= 1) & (index < np.asarray(scan.shape) - 1)).all(axis=1)
    return unique_rows(index[inside])


def _outer_air(volume: NDArray[np.float32], head: HeadMask) -> NDArray[np.int64]:
    """(N, 3) voxels near the corners of the field of view, where nothing was removed."""
    size = np.maximum(np.asarray(volume.shape) // 8, 3)
    corner = np.zeros(volume.shape, bool)
    for ends in np.ndindex(2, 2, 2):
        part = tuple(
            slice(1, s) if end == 0 else slice(-s, -1) for s, end in zip(size, ends, strict=True)
        )
        corner[part] = True
    limit = head.level(0.1)
    return np.argwhere(corner & (volume < limit))


def _similarity(
    volume: NDArray[np.float32], places: NDArray[np.int64], left_out: NDArray[np.bool_]
) -> float:
    """Mean correlation of voxels with their next neighbours; 0 where all are equal.

    Neighbours two apart, because scanners interpolate between direct ones.
    """
    if len(places) < LEAST_VOXELS:
        return 0.0
    values = volume[tuple(places.T)]
    limit = float(np.quantile(values, 0.98))
    found = []
    for axis in range(3):
        other = places.copy()
        other[:, axis] = np.minimum(other[:, axis] + 2, volume.shape[axis] - 1)
        there = volume[tuple(other.T)]
        kept = (there <= limit) & ~left_out[tuple(other.T)]
        a, b = values[kept], there[kept]
        found.append(correlation(a, b) if len(a) >= LEAST_VOXELS // 2 else 0.0)
    return float(np.mean(found))
