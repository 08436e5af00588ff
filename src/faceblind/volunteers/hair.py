"""Hair: where it grows, how thick it lies, and the shell that a photograph draws for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.volunteers.noise import fractal
from faceblind.volunteers.reference import SKIN, reference, smooth_step, vertex_normals
from faceblind.volunteers.shape import Look

_THICKNESS_MM = {"bald": 0.6, "cropped": 2.5, "short": 8.0, "full": 16.0, "long": 13.0}

# Height in mm (reference face) of the lower edge of the hair against the azimuth in degrees
# from straight ahead: forehead, temple, sideburn, above the ear, behind the ear, nape.
_EDGE_AZIMUTH = (0, 15, 30, 42, 52, 60, 68, 76, 84, 92, 100, 112, 130, 180)
_EDGE_MM = (83, 84, 84, 78, 62, 46, 26, 4, -8, 18, 26, -4, -34, -46)


@dataclass(frozen=True, eq=False)
class HairShell:
    """A second surface over the scalp.

    Attributes
    ----------
    points : (H, 3) float32 ndarray
        Vertices, same frame as the skin they were grown on, mm.
    faces : (G, 3) int32 ndarray
        Triangles, counter-clockwise from outside.
    origin : (H, 3) float32 ndarray
        Reference position of each vertex, mm, for the texture.
    density : (H,) float32 ndarray
        0 no hair to 1 full hair.
    """

    points: NDArray[np.float32]
    faces: NDArray[np.int32]
    origin: NDArray[np.float32]
    density: NDArray[np.float32]


def density(
    origin: NDArray[np.floating], look: Look, ramp: tuple[float, float] = (-4.0, 7.0)
) -> NDArray[np.float32]:
    """How much hair grows at (N, 3) reference positions, 0 to 1.

    `ramp` says where, in mm above the hairline, it begins and is full.
    """
    x, y, z = (origin[:, k].astype(np.float32) for k in range(3))
    azimuth = np.degrees(np.arctan2(np.abs(x), y - 5))
    edge = np.interp(azimuth, _EDGE_AZIMUTH, _EDGE_MM)
    front = smooth_step(azimuth, 66, 40)
    temple = np.exp(-(((azimuth - 36) / 13) ** 2))
    edge = edge + 26 * look.recession * temple + 9 * look.recession * front
    edge = edge - 11 * look.fringe * front * (look.style != "bald")
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


def grow(points: NDArray[np.float32], look: Look) -> HairShell | None:
    """Hair shell over a head's full surface.

    Parameters
    ----------
    points : (Q, 3) ndarray
        Surface of the head model, any expression, mm.
    look : Look
        Style and hairline.

    Returns
    -------
    HairShell or None
        None where no hair grows.
    """
    base = reference()
    cover = density(base.points, look) * (1 - base.ear) * (base.parts == SKIN)
    chosen = (cover[base.faces] > 0.02).any(axis=1) & (base.parts[base.faces] == SKIN).all(axis=1)
    if not chosen.any():
        return None
    used, faces = np.unique(base.faces[chosen], return_inverse=True)
    origin, here = base.points[used], cover[used]
    thickness = _THICKNESS_MM[look.style]
    # Volume gathers on top and behind; it thins out to the hairline, where the shell dives
    # under the skin so that no rim shows.
    crown = smooth_step(origin[:, 2], 10, 95) * 0.5 + 0.5
    waves = 1 + 0.12 * fractal(origin, (16, 16, 30), look.texture + 3, octaves=2)
    depth = density(origin, look, (-2.0, 30.0))
    rise = thickness * depth * crown * waves - 0.8 * (1 - here)
    normals = vertex_normals(points, base.faces)[used]
    shell = points[used] + normals * rise[:, None]
    grown = HairShell(shell.astype(np.float32), faces.reshape(-1, 3).astype(np.int32), origin, here)
    return _join(grown, _curtain(points, look)) if look.style == "long" else grown


def _curtain(points: NDArray[np.float32], look: Look) -> HairShell:
    """Long hair that falls over the ears, at both sides and behind, towards the shoulders."""
    rng = np.random.default_rng(look.texture)
    length, start = rng.uniform(50, 120), rng.uniform(66, 88)
    columns, rows = 73, 41
    azimuth = np.radians(np.linspace(start, 360 - start, columns))
    top = float(points[:, 2].max()) * 0.80
    height = np.linspace(top, -length, rows)
    centre = float(points[:, 1].max() + points[:, 1].min()) / 2 - 8
    radius = _silhouette(points, azimuth, height, centre)
    step = height[0] - height[1]
    for row in range(1, rows):
        # Falling hair swings in slowly below what holds it out.
        radius[row] = np.maximum(radius[row] + 6.0, radius[row - 1] - 0.16 * step)
    radius = ndimage.gaussian_filter(radius, (1.0, 1.5), mode="nearest")
    a, z = (g.ravel() for g in np.meshgrid(azimuth, height))
    place = np.stack([np.sin(a) * 80, np.cos(a) * 80, z], axis=1)
    reach = radius.ravel() * (1 + 0.012 * fractal(place, (8, 8, 70), look.texture + 4))
    edge = np.minimum(a - azimuth[0], azimuth[-1] - a)
    inward = 5 * smooth_step(edge, 0.22, 0.0) + 4 * smooth_step(z, top - 22, top)
    reach = reach - inward
    shell = np.stack([np.sin(a) * reach, centre + np.cos(a) * reach, z], axis=1)
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    corner = (i * columns + j).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + columns + 1], axis=1),
            np.stack([corner, corner + columns + 1, corner + columns], axis=1),
        ]
    )
    fringe = 1 - smooth_step(z, -length + 14, -length + 2) * 0.75
    return HairShell(shell.astype(np.float32), faces.astype(np.int32),
                     place.astype(np.float32), fringe.astype(np.float32))  # fmt: skip


def _silhouette(
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


def _join(first: HairShell, second: HairShell) -> HairShell:
    return HairShell(
        np.concatenate([first.points, second.points]),
        np.concatenate([first.faces, second.faces + np.int32(len(first.points))]),
        np.concatenate([first.origin, second.origin]),
        np.concatenate([first.density, second.density]),
    )
