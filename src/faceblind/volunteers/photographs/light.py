"""Light on a head: what each vertex sees of its surroundings, and how a pixel reflects it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.raster import rasterise

DIRECTIONS = 56
_MAP = 176
_BIAS_MM = 2.5


@dataclass(frozen=True, eq=False)
class Lamp:
    """One room: a soft key light, a fill opposite, and an environment.

    Attributes
    ----------
    key, fill : (3,) ndarray
        Unit vectors towards the lights; +y is towards the camera, +z up.
    key_colour, fill_colour, sky, ground : (3,) ndarray
        Radiance, linear RGB.
    hardness : float
        Key light from a large soft box (0) to a bare bulb (1).
    """

    key: NDArray[np.float64]
    fill: NDArray[np.float64]
    key_colour: NDArray[np.float64]
    fill_colour: NDArray[np.float64]
    sky: NDArray[np.float64]
    ground: NDArray[np.float64]
    hardness: float = 0.0


def sphere(count: int = DIRECTIONS) -> NDArray[np.float64]:
    """(count, 3) unit vectors spread evenly over the sphere (Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    z = 1 - 2 * i / count
    turn = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)


def visibility(
    points: NDArray[np.float32], normals: NDArray[np.float32], faces: NDArray[np.int32]
) -> NDArray[np.float32]:
    """What each vertex can see.

    Parameters
    ----------
    points, normals : (P, 3) ndarray
        Vertices in mm and their unit normals.
    faces : (F, 3) ndarray
        All that casts shadows.

    Returns
    -------
    (P, DIRECTIONS) float32 ndarray
        1 where the ray along ``sphere()`` leaves the scene unhindered, 0 where not, from one
        parallel depth map per direction.
    """
    result = np.zeros((len(points), DIRECTIONS), np.float32)
    for n, direction in enumerate(sphere()):
        result[:, n] = lit(points, normals, faces, direction, _MAP)
    return result


def lit(
    points: NDArray[np.float32],
    normals: NDArray[np.float32],
    faces: NDArray[np.int32],
    direction: NDArray[np.float64],
    size: int = 512,
) -> NDArray[np.float32]:
    """Which of P vertices a distant lamp reaches, 0 to 1, from a depth map of `size` pixels.

    Four neighbouring pixels are asked, so that the edge of a shadow is as soft as they are
    apart.
    """
    centre = (points.max(axis=0) + points.min(axis=0)) / 2
    reach = float(np.linalg.norm(points - centre, axis=1).max()) + 5
    pixel = 2 * reach / (size - 1)
    helper = np.eye(3)[np.abs(direction).argmin()]
    right = np.cross(helper, direction)
    right /= np.linalg.norm(right)
    up = np.cross(direction, right)
    axes = np.stack([right / pixel, up / pixel, direction], axis=1)
    screen = (points - centre) @ axes + np.array([(size - 1) / 2, (size - 1) / 2, 2 * reach])
    depth = rasterise(screen, faces, size, size)[2]
    # Start off the surface, or a curved patch shades itself.
    start = screen + 1.5 * normals @ axes
    mine = start[:, 2] + _BIAS_MM
    if size <= _MAP:
        x, y = (np.clip(np.rint(start[:, k]), 0, size - 1).astype(int) for k in (0, 1))
        return np.asarray(mine > depth[y, x], np.float32)
    total = np.zeros(len(points), np.float32)
    for dx, dy in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        x = np.clip(np.rint(start[:, 0] + dx), 0, size - 1).astype(int)
        y = np.clip(np.rint(start[:, 1] + dy), 0, size - 1).astype(int)
        total += 0.25 * (mine > depth[y, x])
    return total


def ambient(
    seen: NDArray[np.float32], normals: NDArray[np.float32], turn: NDArray[np.float64], lamp: Lamp
) -> NDArray[np.float32]:
    """(P, 3) light from the surroundings; `turn` (3, 3) takes the head frame to the room."""
    rays = sphere()
    room = rays @ turn.T
    height = (room[:, 2:] + 1) / 2
    radiance = lamp.ground * (1 - height) + lamp.sky * height
    radiance = radiance + lamp.fill_colour * np.exp(6 * (room @ lamp.fill - 1))[:, None]
    facing = np.maximum(normals @ rays.T.astype(np.float32), 0)
    direct = (seen * facing) @ radiance.astype(np.float32) * (4 / len(rays))
    open_sky = (seen * facing).sum(axis=1) / np.maximum(facing.sum(axis=1), 1e-3)
    # One bounce off the neighbouring skin: creases do not go black.
    bounce = (1 - open_sky)[:, None] * radiance.mean(axis=0) * np.array([0.34, 0.20, 0.15])
    return np.asarray(direct + bounce, np.float32)


def key_light(
    seen: NDArray[np.float32], turn: NDArray[np.float64], lamp: Lamp
) -> NDArray[np.float32]:
    """(P,) share of the key light's soft box that each vertex sees, 0 to 1."""
    weight = np.exp(14 * (sphere() @ turn.T @ lamp.key - 1))
    return np.asarray(seen @ (weight / weight.sum()).astype(np.float32), np.float32)


def reflect(
    albedo: NDArray[np.float32],
    gloss: NDArray[np.float32],
    sharpness: float | NDArray[np.float32],
    normal: NDArray[np.float32],
    view: NDArray[np.float32],
    key: NDArray[np.float32],
    surround: NDArray[np.float32],
    lamp: Lamp,
    wrap: tuple[float, float, float],
) -> NDArray[np.float32]:
    """Light that N pixels send to the camera.

    Parameters
    ----------
    albedo : (N, 3) ndarray
        Diffuse colour.
    gloss : (N,) ndarray
        Highlight strength.
    sharpness : float or (N,) ndarray
        Blinn-Phong exponent.
    normal, view : (N, 3) ndarray
        Unit vectors: surface normal with relief, and towards the camera.
    key : (N,) ndarray
        Visible share of the key light.
    surround : (N, 3) ndarray
        Light from everywhere else.
    lamp : Lamp
        The room.
    wrap : three floats
        How far light creeps round into the shade per colour: red goes deepest in skin.

    Returns
    -------
    (N, 3) float32 ndarray
        Linear RGB radiance.
    """
    exponent = np.broadcast_to(np.asarray(sharpness, np.float32), gloss.shape)
    return _reflect(
        np.asarray(albedo, np.float32), np.asarray(gloss, np.float32), exponent,
        np.asarray(normal, np.float32), np.asarray(view, np.float32), np.asarray(key, np.float32),
        np.asarray(surround, np.float32), lamp.key.astype(np.float32),
        lamp.key_colour.astype(np.float32), np.asarray(wrap, np.float32),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True, fastmath=False)
def _reflect(
    albedo: NDArray[Any], gloss: NDArray[Any], sharpness: NDArray[Any], normal: NDArray[Any],
    view: NDArray[Any], key: NDArray[Any], surround: NDArray[Any], lamp: NDArray[Any],
    lamp_colour: NDArray[Any], wrap: NDArray[Any],
) -> NDArray[Any]:  # fmt: skip
    out = np.empty(albedo.shape, np.float32)
    for n in range(albedo.shape[0]):
        nx, ny, nz = normal[n, 0], normal[n, 1], normal[n, 2]
        vx, vy, vz = view[n, 0], view[n, 1], view[n, 2]
        slope = nx * lamp[0] + ny * lamp[1] + nz * lamp[2]
        hx, hy, hz = vx + lamp[0], vy + lamp[1], vz + lamp[2]
        length = np.sqrt(hx * hx + hy * hy + hz * hz)
        hx, hy, hz = hx / length, hy / length, hz / length
        shine = 0.0
        if slope > 0:
            facing = min(max(nx * hx + ny * hy + nz * hz, 0.0), 1.0)
            # Schlick's Fresnel term with the reflectance of skin, 0.028.
            off = min(max(1 - (hx * vx + hy * vy + hz * vz), 0.0), 1.0)
            fresnel = 0.028 + 0.972 * off**5
            lobe = facing ** sharpness[n] * (sharpness[n] + 8) / 8
            shine = gloss[n] * fresnel * lobe * key[n]
        grazing = min(max(1 - (nx * vx + ny * vy + nz * vz), 0.0), 1.0)
        sheen = gloss[n] * 0.10 * grazing**3
        for c in range(3):
            lit = max((slope + wrap[c]) / (1 + wrap[c]), 0.0) * key[n] * lamp_colour[c]
            out[n, c] = (
                albedo[n, c] * (lit + surround[n, c])
                + shine * lamp_colour[c]
                + sheen * surround[n, c]
            )
    return out
