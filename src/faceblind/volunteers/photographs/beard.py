"""Beards and moustaches: where they grow, and the shell that a photograph draws for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.geometry.triangles import vertex_normals
from faceblind.volunteers.noise import fractal
from faceblind.volunteers.people.reference_face import SKIN, reference, smooth_step
from faceblind.volunteers.photographs.hair import Shell
from faceblind.volunteers.photographs.style import Style

# Vermilion borders on the right half of the reference face: x and z in mm.
_LIP_X = (0.0, 5.5, 12.0, 20.0, 25.5)
_LIP_UPPER = (-43.8, -42.4, -44.6, -49.2, -52.4)
_LIP_LOWER = (-63.2, -62.6, -60.0, -55.8, -52.9)


def lip_mask(
    place: NDArray[np.float32], upper: float = 0.0, lower: float = 0.0, wide: float = 0.0
) -> NDArray[np.float32]:
    """Vermilion at (N, 3) reference positions, 0 to 1.

    `upper`, `lower` and `wide` draw the outline fuller by so many mm.
    """
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    x = x * (25.5 / (25.5 + wide))
    taper = smooth_step(x, 26, 8)
    inside = np.minimum(np.interp(x, _LIP_X, _LIP_UPPER) + upper * taper - z,
                        z - np.interp(x, _LIP_X, _LIP_LOWER) + lower * taper)  # fmt: skip
    return smooth_step(inside, -0.7, 0.9) * (y > 60) * smooth_step(x, 27, 24)


def beard_mask(place: NDArray[np.float32], kind: str = "full") -> NDArray[np.float32]:
    """Where a beard of a kind grows at (N, 3) reference positions, 0 to 1."""
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    # Cheek line: from the sideburn in front of the ear down to beside the mouth.
    line = np.interp(y, (-15, 5, 35, 60, 78), (-4, -8, -34, -44, -47))
    wobble = 2.5 * fractal(place, 9.0, 977)
    cheek = smooth_step(z - line + wobble, 6, -9)
    lip = moustache_mask(place)
    bare = smooth_step(x, 8, 12) * smooth_step(z, -70, -64) * smooth_step(x, 30, 22) * (y > 60)
    below = smooth_step(z, -118, -98) * smooth_step(y, -24, -8)
    if kind == "goatee":
        ring = smooth_step(x + wobble, 30, 24) * smooth_step(z, -44, -52) * (y > 50)
        mask = np.maximum(ring, lip) * smooth_step(z, -112, -98)
    elif kind == "strap":
        jaw = np.interp(y, (-15, 20, 45, 70), (-30, -62, -76, -80)) + wobble
        mask = cheek * smooth_step(z - jaw, 7, -3) * below
        sideburn = smooth_step(np.abs(y - 4), 12, 6) * smooth_step(z, 8, 0) * (x > 50)
        mask = np.maximum(mask, sideburn * smooth_step(z, -40, -30))
    else:
        mask = np.maximum(cheek, lip) * below
    return np.asarray(mask * (1 - lip_mask(place)) * (1 - 0.5 * bare * (z < -56)), np.float32)


def moustache_mask(place: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where a moustache grows at (N, 3) reference positions, 0 to 1."""
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    wobble = 2.5 * fractal(place, 9.0, 977)
    mask = smooth_step(x + wobble, 34, 22) * smooth_step(z, -35.5, -39.5) * smooth_step(z, -62, -54)
    return np.asarray(mask * (y > 60) * (1 - lip_mask(place)), np.float32)


def cover(place: NDArray[np.float32], style: Style) -> NDArray[np.float32]:
    """How densely a person's beard and moustache cover (N, 3) reference positions, 0 to 1."""
    total = np.zeros(len(place), np.float32)
    if style.beard is None and style.moustache == 0:
        return total
    if style.beard is not None:
        total = beard_mask(place, style.beard)
    if style.moustache > 0:
        total = np.maximum(total, style.moustache * moustache_mask(place))
    return total * off_ears(place)


def off_ears(place: NDArray[np.float32]) -> NDArray[np.float32]:
    """0 on the lobes of the ears, 1 elsewhere."""
    lobe = np.hypot((place[:, 1] + 13) / 19, (place[:, 2] - 2) / 28) < 1.12
    return np.asarray(1 - lobe * smooth_step(np.abs(place[:, 0]), 63, 67), np.float32)


def grow(points: NDArray[np.float32], style: Style) -> Shell | None:
    """Shell of a beard over a head's full surface (Q, 3); None without one."""
    if style.beard is None and style.moustache == 0:
        return None
    base = reference()
    near = (base.parts == SKIN) & (base.points[:, 2] < 12) & (base.points[:, 1] > -30)
    mask = np.zeros(len(base.points), np.float32)
    mask[near] = cover(base.points[near], style)
    chosen = (mask[base.faces] > 0.04).any(axis=1) & (base.parts[base.faces] == SKIN).all(axis=1)
    used, faces = np.unique(base.faces[chosen], return_inverse=True)
    origin, here = base.points[used], mask[used]
    tuft = 1 + 0.25 * fractal(origin, (7, 7, 12), style.look.texture + 33, octaves=2)
    # Longest at the chin; on the upper lip hair is kept short.
    length = np.where(origin[:, 2] > -53, np.minimum(style.beard_mm, 3.0) + 1.0, style.beard_mm)
    long = 0.6 + 0.9 * smooth_step(origin[:, 2], -60, -92) * smooth_step(origin[:, 1], 30, 70)
    rise = np.maximum(length * long, 1.5) * tuft * smooth_step(here, 0.1, 0.9)
    normals = vertex_normals(points, base.faces)[used]
    # Hair falls: what grows outwards hangs down.
    offset = (
        normals * rise[:, None] * np.array([1, 1, 0.6], np.float32)
        - np.array([0, 0, 0.25], np.float32) * rise[:, None]
    )
    return Shell((points[used] + offset - 0.5 * normals * (1 - here)[:, None]).astype(np.float32),
                 faces.reshape(-1, 3).astype(np.int32), origin, 0.9 * here)  # fmt: skip
