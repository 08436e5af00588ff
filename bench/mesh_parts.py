"""Heads of the same vertices taken apart: some parts a person's own, the rest everybody's mean.

The frame is that of the new face, which lies in the same place in everybody. Two parts are no
shapes: the *pose* in which the searcher's fit sets the head upright, and the *marks*, the five
places (eyes, nose, corners of the mouth) that the fit finds on the new face, by which pictures are
cut out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.geometry.arrays import smooth_step

Floats = NDArray[np.float64]
SHAPES = ("face", "ears", "rim", "forehead", "back", "neck")
"""Parts of the surface: the new face in front, at the ears and at its rim; three of what stays."""
PARTS = (*SHAPES, "marks", "pose")
RIM_MM = 12.0
"""From the end of the region inwards: where the new face may be moved, and a little more."""
FADE_MM = 6.0
"""Over which one part goes over into the next."""
FOREHEAD_MM, NECK_MM = 45.0, -75.0
"""Heights: what stays above the first is forehead and vault, below the second neck."""
FRONT_MM = 25.0
"""Forward: the new face behind this are ears, to which the searcher gives the fitted shape."""


@dataclass(frozen=True)
class Heads:
    """Heads in the frame of the new face.

    Parameters
    ----------
    shapes : (P, Q, 3) float64 ndarray
        Vertices, mm.
    upright : (P, 3, 3) float64 ndarray
        From this frame to that of the searcher's upright pose.
    """

    shapes: Floats
    upright: Floats


def in_common_frame(points: Floats, to_face: Floats) -> Heads:
    """Heads by the place of their new face.

    Parameters
    ----------
    points : (P, Q, 3) float64 ndarray
        As the searcher set them upright, mm.
    to_face : (P, 4, 4) float64 ndarray
        From there to the frame of the new face.
    """
    linear = to_face[:, :3, :3]
    shapes = points @ linear.transpose(0, 2, 1) + to_face[:, None, :3, 3]
    return Heads(shapes, np.linalg.inv(linear))


def weights_of(points: Floats, inside_mm: Floats) -> dict[str, Floats]:
    """How far each vertex belongs to each of `SHAPES`; the sum is 1.

    Parameters
    ----------
    points : (Q, 3) float64 ndarray
        Of the average head, upright, mm.
    inside_mm : (Q,) float64 ndarray
        How deep it lies inside the region in most people; negative outside.
    """
    away = cKDTree(points[inside_mm < 0.0]).query(points)[0]
    new = np.where(inside_mm < 0.0, 0.0, smooth_step(away / FADE_MM))
    inner = smooth_step((away - RIM_MM) / FADE_MM) * new
    front = smooth_step((points[:, 1] - FRONT_MM) / FADE_MM + 0.5)
    high = smooth_step((points[:, 2] - FOREHEAD_MM) / FADE_MM + 0.5)
    low = smooth_step((NECK_MM - points[:, 2]) / FADE_MM + 0.5)
    stays = 1.0 - new
    return {
        "face": inner * front,
        "ears": inner * (1.0 - front),
        "rim": new - inner,
        "forehead": stays * high,
        "back": stays * (1.0 - high - low),
        "neck": stays * low,
    }


def with_own(
    heads: Heads, weights: dict[str, Floats], marks: NDArray[np.integer], own: Sequence[str]
) -> tuple[Floats, Floats]:
    """Heads that are a person's own in some parts, and everybody's mean in the others.

    Parameters
    ----------
    heads : Heads
    weights : dict of str to (Q,) float64 ndarray
        See `weights_of`.
    marks : (5,) integer ndarray
        Vertices by which pictures are cut out.
    own : sequence of str
        Of `PARTS`.

    Returns
    -------
    points : (P, Q, 3) float64 ndarray
    landmarks : (P, 5, 3) float64 ndarray
    """
    mean = heads.shapes.mean(axis=0)
    share = sum((weights[name] for name in own if name in SHAPES), np.zeros(len(mean)))
    mixed = mean + share[:, None] * (heads.shapes - mean)
    places = (heads.shapes if "marks" in own else np.broadcast_to(mean, mixed.shape))[:, marks]
    upright = heads.upright if "pose" in own else heads.upright.mean(axis=0)
    turn = np.swapaxes(upright, -1, -2)
    return np.asarray(mixed @ turn, np.float64), np.asarray(places @ turn, np.float64)
