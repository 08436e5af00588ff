"""The reference face: where on every head a texture belongs.

All volunteers share one mesh topology. A texture is a function of where a vertex lies on the
average person (the *reference position*, mm, template frame), so brows, lips and hairlines
follow each face and each expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.people.head_model import PARTS, HeadModel

SKIN, MOUTH, SOCKETS, EYES, LASHES, TEETH, TONGUE = range(len(PARTS))


@dataclass(frozen=True, eq=False)
class Reference:
    """Reference positions and masks of the full surface of the head model.

    Attributes
    ----------
    points : (Q, 3) float32 ndarray
        Surface of the average person with open eyes, template frame, mm.
    faces : (F, 3) int32 ndarray
        Triangles drawn in photographs: all but the lash ribbons.
    parts : (Q,) uint8 ndarray
        Part of each vertex, an index into `faceblind.volunteers.people.head_model.PARTS`.
    ear : (Q,) float32 ndarray
        1 on the ears, 0 elsewhere, soft between.
    eye : (2, 3) float32 ndarray
        Centres of the person's right and left eye.
    """

    points: NDArray[np.float32]
    faces: NDArray[np.int32]
    parts: NDArray[np.uint8]
    ear: NDArray[np.float32]
    eye: NDArray[np.float32]


@lru_cache(maxsize=1)
def reference() -> Reference:
    """Read once and shared."""
    model = HeadModel.load()
    points = model.surface(model.points(45.0, 0.5))
    parts = model.fine_parts
    faces = model.fine_faces
    drawn = ~(parts[faces] == LASHES).any(axis=1)
    return Reference(
        points=points,
        faces=np.ascontiguousarray(faces[drawn]),
        parts=parts,
        ear=_ears(points, parts),
        eye=np.stack([eye_box(points, parts, side)[0] for side in (1, -1)]),
    )


def eye_box(
    points: NDArray[np.floating], parts: NDArray[np.uint8], side: int
) -> tuple[NDArray[np.float32], float]:
    """Centre (3,) and radius in mm of the right (side 1) or left (side -1) eyeball."""
    reference_x = points[:, 0] * side
    ball = points[(parts == EYES) & (reference_x > 0)]
    low, high = ball.min(axis=0), ball.max(axis=0)
    return ((low + high) / 2).astype(np.float32), float((high - low)[[0, 2]].mean() / 2)


def _ears(points: NDArray[np.float32], parts: NDArray[np.uint8]) -> NDArray[np.float32]:
    # An ellipse in side view that holds the average ear, root included.
    off = np.hypot((points[:, 1] + 13) / 19, (points[:, 2] - 2) / 28)
    inside = (np.abs(points[:, 0]) > 60) & (parts == SKIN)
    return np.where(inside, np.clip((1.12 - off) * 8, 0, 1), 0).astype(np.float32)


def bumps(
    where: NDArray[np.float64],
    parts: Sequence[tuple[tuple[float, ...], float, tuple[float, ...]]],
) -> NDArray[np.float64]:
    """(N, 3) sum of soft shifts at points (N, 3), the same on both sides of the face.

    Each of `parts` is a centre (|x|, y, z) and the standard deviation of a Gaussian, and the shift
    in its middle, mm: along |x|, forward, up. The caller gives the first its side.
    """
    folded = np.column_stack([np.abs(where[:, 0]), where[:, 1:]])
    field = np.zeros_like(where)
    for centre, radius, shift in parts:
        away = ((folded - centre) ** 2).sum(axis=1) / radius**2
        field += np.exp(-away / 2)[:, None] * np.asarray(shift, np.float64)
    return field


def smooth_step(value: NDArray[np.floating], low: float, high: float) -> NDArray[np.float32]:
    """0 below `low`, 1 above `high`, a cubic between; `high` may be the smaller one."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
