"""Where a head's brain may begin, by its own surface.

The average brain is carried along with the skin over it: what bends and scales the average skin
to a person's takes the brain with it. Small children have larger brains for their heads than
adults, under a thinner cover, so that in small heads the brain is moved outwards, too.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.geometry.triangles import vertex_normals
from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import (
    ADULT_COVER_MM,
    CHILD_COVER,
    cover_share,
    template_fields,
)
from faceblind.head.skin import Skin
from faceblind.head.template import Template, load_template

BROW_MM = (10.0, 26.0)
"""Template heights from which the brow, which in a child has no sinus, lies over the brain."""
KEPT_MM, MORE_KEPT_MM = 1.5, 0.5
"""Scan mm outside the brain that is carried along, for the fit of the skin; more in children, whose
heads are not of the average adult's form."""
SIDES_KEPT_MM, SIDES_MM = 1.0, (10.0, 20.0)
"""More still behind these template places forward, where no skin over the brain is looked at."""
_ACROSS_MM, _ABOVE_EARS_MM = 48.0, 40.0
"""Further to the sides, and higher, template mm, a head's sides lie above its ears."""
_FURTHEST_MM = 12.0
"""From the fitted surface that skin counts; further away lies something else."""
_STEP_MM = 4.0
_DEEPEST_MM = 26.0
"""Brain deeper than this, in the average head, is out of reach."""
_NEIGHBOURS = 12
_SKIN = ("scalp", "face", "brow", "cheeks", "neck")
"""Regions whose skin lies on the skull; ears, nose and lips stand off."""


def likely_brain(
    alignment: Alignment, skin: Skin, size: float, thickness: float | None = None
) -> NDArray[np.float64]:
    """The outer surface of what may be brain in this head, or near it.

    Parameters
    ----------
    alignment : Alignment
    skin : Skin
        Of the same head: in a child it may lie further out than any grown head's form allows.
    size : float
        Template mm per scan mm.
    thickness : float, optional
        What `faceblind.head.brain_cover.cover_share` says of the size by default.

    Returns
    -------
    (N, 3) float64 ndarray
        Places, scan RAS+ mm.
    """
    places, outward, depth, near, weight = _surface()
    back = np.linalg.inv(alignment.scan_to_template)
    template = alignment.template
    fitted = alignment.fitted()
    bent = fitted - apply_affine(back, template.points.astype(np.float64))
    thickness = cover_share(size) if thickness is None else thickness
    if thickness < 1.0:
        bent += _further_out(fitted, template, np.unique(near), skin)
    thinner = 1.0 - thickness
    no_sinus = np.maximum(depth - ADULT_COVER_MM, 0.0)
    no_sinus = no_sinus * np.interp(places[:, 2], BROW_MM, (0.0, 1.0))
    push = thinner * (ADULT_COVER_MM + no_sinus)
    beside = np.interp(places[:, 1], SIDES_MM, (SIDES_KEPT_MM, 0.0))
    push += size * beside * thinner / (1.0 - CHILD_COVER)
    push += size * (KEPT_MM + MORE_KEPT_MM * thinner / (1.0 - CHILD_COVER))
    points = apply_affine(back, places + push[:, None] * outward)
    return np.asarray(points + np.einsum("nk,nkc->nc", weight, bent[near]), np.float64)


def _further_out(
    fitted: NDArray[np.float64], template: Template, which: NDArray[np.int64], skin: Skin
) -> NDArray[np.float64]:
    """(P, 3) mm from the fitted surface outwards to the skin, at some vertices; 0 elsewhere."""
    normals = vertex_normals(fitted, template.faces).astype(np.float64)[which]
    usable = np.flatnonzero(~skin.edge)
    moves = np.zeros_like(fitted)
    if not len(usable):
        return moves
    points = skin.points[usable].astype(np.float64)
    apart, nearest = cKDTree(points).query(fitted[which])
    out = ((points[nearest] - fitted[which]) * normals).sum(axis=1)
    parallel = (skin.normals[usable][nearest] * normals).sum(axis=1) > 0.5
    parallel &= (apart < _FURTHEST_MM) & template.region("scalp")[which]
    out = np.where(parallel, np.maximum(out, 0.0), 0.0)
    beside = cKDTree(fitted[which]).query(fitted[which], k=9)[1]
    moves[which] = np.median(out[beside], axis=1)[:, None] * normals
    return moves


def brain_surface(out_mm: float = 0.0) -> NDArray[np.float64]:
    """(N, 3) template mm: the average brain's surface, as far as a cut may come near it.

    Parameters
    ----------
    out_mm : float
        So far outside of it.
    """
    places, outward, *_ = _surface()
    return places + out_mm * outward


def unseen_sides(skin: Skin, scan_to_template: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the field of view ends in the sides of a head, above the ears; (N, 3) scan mm.

    How wide the head is there is not known, nor how near to that the brain lies.

    Parameters
    ----------
    skin : Skin
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm.
    """
    points = skin.points[skin.edge].astype(np.float64)
    across, forward, height = apply_affine(scan_to_template, points).T
    beside = (np.abs(across) > _ACROSS_MM) & (forward < SIDES_MM[0]) & (height > _ABOVE_EARS_MM)
    return points[beside]


@lru_cache(maxsize=1)
def _surface() -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.float64],
]:
    """The average brain's surface: places, directions outwards, depth, skin near it and shares."""
    fields, template = template_fields(), load_template()
    low = fields.affine[:3, 3]
    high = low + fields.affine[:3, :3].diagonal() * (np.array(fields.brain.shape) - 1)
    axes = [np.arange(a + 4.0, b - 4.0, _STEP_MM) for a, b in zip(low, high, strict=True)]
    where = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    where = where[np.abs(fields.at("brain", where)) < 0.6 * _STEP_MM]
    outward = -np.stack(
        [fields.at("brain", where + e) - fields.at("brain", where - e) for e in 2.0 * np.eye(3)],
        axis=1,
    )
    outward /= np.maximum(np.linalg.norm(outward, axis=1), 1e-6)[:, None]
    where = where + fields.at("brain", where)[:, None] * outward
    depth = fields.at("depth", where).astype(np.float64)
    reached = depth < _DEEPEST_MM
    where, outward, depth = where[reached], outward[reached].astype(np.float64), depth[reached]
    skin = np.flatnonzero(template.region(*_SKIN))
    # Vertices crowd on the face: an even spread weighs equally.
    cell = np.floor(template.points[skin] / 8.0).astype(np.int64)
    skin = skin[np.unique(cell, axis=0, return_index=True)[1]]
    away, near = cKDTree(template.points[skin]).query(where, k=_NEIGHBOURS)
    weight = 1.0 / np.maximum(away, 1.0) ** 2
    return where, outward, depth, skin[near], weight / weight.sum(axis=1, keepdims=True)
