"""What lying down does to a face: people are photographed upright and scanned on their backs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.reference_face import (
    EYES,
    LASHES,
    SOCKETS,
    TEETH,
    TONGUE,
    bumps,
    smooth_step,
)

SUPINE_MM = 2.5
"""Largest shift of a face of 50 years and average weight, mm.

Of 175 people of 35 +- 10 years, scanned upright and supine, skin moved on average 0.9 mm up and
0.8 mm sideways in the medial face, 1.2 and 1.4 mm in the lower face; the lateral face gained
volume and the medial face lost some (Aesthetic Plast Surg 2022, 46:2237,
doi:10.1007/s00266-022-02921-8). A largest shift of 2.5 mm is 1.1 mm on average over the cheeks.
"""

# Soft parts: centre (|x|, y, z) and radius on the average head, mm; shift outward, forward, up.
# Directions as in "Gravity in Midfacial Aging: A 3-Dimensional Study" (2020): malar and buccal
# fat go back and up, the corner of the mouth sideways, the jowl shrinks, the tail of the brow
# rises.
_SOFT = (
    ((38, 66, -12), 16, (0.30, -0.30, 0.40)),
    ((45, 55, -44), 18, (0.70, -0.70, 0.45)),
    ((38, 50, -72), 15, (0.75, -0.75, 0.65)),
    ((60, 20, -42), 20, (0.55, -0.40, 0.20)),
    ((27, 68, -54), 10, (0.50, -0.25, 0.15)),
    ((45, 64, 28), 10, (0.20, -0.15, 0.40)),
    ((70, -6, -26), 9, (0.10, -0.40, 0.35)),
)  # fmt: skip
_NECK = ((0, 35, -104), 24, (0.0, -0.75, 0.25))


def supine(
    points: NDArray[np.floating], amount: float = SUPINE_MM, age: float = 50, weight: float = 0.5
) -> NDArray[np.float32]:
    """Lay a head on its back: cheeks, jowls and the skin under the chin fall back.

    Parameters
    ----------
    points : (N, 3) ndarray
        Coarse points of the head model, template frame, mm, of someone upright.
    amount : float
        Largest shift, mm, for 50 years and average weight; 0 changes nothing.
    age : float
        Years. Lax skin moves more: 1.2 % of the amount per year, between half and one and a half
        times (older people moved more in Nishioka et al. 2022, Facial Plast Surg 38:193; the
        rate is assumed).
    weight : float
        The head model's weight, 0 to 1; more fat moves more (rate assumed).

    Returns
    -------
    (N, 3) float32 ndarray
        The same head supine, in the same frame: bone, and so the midline of the face, the nose,
        the eyes, the teeth and the preauricular points, stays.

    Raises
    ------
    FaceblindError
        If the points are not those of the head model.
    """
    field = _field()
    if np.shape(points) != field.shape:
        raise FaceblindError(
            f"supine: expected the head model's coarse points {field.shape}, got {np.shape(points)}"
        )
    lax = np.clip(1 + 0.012 * (age - 50), 0.5, 1.5) * np.clip(1 + 0.8 * (weight - 0.5), 0.6, 1.4)
    return (np.asarray(points, np.float64) + amount * lax * field).astype(np.float32)


def bend_neck(points: NDArray[np.floating], degrees: float) -> NDArray[np.float32]:
    """Tip the head on a neck that stays: in the head's frame, the neck swings the other way.

    Parameters
    ----------
    points : (N, 3) ndarray
        Points in the template frame, mm.
    degrees : float
        By which the head is tipped, positive is chin up; the neck follows 60 % of it, the rest is
        the spine's further down (assumed).

    Returns
    -------
    (N, 3) float32 ndarray
        The head, jaw included, stays; what lies below the plane from chin to nape bends.
    """
    where = np.asarray(points, np.float64)
    x, y, z = where.T
    below = -105.0 + 0.54 * (60.0 - y) - z
    angle = -0.6 * np.radians(degrees) * smooth_step(below, 0.0, 45.0).astype(np.float64)
    y, z = y + 15.0, z + 45.0
    turned = (x, np.cos(angle) * y - np.sin(angle) * z - 15.0,
              np.sin(angle) * y + np.cos(angle) * z - 45.0)  # fmt: skip
    return np.column_stack(turned).astype(np.float32)


@lru_cache(maxsize=1)
def _field() -> NDArray[np.float64]:
    """(N, 3) shift of each coarse point per mm of amount, at most 1 long."""
    model = HeadModel.load()
    where = model.points().astype(np.float64)
    side = np.abs(where[:, 0])
    folded = np.column_stack([side, where[:, 1:]])
    field = bumps(where, _SOFT)
    # The tragus, the nose and the midline down to the chin sit on bone or cartilage.
    ear = np.linalg.norm(folded - [70, 0, 0], axis=1)
    field *= (smooth_step(side, 9, 26) * smooth_step(ear, 6, 22))[:, None]
    centre, radius, shift = _NECK
    away = ((folded - centre) ** 2).sum(axis=1) / radius**2
    under = smooth_step(where[:, 2], -90, -102) * np.exp(-away / 2)
    field += under[:, None] * np.asarray(shift)
    field[:, 0] *= np.sign(where[:, 0])
    field[np.isin(model.parts, [SOCKETS, EYES, LASHES, TEETH, TONGUE])] = 0
    field[list(model.tragion)] = 0
    field /= np.linalg.norm(field, axis=1).max()
    field.setflags(write=False)
    return field
