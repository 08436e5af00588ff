"""The boundary of what protection replaces, at single places rather than on a grid.

`faceblind.protect.region` makes the same on a grid, and with its options.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.head.brain_cover import template_fields
from faceblind.protect.brain_margin import EARS_FRONT_MM, brain_margin
from faceblind.protect.placement import face_share

ROOM_FROM_BRAIN_MM = 10.0
"""What is kept around the average brain where the region is enlarged for the new face."""


def boundary_at(
    where: NDArray[np.float64], in_cut: NDArray[np.float64], on_face: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far places lie inside the region that is cut from a head.

    Parameters
    ----------
    where : (N, 3) float64 ndarray
        Template mm of `Placement.scan_to_template`.
    in_cut : (N, 3) float64 ndarray
        The same places in template mm of `CutFit.scan_to_cut`.
    on_face : (N, 3) float64 ndarray
        The same places in template mm of `Placement.scan_to_face`.

    Returns
    -------
    (N,) float64 ndarray
        Millimetres (template), negative outside, 0 on the boundary; not lifted for the brain's
        sake, and with the default options.
    """
    moved = template_fields().at("cut", in_cut)
    return inside_at(moved, "cut", where, on_face).astype(np.float64)


def inside_at(
    moved: NDArray[np.float32],
    name: str,
    where: NDArray[np.float64],
    on_face: NDArray[np.float64],
) -> NDArray[np.float32]:
    """`boundary_at` of a cut that may have been lifted.

    Parameters
    ----------
    moved : (N,) float32 ndarray
        Millimetres inside the cut, where it was moved and lifted to.
    name : str
        Field of `TemplateFields` that the cut is made from.
    where, on_face : (N, 3) float64 ndarray
        As for `boundary_at`.
    """
    fields, inside = template_fields(), moved.copy()
    behind = np.float32(EARS_FRONT_MM) - where[:, 1].astype(np.float32)
    # Fields are looked up only where they can change something: look-ups take most of the time.
    some = np.flatnonzero(behind > inside)
    unmoved = np.minimum(fields.at(name, where[some]), behind[some])
    inside[some] = np.maximum(inside[some], unmoved)
    brain = fields.at("brain", where)
    inside = np.minimum(inside, -brain_margin(where[:, 2]) - brain)
    room = room_limit(on_face, brain)
    some = np.flatnonzero(room > inside)
    here = np.minimum(fields.at(name, on_face[some]), room[some])
    inside[some] = np.maximum(inside[some], here)
    return np.asarray(inside, np.float32)


def room_limit(on_face: NDArray[np.float64], brain: NDArray[np.float32]) -> NDArray[np.float32]:
    """The most millimetres by which places can lie inside the room of the new face.

    Parameters
    ----------
    on_face : (N, 3) float64 ndarray
        Template mm of `Placement.scan_to_face`.
    brain : float32 ndarray of N elements
        Depth inside the average brain, mm.

    Returns
    -------
    float32 ndarray in the shape of `brain`
    """
    # The rim keeps the head's own cut; below the brow nothing of the brain is near.
    share = 40.0 * (face_share(on_face).astype(np.float32).reshape(brain.shape) - np.float32(0.5))
    below = -on_face[:, 2].astype(np.float32).reshape(brain.shape)
    limit = np.minimum(np.minimum(-ROOM_FROM_BRAIN_MM - brain, share), below)
    return np.asarray(limit, np.float32)
