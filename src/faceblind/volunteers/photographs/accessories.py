"""Glasses and head coverings as meshes around a head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from faceblind.geometry.triangles import vertex_normals
from faceblind.volunteers.noise import fractal
from faceblind.volunteers.people.reference_face import EYES, SKIN, eye_box, reference, smooth_step
from faceblind.volunteers.photographs.hair import Shell
from faceblind.volunteers.photographs.style import Glasses, Style

_PANTOSCOPIC = 0.13
_WRAP_MM = 6.5
_LENS_RADIUS_MM = 85.0


@dataclass(frozen=True, eq=False)
class Worn:
    """Glasses on one head.

    Attributes
    ----------
    frame, lenses : Shell
        Meshes in the head frame, mm; `origin` of a lens is its unit normal.
    middle : (2, 3) ndarray
        Centre of the right and the left lens, mm.
    model : Glasses
        Which they are.
    """

    frame: Shell
    lenses: Shell
    middle: NDArray[np.float64]
    model: Glasses

    def shade(
        self, place: NDArray[np.float32], light: NDArray[np.float64], softness: float
    ) -> NDArray[np.float32]:
        """(N,) share of the key light left at (N, 3) head positions behind the glasses.

        `light` is the unit vector to the lamp in the head frame; `softness` widens the rim's
        shadow, mm.
        """
        left = np.ones(len(place), np.float32)
        slope = light[1] - _PANTOSCOPIC * light[2]
        if slope < 0.15:
            return left
        for middle in self.middle:
            away = middle[1] + _PANTOSCOPIC * (place[:, 2] - middle[2]) - place[:, 1]
            t = away / slope
            x, z = place[:, 0] + t * light[0], place[:, 2] + t * light[2]
            rho = _rho(self.model, (x - middle[0]) * np.sign(middle[0]), z - middle[2])
            width = max(self.model.rim, 0.4) + softness + 0.06 * np.abs(t)
            rim = np.exp(-(((rho - 1) * self.model.width / 2 / width) ** 2))
            strength = 0.75 * max(self.model.rim, 0.3) / width * (1 - self.model.clear)
            inside = (self.model.tint + 0.04) * (rho < 1)
            left = left * np.where(t > 0, 1 - np.minimum(strength * rim + inside, 0.9), 1)
        return np.asarray(left, np.float32)


def _outline(model: Glasses, count: int = 56) -> NDArray[np.float64]:
    """(count, 2) outline of a lens: outwards and up from its middle, mm."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    power = 2 / model.roundness
    u = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power
    v = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power
    x = u * model.width / 2 * (1 + 0.07 * v)
    return np.stack([x, (v - 2 * model.droop * u * (1 - v) / 2) * model.height / 2], axis=1)


def _rho(
    model: Glasses, out: NDArray[np.floating], up: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Radius in units of the outline, 1 on the rim."""
    u, v = out / (model.width / 2), up / (model.height / 2)
    u = u / (1 + 0.07 * np.clip(v, -1, 1))
    v = v + model.droop * u * (1 - np.clip(v, -1, 1))
    n = model.roundness
    return np.asarray((np.abs(u) ** n + np.abs(v) ** n) ** (1 / n))


def _bend(x: NDArray[np.floating], z: NDArray[np.floating], middle: float) -> NDArray[np.floating]:
    """Front of a pair of glasses: how far forward of its plane at x and z, mm."""
    return np.asarray(_PANTOSCOPIC * (z - middle) - _WRAP_MM * (x / 62.0) ** 2)


def put_on(surface: NDArray[np.float32], model: Glasses) -> Worn:
    """Glasses at rest on the nose and the ears of a head's full surface (Q, 3)."""
    base = reference()
    eyes = [eye_box(surface, base.parts, side)[0] for side in (1, -1)]
    apart = max(float(eyes[0][0] - eyes[1][0]) / 2, model.width / 2 + 8.5)
    level = float((eyes[0][2] + eyes[1][2]) / 2) - model.slip
    skin = surface[base.parts == SKIN]
    x, z = np.abs(skin[:, 0]), skin[:, 2]
    near = (x > 13) & (x < apart + model.width / 2 - 6) & (np.abs(z - level) < model.height / 2)
    clear = skin[near, 1] - _bend(x[near], z[near], level)
    ball = surface[base.parts == EYES][:, 1].max()
    depth = max(float(clear.max()) + 1.0, float(ball) + 7.0)
    outline = _outline(model)
    tubes, lenses, middles = [], [], []
    for side in (1.0, -1.0):
        rim_x, rim_z = side * (apart + outline[:, 0]), level + outline[:, 1]
        ring = np.stack([rim_x, depth + _bend(rim_x, rim_z, level), rim_z], axis=1)
        tubes.append(_tube(ring, model.rim, closed=True))
        lenses.append(_lens(ring, side))
        middles.append(ring.mean(axis=0))
        tubes.append(_tube(_temple(surface, ring, side), max(model.rim * 0.8, 0.7)))
    t = np.linspace(-1, 1, 9)
    half = apart - model.width / 2
    arch = np.stack([half * t, depth + 1.2 - 0.8 * t**2,
                     level + 0.22 * model.height + 3.5 * (1 - t**2)], axis=1)  # fmt: skip
    tubes.append(_tube(arch, max(model.rim * 0.9, 0.6)))
    return Worn(_merge(tubes), _merge(lenses), np.array(middles), model)


def _temple(
    surface: NDArray[np.float32], ring: NDArray[np.float64], side: float
) -> NDArray[np.float64]:
    base = reference()
    ear = surface[np.argmin(np.linalg.norm(base.points - np.array([side * 72, -2, 26]), axis=1))]
    hinge = ring[np.argmax(side * ring[:, 0] + 0.6 * ring[:, 2])]
    t = np.linspace(0, 1, 9)[:, None]
    path = np.array(hinge) * (1 - t) + np.array([ear[0], ear[1] - 4, ear[2] + 2]) * t
    skin = surface[(base.parts == SKIN) & (base.ear < 0.1) & (surface[:, 0] * side > 0)]
    for point in path[1:]:
        beside = np.hypot(skin[:, 1] - point[1], skin[:, 2] - point[2]) < 7
        if beside.any():
            point[0] = side * max(abs(point[0]), float(np.abs(skin[beside, 0]).max()) + 1.5)
    path[0, 0] += side * 1.0
    return np.concatenate([path, path[-1:] + np.array([[0, -14, -4], [0, -22, -16]])])


def _tube(path: NDArray[np.float64], radius: float, closed: bool = False) -> Shell:
    ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    across = np.cross(ahead, np.array([0.0, 1.0, 0.12]))
    flat = np.linalg.norm(across, axis=1) < 0.2
    across[flat] = np.cross(ahead[flat], np.array([1.0, 0, 0]))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(across, ahead)
    turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    points = path[:, None] + radius * (
        np.cos(turn)[None, :, None] * across[:, None] + np.sin(turn)[None, :, None] * other[:, None]
    )
    count, ring = len(path), len(turn)
    i, j = np.meshgrid(np.arange(count if closed else count - 1), np.arange(ring), indexing="ij")
    a, b = (i * ring + j).ravel(), (i * ring + (j + 1) % ring).ravel()
    c, d = ((i + 1) % count * ring + j).ravel(), ((i + 1) % count * ring + (j + 1) % ring).ravel()
    faces = np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)]).astype(np.int32)
    flat_points = points.reshape(-1, 3).astype(np.float32)
    return Shell(flat_points, faces, flat_points.copy(), np.ones(len(flat_points), np.float32))


def _lens(ring: NDArray[np.float64], side: float) -> Shell:
    middle = ring.mean(axis=0)
    levels = np.array([0.0, 0.5, 1.0])
    points = np.concatenate([middle + share * (ring - middle) for share in levels])
    count = len(ring)
    off = points - middle
    normal = np.stack([off[:, 0] / _LENS_RADIUS_MM + 0.06 * side,
                       np.ones(len(points)),
                       off[:, 2] / _LENS_RADIUS_MM - _PANTOSCOPIC], axis=1)  # fmt: skip
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    j = np.arange(count)
    faces = []
    for level in range(len(levels) - 1):
        a, b = level * count + j, level * count + (j + 1) % count
        faces += [np.stack([a, b, b + count], 1), np.stack([a, b + count, a + count], 1)]
    return Shell(points.astype(np.float32), np.concatenate(faces).astype(np.int32),
                 normal.astype(np.float32), np.ones(len(points), np.float32))  # fmt: skip


def _merge(parts: list[Shell]) -> Shell:
    start = np.cumsum([0] + [len(p.points) for p in parts])
    return Shell(
        np.concatenate([p.points for p in parts]),
        np.concatenate([p.faces + np.int32(s) for p, s in zip(parts, start, strict=False)]),
        np.concatenate([p.origin for p in parts]),
        np.concatenate([p.density for p in parts]),
    )


def covered(origin: NDArray[np.floating], covering: str) -> NDArray[np.float32]:
    """How far a head covering lies over (N, 3) reference positions: 0 bare to 1 covered."""
    x, y, z = origin[:, 0], origin[:, 1], origin[:, 2]
    if covering == "headscarf":
        oval = np.hypot(x / 60, (z + 14) / 78)
        open_face = smooth_step(oval, 1.03, 0.97) * smooth_step(y, -2, 6)
        return np.asarray((1 - open_face) * smooth_step(z, -132, -124), np.float32)
    azimuth = np.degrees(np.arctan2(np.abs(x), y - 5))
    low = (58, 56, 40, 33, 8, -6) if covering == "cap" else (52, 50, 38, 32, 2, -14)
    edge = np.interp(azimuth, (0, 30, 65, 90, 130, 180), low)
    return smooth_step(z - edge, -1.0, 1.0)


def head_covering(surface: NDArray[np.float32], style: Style) -> Shell | None:
    """Headscarf, cap or woollen hat over a head's full surface (Q, 3)."""
    if style.covering is None:
        return None
    base = reference()
    mask = covered(base.points, style.covering) * (base.parts == SKIN)
    chosen = (mask[base.faces] > 0.02).any(axis=1) & (base.parts[base.faces] == SKIN).all(axis=1)
    used, inverse = np.unique(base.faces[chosen], return_inverse=True)
    faces = np.asarray(inverse.reshape(-1, 3), np.int32)
    origin = base.points[used]
    top = {"headscarf": 4.0, "cap": 12.0, "beanie": 16.0}[style.covering]
    rise = 7.0 + top * smooth_step(origin[:, 2], 60, 125)
    rise = rise + 1.2 * fractal(origin, (26, 26, 14), style.look.texture + 81, octaves=2)
    # The edge dives under the skin, so that no gap shows.
    edge = smooth_step(mask[used], 0.3, 0.9)
    rise = rise * edge - 1.5 * (1 - edge)
    normals = vertex_normals(surface, base.faces)[used]
    scarf = style.covering == "headscarf"
    points = _relax(surface[used] + normals * rise[:, None], faces, edge, 90 if scarf else 12)
    # What it cannot do is sink into the head; only ears give way.
    sunk = 2.5 * edge - np.einsum("ij,ij->i", points - surface[used], normals)
    points = points + normals * (np.maximum(sunk, 0) * (1 - base.ear[used]) * (edge > 0))[:, None]
    shell = Shell(points.astype(np.float32), faces, origin, mask[used])
    if style.covering == "headscarf":
        return _merge([shell, _drape(surface, style)])
    return _merge([shell, _visor(shell)]) if style.covering == "cap" else shell


def _relax(
    points: NDArray[np.floating], faces: NDArray[np.int32], free: NDArray[np.float32], rounds: int
) -> NDArray[np.floating]:
    """Cloth bridges hollows: each vertex drawn to the mean of its neighbours."""
    count = len(points)
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ends = np.concatenate([ends, ends[:, ::-1]])
    link = sparse.csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (count, count))
    mean = sparse.diags(1 / np.maximum(np.asarray(link.sum(axis=1)).ravel(), 1)) @ link
    weight = (0.7 * smooth_step(free, 0.3, 1.0))[:, None]
    for _ in range(rounds):
        points = points + weight * (mean @ points - points)
    return points


def _drape(surface: NDArray[np.float32], style: Style) -> Shell:
    """The part of a headscarf that falls from under the chin onto the shoulders."""
    turn = np.linspace(0, 2 * np.pi, 73)
    heights = np.array([-62, -78, -92, -108, -126, -148, -175, -210.0])
    wide = np.array([62, 66, 70, 78, 94, 122, 160, 200.0])
    deep = np.array([70, 74, 78, 84, 92, 104, 118, 132.0])
    a = np.tile(turn, len(heights))
    row = np.repeat(np.arange(len(heights)), len(turn))
    shift = float(surface[:, 2].min()) + 130.0
    ahead = np.clip(np.cos(a), 0, 1)
    ring = np.stack([np.sin(a) * 70, np.cos(a) * 70, heights[row]], axis=1)
    folds = 3.5 * np.sin(4 * a + heights[row] / 8 + 3 * np.sin(a)) + 3 * fractal(
        ring, 20.0, style.look.texture + 82, octaves=2
    )
    inner = np.clip(1 - row / 3, 0, 1)
    x = np.sin(a) * (wide[row] + folds)
    # In front the upper rings lie under the chin, against the throat.
    y = -8 + np.cos(a) * (deep[row] + folds) - 26 * ahead * inner
    z = heights[row] + shift * (row > 2) - 34 * ahead * inner
    points = np.stack([x, y, z], axis=1)
    n = len(turn)
    i, j = np.meshgrid(np.arange(len(heights) - 1), np.arange(n - 1), indexing="ij")
    c = (i * n + j).ravel()
    faces = np.concatenate([np.stack([c, c + 1, c + n + 1], 1), np.stack([c, c + n + 1, c + n], 1)])
    return Shell(points.astype(np.float32), faces.astype(np.int32), points.astype(np.float32),
                 np.ones(len(points), np.float32))  # fmt: skip


def _visor(shell: Shell) -> Shell:
    """The peak of a cap."""
    azimuth = np.radians(np.linspace(-62, 62, 33))
    reach = np.linspace(0, 1, 7)
    front = shell.points[(shell.origin[:, 1] > 30) & (np.abs(shell.origin[:, 2] - 60) < 6)]
    middle, depth = float(front[:, 2].mean()), float(front[:, 1].max())
    half = float(np.abs(front[:, 0]).max())
    a, r = (g.ravel() for g in np.meshgrid(azimuth, reach))
    long = 62 * np.cos(a * 0.85) ** 0.8
    x = np.sin(a) / np.sin(azimuth[-1]) * (half + 4 * r)
    y = depth - (1 - np.cos(a)) * depth * 0.95 + long * r
    z = middle - 1 - 9 * r - 14 * np.sin(a) ** 2 * (0.4 + 0.6 * r)
    n = len(azimuth)
    points = np.stack([x, y, z], axis=1)
    i, j = np.meshgrid(np.arange(len(reach) - 1), np.arange(n - 1), indexing="ij")
    c = (i * n + j).ravel()
    top = np.concatenate([np.stack([c, c + 1, c + n + 1], 1), np.stack([c, c + n + 1, c + n], 1)])
    size = len(points)
    under = points - np.array([0, 0, 2.0])
    faces = np.concatenate([top, top[:, ::-1] + size]).astype(np.int32)
    both = np.concatenate([points, under]).astype(np.float32)
    return Shell(both, faces, both.copy(), np.ones(2 * size, np.float32))
