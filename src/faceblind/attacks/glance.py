"""A quick look at a face's place: where along each ray the air ends, without building a skin."""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.attacks.surface import (
    DEEP_MM,
    LOOKED_AT,
    OUT_MM,
    Surface,
    in_view,
    region_mask,
    smooth_ways,
    vertex_areas,
)
from faceblind.face.mesh import vertex_normals
from faceblind.head.align import Alignment
from faceblind.head.skin import HeadMask
from faceblind.scan import Scan

STEP_MM = 1.0
RUN = 3
"""Samples in a row that must be brighter than air; fewer are noise."""


def glance(scan: Scan, head: HeadMask, alignment: Alignment) -> Surface:
    """What `find_surface` finds at the face and ears, some tenths of a millimetre rougher.

    Parameters
    ----------
    scan : Scan
        Of a series, the first volume is used.
    head : HeadMask
        Gives the level between air and tissue; of the same scan, or of the scan before an attack
        changed it.
    alignment : Alignment
    """
    template = alignment.template
    chosen = np.zeros(len(template.points), bool)
    for name in LOOKED_AT:
        chosen |= region_mask(template, name)
    turn = np.linalg.inv(alignment.pose)[:3, :3]
    points = alignment.fitted()
    ways = smooth_ways(template) @ turn.T
    depth = np.arange(-OUT_MM, DEEP_MM, STEP_MM)
    rays = points[chosen, None] - depth[:, None] * ways[chosen, None]
    index = scan.index(rays.reshape(-1, 3)).T
    volume = np.asarray(scan.volume(), np.float32)
    values = ndimage.map_coordinates(volume, index, order=1, mode="constant", cval=head.air_level)
    level = _level(head, rays.reshape(-1, 3))
    above = (values - level).reshape(rays.shape[:2])
    bright = above > 0
    steady = bright.copy()
    for ahead in range(1, RUN):
        steady[:, :-ahead] &= bright[:, ahead:]
    first = steady.argmax(axis=1)
    hit = steady.any(axis=1)
    before = np.maximum(first - 1, 0)
    rows = np.arange(len(first))
    low, high = above[rows, before], above[rows, first]
    back = np.where(first > 0, high / np.maximum(high - low, 1e-9), 0.0)
    found = np.where(hit, -(depth[first] - STEP_MM * np.clip(back, 0.0, 1.0)), np.nan)
    offset = np.full(len(points), np.nan)
    offset[chosen] = found
    place = points + np.nan_to_num(offset, nan=-DEEP_MM)[:, None] * ways
    normals = vertex_normals(place.astype(np.float32), template.faces)
    own = vertex_normals(points.astype(np.float32), template.faces)
    return Surface(
        offset,
        (normals * own).sum(axis=1).astype(np.float64),
        in_view(scan, points),
        vertex_areas(points, template.faces),
        np.where(np.isfinite(offset)[:, None], place, np.nan),
    )


def _level(head: HeadMask, world: NDArray[np.float64]) -> NDArray[np.float32]:
    """(N,) level between air and tissue at places in scan mm."""
    to_grid = np.linalg.inv(head.affine)
    index = apply_affine(to_grid, world).T
    found: NDArray[np.float32] = ndimage.map_coordinates(
        head.threshold, index, order=1, mode="nearest"
    )
    return found
