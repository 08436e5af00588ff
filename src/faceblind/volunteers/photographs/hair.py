"""Hair: where it grows, how thick it lies, and the shells that a photograph draws for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.triangles import vertex_normals
from faceblind.volunteers.noise import fractal
from faceblind.volunteers.people.reference_face import SKIN, reference, smooth_step
from faceblind.volunteers.photographs.style import Style

_THICKNESS_MM = {"bald": 0.6, "cropped": 2.5, "short": 8.0, "full": 15.0, "long": 12.0}

# Height in mm (reference face) of the lower edge of the hair against the azimuth in degrees
# from straight ahead: forehead, temple, sideburn, above the ear, behind the ear, nape.
_EDGE_AZIMUTH = (0, 15, 30, 42, 52, 60, 68, 76, 84, 92, 100, 112, 130, 180)
_EDGE_MM = (83, 84, 84, 78, 62, 46, 26, 4, -8, 18, 26, -4, -34, -46)


@dataclass(frozen=True, eq=False)
class Shell:
    """A second surface over the skin.

    Attributes
    ----------
    points : (H, 3) float32 ndarray
        Vertices, same frame as the skin they were grown on, mm.
    faces : (G, 3) int32 ndarray
        Triangles, counter-clockwise from outside.
    origin : (H, 3) float32 ndarray
        Reference position of each vertex, mm, for the texture.
    density : (H,) float32 ndarray
        0 nothing to 1 opaque.
    """

    points: NDArray[np.float32]
    faces: NDArray[np.int32]
    origin: NDArray[np.float32]
    density: NDArray[np.float32]


def density(
    origin: NDArray[np.floating], style: Style, ramp: tuple[float, float] = (-5.0, 9.0)
) -> NDArray[np.float32]:
    """How much hair grows at (N, 3) reference positions, 0 to 1.

    `ramp` says where, in mm above the hairline, it begins and is full.
    """
    look = style.look
    x, y, z = (origin[:, k].astype(np.float32) for k in range(3))
    azimuth = np.degrees(np.arctan2(np.abs(x), y - 5))
    forward = style.temple_mm * smooth_step(azimuth, 30, 44)
    edge = np.interp(azimuth + forward, _EDGE_AZIMUTH, _EDGE_MM)
    front = smooth_step(azimuth, 66, 40)
    temple = np.exp(-(((azimuth - 36) / 13) ** 2))
    edge = edge + 26 * look.recession * temple + 9 * look.recession * front
    edge = edge - 11 * look.fringe * front * (look.style != "bald")
    edge = edge - _fringe(x, azimuth, z, style)
    edge = edge + 2.2 * fractal(origin, 10.0, look.texture + 7, octaves=3, gain=0.7)
    cover = smooth_step(z - edge, *ramp)
    if look.style == "bald":
        # A horseshoe is left: nothing above a line that falls slowly to the back.
        top = 64 - 0.12 * (60 - y) + 3 * fractal(origin, 14.0, look.texture + 8)
        cover = cover * smooth_step(z - top, 6.0, -6.0)
    elif look.recession > 0.45:
        crown = np.hypot(x / 42, (y + 42) / 42) + 0.15 * fractal(origin, 12.0, look.texture + 9)
        thin = smooth_step(crown, 0.5, 1.1)
        cover = cover * np.where(z > 60, 1 - (look.recession - 0.45) * 1.3 * (1 - thin), 1)
    return np.asarray(cover, np.float32)


def _fringe(
    x: NDArray[np.float32],
    azimuth: NDArray[np.floating],
    z: NDArray[np.float32],
    style: Style,
) -> NDArray[np.floating]:
    """How far hair hangs below the hairline, mm."""
    if style.fringe is None:
        return np.zeros_like(x)
    reach = smooth_step(azimuth, 62, 46)
    if style.fringe == "straight":
        shape = np.ones_like(x)
    elif style.fringe == "swept":
        side = np.sign(style.parting) or 1.0
        shape = 0.25 + 0.75 * smooth_step(x * side, -38, 30)
    else:
        shape = 1.15 * smooth_step(np.abs(x - 14 * style.parting), 2, 42)
    # Locks end at different heights; they lean the way the fringe is swept.
    along = x + 0.35 * style.parting * z
    lock = np.stack([along, 0 * x, 0 * x], axis=1)
    ends = fractal(lock, 9.0, style.look.texture + 13, octaves=3, gain=0.8)
    return np.asarray(np.clip(reach * shape * (style.fringe_mm + 5.0 * ends), 0, 58))


def grow(points: NDArray[np.float32], style: Style) -> dict[str, Shell]:
    """Hair shells over a head's full surface.

    Parameters
    ----------
    points : (Q, 3) ndarray
        Surface of the head model, any expression, mm.
    style : Style
        Cut and hairline.

    Returns
    -------
    dict of str to Shell
        ``"hair back"`` and ``"hair side"`` hang loose, ``"hair"`` lies on the scalp; to be
        drawn in this order. Empty where no hair grows.
    """
    base = reference()
    cover = density(base.points, style) * (1 - base.ear) * (base.parts == SKIN)
    chosen = (cover[base.faces] > 0.02).any(axis=1) & (base.parts[base.faces] == SKIN).all(axis=1)
    if not chosen.any():
        return {}
    used, faces = np.unique(base.faces[chosen], return_inverse=True)
    origin, here = base.points[used], cover[used]
    long = style.look.style in ("full", "long")
    thickness = _THICKNESS_MM[style.look.style] * (style.volume if long else style.volume**0.5)
    # Volume gathers on top and behind; it thins out to the hairline, where the shell dives
    # under the skin so that no rim shows.
    crown = smooth_step(origin[:, 2], 10, 95) * 0.5 + 0.5
    waves = 1 + 0.14 * fractal(origin, (16, 16, 30), style.look.texture + 3, octaves=2)
    if style.curl > 0.3:
        frizz = fractal(origin, 9.0, style.look.texture + 5, octaves=2, gain=0.8)
        waves = waves + 0.22 * (style.curl - 0.3) * frizz
    depth = density(origin, style, (-2.0, 30.0))
    if style.fringe is not None:
        depth = np.maximum(depth, 0.35 * here * smooth_step(origin[:, 1], 30, 60))
    rise = thickness * depth * crown * waves - 0.8 * (1 - here)
    normals = vertex_normals(points, base.faces)[used]
    shell = points[used] + normals * rise[:, None]
    grown = Shell(shell.astype(np.float32), faces.reshape(-1, 3).astype(np.int32), origin, here)
    end = _hanging(style)
    if end is None:
        return {"hair": grown}
    loose = curtain(points, style, end)
    # Behind the ears: drawn first, because sparse hair in front of it must not hide it.
    behind = (loose.origin[loose.faces, 1] < -18).all(axis=1)
    back, side = (Shell(loose.points, loose.faces[k], loose.origin, loose.density)
                  for k in (behind, ~behind))  # fmt: skip
    return {"hair back": back, "hair side": side, "hair": grown}


def _hanging(style: Style) -> float | None:
    """How far below the ears' level loose hair ends, mm; None where none hangs."""
    rng = np.random.default_rng(style.look.texture)
    length = float(rng.uniform(60, 175))
    if style.look.style == "long":
        return length
    if style.look.style == "full" and style.ears > 0.35:
        return 15 + 45 * style.ears
    return None


def curtain(points: NDArray[np.float32], style: Style, length: float) -> Shell:
    """Loose hair that falls over the ears, at both sides and behind.

    Parameters
    ----------
    points : (Q, 3) ndarray
        Surface of the head model, mm.
    style : Style
        `temple_mm` brings it forward over the cheeks, `curl` makes it wave.
    length : float
        How far below the ears' level it ends, mm.
    """
    rng = np.random.default_rng(style.look.texture + 1)
    start = rng.uniform(64, 80) - 1.7 * style.temple_mm
    columns, rows = 97, 45
    azimuth = np.radians(np.linspace(start, 360 - start, columns))
    top = float(points[:, 2].max()) * 0.80
    height = np.linspace(top, -length, rows)
    centre = float(points[:, 1].max() + points[:, 1].min()) / 2 - 8
    radius = silhouette(points, azimuth, height, centre)
    step = height[0] - height[1]
    for row in range(1, rows):
        # Falling hair swings in slowly below what holds it out.
        radius[row] = np.maximum(
            radius[row] + 5.0 * style.volume**0.5, radius[row - 1] - 0.2 * step
        )
    radius = ndimage.gaussian_filter(radius, (1.5, 2.0), mode="nearest")
    a, z = (g.ravel() for g in np.meshgrid(azimuth, height))
    place = np.stack([np.sin(a) * 80, np.cos(a) * 80, z], axis=1)
    fall = np.clip((top - z) / (top + length), 0, 1)
    wave = np.sin(z / (9 + 9 * (1 - style.curl)) + 2 * fractal(place, (30, 30, 900.0), 17, 1))
    reach = radius.ravel() * (1 + 0.02 * fractal(place, (9, 9, 80), style.look.texture + 4))
    reach = reach + (1.0 + 3.5 * style.curl) * wave * fall
    edge = np.minimum(a - azimuth[0], azimuth[-1] - a)
    lock = fractal(place * np.array([1, 1, 0], np.float32), 6.0, style.look.texture + 14, octaves=2)
    inward = 7 * smooth_step(edge, 0.30, 0.0) + 4 * smooth_step(z, top - 22, top)
    # Tips gather towards the neck.
    inward = inward + 9 * smooth_step(z, -length + 45, -length)
    shell = np.stack([np.sin(a) * (reach - inward), centre + np.cos(a) * (reach - inward), z], 1)
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    corner = (i * columns + j).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + columns + 1], axis=1),
            np.stack([corner, corner + columns + 1, corner + columns], axis=1),
        ]
    )
    tips = smooth_step((z + length) / (22 + 9 * np.clip(lock, -2, 2)), 0.1, 1.0)
    sides = 0.25 + 0.75 * smooth_step(edge + 0.03 * lock, 0.0, 0.16)
    return Shell(shell.astype(np.float32), faces.astype(np.int32), place.astype(np.float32),
                 np.asarray(tips * sides, np.float32))  # fmt: skip


def silhouette(
    points: NDArray[np.float32],
    azimuth: NDArray[np.float64],
    height: NDArray[np.float64],
    centre: float,
) -> NDArray[np.float64]:
    """(rows, columns) greatest distance of the head from its axis, by height and azimuth."""
    turn = np.mod(np.arctan2(points[:, 0], points[:, 1] - centre), 2 * np.pi)
    distance = np.hypot(points[:, 0], points[:, 1] - centre)
    row = np.rint((height[0] - points[:, 2]) / (height[0] - height[1])).astype(int)
    column = np.rint((turn - azimuth[0]) / (azimuth[1] - azimuth[0])).astype(int)
    inside = (row >= 0) & (row < len(height)) & (column >= 0) & (column < len(azimuth))
    radius = np.zeros((len(height), len(azimuth)))
    np.maximum.at(radius, (row[inside], column[inside]), distance[inside])
    # Cells between vertices are empty: the greatest of the neighbours fills them.
    return ndimage.maximum_filter(radius, (3, 5), mode="nearest")
