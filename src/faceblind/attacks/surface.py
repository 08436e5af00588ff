"""Where the outermost tissue of a scan lies against the head that was found in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.mesh import checked_normals
from faceblind.geometry.raycast import Scene, first_hits_near
from faceblind.geometry.triangles import vertex_areas
from faceblind.head.alignment import Alignment
from faceblind.head.segmentation import HeadMask
from faceblind.head.skin import Skin
from faceblind.head.template import Template
from faceblind.scan import Scan

OUT_MM = 8.0
"""How far outside the fitted head tissue is looked for: a long nose, a swollen cheek."""
DEEP_MM = 45.0
"""How far inside: as deep as a cut may lie behind the nose and the chin."""
MARGIN_MM = 3.0
"""Places this near the border of the field of view count as not shown."""

FACE = ("brow", "eyes", "nose", "mouth", "chin", "cheeks")
"""Regions that make a face."""
LOOKED_AT = (*FACE, "left ear", "right ear")
"""Regions that a verdict names."""


@dataclass(frozen=True)
class Surface:
    """The outermost tissue at each vertex of the template.

    Parameters
    ----------
    offset : (P,) float64 ndarray
        mm along the outward direction from the fitted head to the tissue; NaN where there is none.
    facing : (P,) float64 ndarray
        Cosine between the tissue's normal and the fitted head's.
    seen : (P,) bool ndarray
        Place within the field of view and not on a cap.
    area : (P,) float64 ndarray
        mm² of the fitted head that each vertex stands for.
    points : (P, 3) float64 ndarray
        The tissue, scan RAS+ mm; NaN where there is none.
    vertex : (P,) int64 ndarray or None
        A vertex of the skin beside the tissue, -1 where there is none; None where the tissue was
        found without a skin.
    """

    offset: NDArray[np.float64]
    facing: NDArray[np.float64]
    seen: NDArray[np.bool_]
    area: NDArray[np.float64]
    points: NDArray[np.float64]
    vertex: NDArray[np.int64] | None = None


def find_surface(
    skin: Skin,
    alignment: Alignment,
    scan: Scan,
    scene: Scene | None = None,
    *,
    chosen: NDArray[np.bool_] | None = None,
) -> Surface:
    """Cast a ray onto the skin at every vertex of the fitted template.

    Parameters
    ----------
    skin : Skin
        Scan RAS+ mm.
    alignment : Alignment
        Of `scan`.
    scan : Scan
        Gives the field of view.
    scene : Scene, optional
        Of the same skin, where there is one already.
    chosen : (P,) bool ndarray, optional
        Vertices that are asked for; others count as not seen.
    """
    template = alignment.template
    points = alignment.fitted().astype(np.float32)
    turn = np.linalg.inv(alignment.scan_to_template_rigid)[:3, :3].astype(np.float32)
    ways = template.smooth_ways @ turn.T
    start = points + np.float32(OUT_MM) * ways
    view = in_view(scan, points)
    if chosen is None:
        depth, hit = (scene or Scene(skin.points, skin.faces)).first_hits(start, -ways)
    else:
        view &= chosen
        depth = np.full(len(points), np.inf, np.float32)
        hit = np.full(len(points), -1)
        depth[view], hit[view] = _hits_of_face(skin, start[view], -ways[view])
    vertex = skin.faces[np.maximum(hit, 0)]
    normal = skin.normals[vertex].mean(axis=1)
    own = checked_normals(points, template.faces)
    capped = skin.edge[vertex].any(axis=1)
    found = (hit >= 0) & (depth < OUT_MM + DEEP_MM) & ~capped
    offset = np.where(found, OUT_MM - depth, np.nan)
    return Surface(
        offset.astype(np.float64),
        (normal * own).sum(axis=1).astype(np.float64),
        view & ~((hit >= 0) & capped),
        vertex_areas(points, template.faces),
        np.where(found[:, None], start - depth[:, None] * ways, np.nan).astype(np.float64),
        np.where(found, vertex[:, 0], -1).astype(np.int64),
    )


def _hits_of_face(
    skin: Skin, start: NDArray[np.float32], ways: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Depth and triangle of first hits that lie within `DEEP_MM` or are capped; none of others."""
    depth, hit = first_hits_near(skin.points, skin.faces, start, ways, OUT_MM + DEEP_MM)
    left = np.flatnonzero(hit < 0)
    if len(left):
        caps = skin.faces[skin.edge[skin.faces].any(axis=1)]
        far = float(np.linalg.norm(np.ptp(np.concatenate([skin.points, start]), axis=0)))
        to_cap = first_hits_near(skin.points, caps, start[left], ways[left], far)[0]
        left, to_cap = left[np.isfinite(to_cap)], to_cap[np.isfinite(to_cap)]
    if len(left):
        # Something may lie before the cap.
        depth[left], hit[left] = first_hits_near(
            skin.points, skin.faces, start[left], ways[left], float(to_cap.max())
        )
    return depth, hit


def in_view(scan: Scan, points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(N,) whether places in scan mm lie well within the field of view."""
    index = scan.index(points)
    margin = np.minimum(MARGIN_MM / scan.spacing, 0.25 * np.asarray(scan.shape))
    last = np.asarray(scan.shape) - 1
    inside = (index >= margin) & (index <= last - margin)
    return np.asarray(inside.all(axis=1), bool)


def region_mask(template: Template, name: str) -> NDArray[np.bool_]:
    """(P,) vertices of a region of `LOOKED_AT`."""
    if name.endswith(" ear"):
        side = template.points[:, 0] < 0 if name.startswith("left") else template.points[:, 0] > 0
        return template.region("ears") & side
    return template.region(name)


STEP_MM = 1.0


RUN = 3
"""Samples in a row that must be brighter than air; fewer are noise."""


def find_surface_by_rays(scan: Scan, head: HeadMask, alignment: Alignment) -> Surface:
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
    turn = np.linalg.inv(alignment.scan_to_template_rigid)[:3, :3]
    points = alignment.fitted()
    ways = template.smooth_ways @ turn.T
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
    normals = checked_normals(place.astype(np.float32), template.faces)
    own = checked_normals(points.astype(np.float32), template.faces)
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
