"""Five coloured photographs of a volunteer, as a visitor with a good camera would take them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceblind.head.model import HeadModel
from faceblind.volunteers import hair, light, paint
from faceblind.volunteers.noise import fractal
from faceblind.volunteers.raster import interpolate, rasterise, tilt
from faceblind.volunteers.reference import (
    EYES,
    MOUTH,
    SKIN,
    eye_box,
    reference,
    smooth_step,
    vertex_normals,
)
from faceblind.volunteers.shape import Person, generator

VIEWS: dict[str, tuple[float, float]] = {
    "front": (0.0, 0.0), "left": (35.0, 0.0), "right": (-35.0, 0.0),
    "up": (0.0, 20.0), "down": (0.0, -20.0),
}  # fmt: skip
"""Yaw and pitch of the head in degrees: positive turns to the person's left and upwards."""

_CLOTH = 250
_SKIN_WRAP = (0.30, 0.13, 0.09)


@dataclass(frozen=True)
class CameraSettings:
    """How photographs are taken.

    Attributes
    ----------
    width, height : int
        Picture size in pixels.
    supersampling : float
        Rendered at this multiple, then averaged down.
    yaw_sd, pitch_sd, roll_sd : float
        Spread of the head's pose around the asked view, degrees.
    expression : float
        Scale of the random mild expressions.
    noise : float
        Sensor noise, standard deviation in sRGB units of 255.
    """

    width: int = 480
    height: int = 600
    supersampling: float = 1.5
    yaw_sd: float = 3.0
    pitch_sd: float = 2.5
    roll_sd: float = 1.8
    expression: float = 1.0
    noise: float = 2.0


@dataclass(frozen=True, eq=False)
class _Mesh:
    points: NDArray[np.float32]
    faces: NDArray[np.int32]
    origin: NDArray[np.float32]
    kind: NDArray[np.uint8]
    density: NDArray[np.float32]
    normals: NDArray[np.float32]
    seen: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Pixels:
    where: tuple[NDArray[np.intp], NDArray[np.intp]]
    depth: NDArray[np.float32]
    origin: NDArray[np.float32]
    place: NDArray[np.float32]
    normal: NDArray[np.float32]
    key: NDArray[np.float32]
    surround: NDArray[np.float32]
    density: NDArray[np.float32]
    kind: NDArray[np.uint8]


def photograph(
    person: Person, settings: CameraSettings | None = None
) -> dict[str, NDArray[np.uint8]]:
    """Take the five pictures of one person.

    Parameters
    ----------
    person : Person
        Who.
    settings : CameraSettings, optional
        How.

    Returns
    -------
    dict of str to (height, width, 3) uint8 ndarray
        sRGB pictures by view; see `VIEWS`.
    """
    settings = settings or CameraSettings()
    rng = generator(person.seed, person.index, 1)
    lamp = _lamp(rng)
    backdrop = _Backdrop.draw(rng)
    cloth = rng.uniform(0.02, 0.5, 3) ** 1.4
    lens = rng.uniform(1050, 1500), rng.uniform(0.60, 0.70)
    neutral = HeadModel.load().surface(person.points())
    shadows = _scene(neutral, person)
    pictures = {}
    for view, (yaw, pitch) in VIEWS.items():
        pose = np.array([yaw, pitch, 0]) + rng.normal(
            0, (settings.yaw_sd, settings.pitch_sd, settings.roll_sd)
        )
        expression = _expression(rng, settings.expression)
        surface = HeadModel.load().surface(person.points(expression))
        meshes = [
            _replace_points(mesh, points)
            for mesh, points in zip(shadows, _geometry(surface, person), strict=True)
        ]
        linear = _expose(meshes, person, lamp, backdrop, cloth, pose, lens, settings, rng)
        pictures[view] = _develop(linear, settings, rng)
    return pictures


def _geometry(surface: NDArray[np.float32], person: Person) -> list[NDArray[np.float32]]:
    shell = hair.grow(surface, person.look)
    body = np.concatenate([surface, _shoulders(surface)[0]])
    return [body] if shell is None else [body, shell.points]


def _scene(surface: NDArray[np.float32], person: Person) -> list[_Mesh]:
    """Skin with shoulders, and hair, with what each vertex sees."""
    base = reference()
    cloth, cloth_faces = _shoulders(surface)
    count = len(surface)
    points = [np.concatenate([surface, cloth])]
    faces = [np.concatenate([base.faces, cloth_faces + np.int32(count)])]
    origin = [np.concatenate([base.points, cloth])]
    scalp = hair.density(base.points, person.look) * (1 - base.ear) * (base.parts == SKIN)
    density = [np.concatenate([scalp, np.zeros(len(cloth), np.float32)])]
    kind = [np.concatenate([base.parts, np.full(len(cloth), _CLOTH, np.uint8)])]
    shell = hair.grow(surface, person.look)
    if shell is not None:
        points.append(shell.points)
        faces.append(shell.faces)
        origin.append(shell.origin)
        density.append(shell.density)
        kind.append(np.zeros(len(shell.points), np.uint8))
    normals = [vertex_normals(p, f) for p, f in zip(points, faces, strict=True)]
    start = np.cumsum([0] + [len(p) for p in points])
    every = np.concatenate([f + np.int32(s) for f, s in zip(faces, start, strict=False)])
    seen = light.visibility(np.concatenate(points), np.concatenate(normals), every)
    split = np.split(seen, start[1:-1])
    return [
        _Mesh(*fields)
        for fields in zip(points, faces, origin, kind, density, normals, split, strict=True)
    ]


def _replace_points(mesh: _Mesh, points: NDArray[np.float32]) -> _Mesh:
    normals = vertex_normals(points, mesh.faces)
    return _Mesh(points, mesh.faces, mesh.origin, mesh.kind, mesh.density, normals, mesh.seen)


def _shoulders(surface: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A round-necked garment below the head."""
    turn = np.linspace(0, 2 * np.pi, 61)[:-1]
    base = float(surface[:, 2].min())
    rings = [_ring(surface, base, rise, 4.0) for rise in (17.0, 11.0, 4.0, -2.0)]
    # The hem is turned in at the top, so that the cloth has an edge.
    rings.insert(0, (15.0, rings[0][1] - 7, rings[0][2] - 7, rings[0][3]))
    # Height, half width, half depth and centre (anterior) of each further ring, mm.
    rings += [(-14.0, 158, 97, -28), (-30.0, 184, 103, -30), (-60.0, 205, 108, -30),
              (-130.0, 222, 122, -25), (-230.0, 225, 128, -20)]  # fmt: skip
    points = np.concatenate(
        [
            np.stack(
                [
                    np.sin(turn) * half_wide,
                    middle + np.cos(turn) * half_deep,
                    base + rise - 16 * np.clip(np.cos(turn), 0, 1),
                ],
                axis=1,
            )
            for rise, half_wide, half_deep, middle in rings
        ]
    )
    size = len(turn)
    row, column = np.meshgrid(np.arange(len(rings) - 1), np.arange(size), indexing="ij")
    here = (row * size + column).ravel()
    beside = (row * size + (column + 1) % size).ravel()
    faces = np.concatenate(
        [
            np.stack([here, beside, beside + size], axis=1),
            np.stack([here, beside + size, here + size], axis=1),
        ]
    )
    return points.astype(np.float32), faces.astype(np.int32)


def _ring(
    surface: NDArray[np.float32], base: float, rise: float, room: float
) -> tuple[float, float, float, float]:
    """Height, half width, half depth and centre of an ellipse around the neck."""
    here = surface[np.abs(surface[:, 2] - base - rise) < 9]
    low, high = here.min(axis=0), here.max(axis=0)
    wide, deep = float(high[0]) + room, float(high[1] - low[1]) / 2 + room
    return rise, wide, deep, float(high[1] + low[1]) / 2


def _expression(rng: np.random.Generator, scale: float) -> dict[str, float]:
    smile = max(rng.normal(0.06, 0.10), 0.0)
    values = {
        "mouthSmile": smile, "cheekSquint": 0.4 * smile, "eyeSquint": abs(rng.normal(0, 0.12)),
        "mouthPress": abs(rng.normal(0, 0.10)), "browOuterUp": abs(rng.normal(0, 0.12)),
        "eyeBlink": abs(rng.normal(0.04, 0.06)), "mouthFrown": abs(rng.normal(0, 0.05)),
    }  # fmt: skip
    pairs = {f"{n}{s}": v * rng.uniform(0.85, 1.15)
             for n, v in values.items() for s in ("Left", "Right")}  # fmt: skip
    pairs["browInnerUp"] = abs(rng.normal(0, 0.12))
    return {name: float(np.clip(scale * value, 0, 0.6)) for name, value in pairs.items()}


def _lamp(rng: np.random.Generator) -> light.Lamp:
    side = rng.choice([-1.0, 1.0])
    key = np.array([side * rng.uniform(0.15, 0.75), 0.85, rng.uniform(0.35, 0.8)])
    fill = np.array([-side * rng.uniform(0.5, 1.0), 0.8, rng.uniform(0.0, 0.3)])
    warm = rng.normal(0, 0.05)
    tint = np.array([1 + warm, 1.0, 1 - warm])
    strength = rng.uniform(0.85, 1.25)
    return light.Lamp(
        key=key / np.linalg.norm(key),
        fill=fill / np.linalg.norm(fill),
        key_colour=strength * tint,
        fill_colour=rng.uniform(0.3, 0.9) * np.ones(3),
        sky=rng.uniform(0.32, 0.55) * np.array([0.98, 1.0, 1.03]),
        ground=rng.uniform(0.14, 0.26) * np.array([1.06, 1.0, 0.93]),
    )


@dataclass(frozen=True, eq=False)
class _Backdrop:
    colour: NDArray[np.float64]
    slope: NDArray[np.float64]
    blobs: NDArray[np.float64]

    @staticmethod
    def draw(rng: np.random.Generator) -> _Backdrop:
        grey = rng.uniform(0.12, 0.75)
        colour = grey * (1 + rng.normal(0, 0.10, 3))
        count = int(rng.integers(1, 7)) if rng.random() < 0.6 else 0
        blobs = rng.uniform(0, 1, (count, 6))
        return _Backdrop(colour, rng.normal(0, 0.18, 2), blobs)

    def paint(self, height: int, width: int) -> NDArray[np.float32]:
        # Out of focus anyway: painted small, blurred, enlarged.
        y, x = np.mgrid[0:1:75j, 0:1:60j].astype(np.float32)
        shade = 1 + self.slope[0] * (x - 0.5) + self.slope[1] * (y - 0.5)
        picture = self.colour.astype(np.float32) * shade[..., None].astype(np.float32)
        for cx, cy, size, r, g, b in self.blobs.astype(np.float32):
            inside = (np.abs(x - cx) < 0.05 + 0.22 * size) & (np.abs(y - cy) < 0.08 + 0.3 * size)
            colour = (0.6 * self.colour + 0.4 * np.array([r, g, b]) * 0.6).astype(np.float32)
            picture[inside] = 0.5 * picture[inside] + 0.5 * colour
        picture = cv2.GaussianBlur(picture, (0, 0), 1.7)
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """(3, 3) head to room; degrees, yaw to the person's left, pitch up, roll to the right."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), -np.sin(y), 0], [np.sin(y), np.cos(y), 0], [0, 0, 1]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), 0, np.sin(r)], [0, 1, 0], [-np.sin(r), 0, np.cos(r)]])
    return turn @ nod @ tilt


def _expose(
    meshes: list[_Mesh],
    person: Person,
    lamp: light.Lamp,
    backdrop: _Backdrop,
    cloth: NDArray[np.float64],
    pose: NDArray[np.float64],
    lens: tuple[float, float],
    settings: CameraSettings,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Linear picture at the supersampled size, exposed for the face."""
    height = int(settings.height * settings.supersampling)
    width = int(settings.width * settings.supersampling)
    turn = rotation(*pose)
    distance, share = lens
    head = meshes[0].points[meshes[0].kind == SKIN] @ turn.T
    # Framed on the head as posed, from the chin's neighbourhood to the vertex.
    tall = head[:, 2].max() + 95.0
    centre = np.array([head[:, 0].mean() * 0.7, 0.0, (head[:, 2].max() - 95.0) / 2 - 12])
    centre += rng.normal(0, (5, 0, 5))
    focal = height * share / tall * distance
    picture = backdrop.paint(height, width)
    nearest = np.zeros((height, width), np.float32)
    gain = 1.0
    for layer, mesh in enumerate(meshes):
        pixels = _draw(mesh, turn, lamp, centre, distance, focal, (height, width))
        view = np.array([0, distance, 0], np.float32) - pixels.place
        view /= _length(view)
        if layer == 0:
            colour = _shade_head(pixels, view, person, lamp, cloth, mesh, turn, centre, focal)
            face = pixels.kind == SKIN
            # A camera meters brighter for dark and darker for pale faces, but not all the way.
            gain = (0.24 / max(float(np.median(colour[face, 1])), 1e-3)) ** 0.4
            picture[pixels.where] = colour
            nearest[pixels.where] = pixels.depth
        else:
            colour, alpha = _shade_hair(pixels, view, person, lamp, turn)
            alpha = alpha * (pixels.depth > nearest[pixels.where])
            under = picture[pixels.where]
            picture[pixels.where] = under + alpha[:, None] * (colour - under)
    return picture * np.float32(gain)


def _length(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    squares = np.einsum("ij,ij->i", vectors, vectors)
    return np.sqrt(np.maximum(squares, 1e-12))[:, None]


def _draw(
    mesh: _Mesh,
    turn: NDArray[np.float64],
    lamp: light.Lamp,
    centre: NDArray[np.float64],
    distance: float,
    focal: float,
    size: tuple[int, int],
) -> _Pixels:
    place = (mesh.points @ turn.T - centre).astype(np.float32)
    inverse = 1.0 / (distance - place[:, 1])
    screen = np.stack(
        [
            size[1] / 2 - focal * place[:, 0] * inverse,
            size[0] / 2 - focal * place[:, 2] * inverse,
            inverse,
        ],
        axis=1,
    )
    face, bary, depth = rasterise(screen, mesh.faces, *size)
    rows, columns = np.nonzero(face >= 0)
    where = rows, columns
    ids, weights = face[where], bary[where]
    values = np.column_stack(
        [
            mesh.origin, place, mesh.normals @ turn.T,
            light.key_light(mesh.seen, turn, lamp),
            light.ambient(mesh.seen, mesh.normals, turn, lamp), mesh.density,
        ]
    ).astype(np.float32)  # fmt: skip
    flat = interpolate(values, mesh.faces, ids, weights)
    normal = flat[:, 6:9] / _length(flat[:, 6:9])
    return _Pixels(
        where, depth[where], flat[:, 0:3].copy(), flat[:, 3:6], normal, flat[:, 9],
        flat[:, 10:13], flat[:, 13], mesh.kind[mesh.faces[ids, 0]],
    )  # fmt: skip


def _bump(
    pixels: _Pixels, height: NDArray[np.float32], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Normals tilted by a relief given per pixel."""
    number = np.full(size, -1, np.int32)
    number[pixels.where] = np.arange(len(height), dtype=np.int32)
    return tilt(number, *pixels.where, pixels.place, np.asarray(height, np.float32), pixels.normal)


def _shade_head(
    pixels: _Pixels,
    view: NDArray[np.float32],
    person: Person,
    lamp: light.Lamp,
    cloth: NDArray[np.float64],
    mesh: _Mesh,
    turn: NDArray[np.float64],
    centre: NDArray[np.float64],
    focal: float,
) -> NDArray[np.float32]:
    colour = np.zeros((len(pixels.kind), 3), np.float32)
    size = (int(pixels.where[0].max()) + 2, int(pixels.where[1].max()) + 2)
    painted = _paint_face(pixels, person)
    albedo, gloss = painted.albedo, painted.gloss
    scalp = smooth_step(pixels.density, 0.1, 0.9)[:, None] * 0.75
    albedo = albedo * (1 - scalp) + person.look.hair.astype(np.float32) * scalp
    inner = pixels.kind == MOUTH
    deep = smooth_step(pixels.origin[:, 1], 83, 78)[:, None]
    albedo = np.where(inner[:, None], albedo * (1 - 0.85 * deep), albedo)
    garment = pixels.kind == _CLOTH
    weave = 1 + 0.05 * fractal(pixels.origin[garment], 2.5, person.look.texture + 71)
    albedo[garment] = cloth * weave[:, None]
    gloss = np.where(garment, 0.1, gloss * (1 - scalp[:, 0]))
    albedo *= 1 - 0.72 * _lashes(pixels, size, person, focal)[:, None]
    normal = _bump(pixels, painted.height * ~garment, size)
    skin = pixels.kind != EYES
    colour[skin] = light.reflect(
        albedo[skin], gloss[skin], 26.0, normal[skin], view[skin], pixels.key[skin],
        pixels.surround[skin], lamp, _SKIN_WRAP,
    )  # fmt: skip
    for side in (1, -1):
        ball = (pixels.kind == EYES) & (pixels.origin[:, 0] * side > 0)
        middle, _ = eye_box(mesh.points, mesh.kind, side)
        direction = (pixels.place[ball] + centre - middle @ turn.T).astype(np.float32)
        direction /= _length(direction)
        head = turn[:, 1] * 0.75 + np.array([0, 0.6, 0])
        iris, wet = paint.paint_eye(direction, head / np.linalg.norm(head), person.look)
        colour[ball] = light.reflect(
            iris, wet, 260.0, direction, view[ball], np.sqrt(pixels.key[ball]),
            pixels.surround[ball] * 0.9, lamp, (0.2, 0.15, 0.15),
        )  # fmt: skip
    return colour


def _paint_face(pixels: _Pixels, person: Person) -> paint.Painted:
    face = (pixels.kind != EYES) & (pixels.kind != _CLOTH)
    some = paint.paint_skin(pixels.origin[face], person.look)
    albedo = np.full((len(face), 3), 0.5, np.float32)
    gloss, height = np.zeros(len(face), np.float32), np.zeros(len(face), np.float32)
    albedo[face], gloss[face], height[face] = some.albedo, some.gloss, some.height
    return paint.Painted(albedo, gloss, height)


def _lashes(
    pixels: _Pixels, size: tuple[int, int], person: Person, focal: float
) -> NDArray[np.float32]:
    """Dark lines along both lids: strong above the eye, faint below."""
    eye = np.zeros(size, np.uint8)
    eye[pixels.where] = pixels.kind == EYES
    millimetre = focal * float(np.median(pixels.depth))
    reach = max(round(1.5 * millimetre), 1)
    up = cv2.dilate(eye, np.ones((reach + 1, 1), np.uint8), anchor=(0, 0))
    down = cv2.dilate(eye, np.ones((max(reach // 2, 1) + 1, 1), np.uint8),
                      anchor=(0, max(reach // 2, 1)))  # fmt: skip
    strength = 0.75 if person.sex == "M" else 1.0
    line = cv2.GaussianBlur(
        np.maximum(up, 0.55 * down).astype(np.float32), (0, 0), 0.35 * millimetre
    )
    over = line[pixels.where]
    # On the eyeball only the shadow under the upper lid is left.
    below = cv2.GaussianBlur((up > 0).astype(np.float32) - eye, (0, 0), 1.3 * millimetre)
    shade = np.clip(1.6 * below[pixels.where], 0, 0.75)
    return np.asarray(strength * np.where(pixels.kind == EYES, shade, over), np.float32)


def _shade_hair(
    pixels: _Pixels,
    view: NDArray[np.float32],
    person: Person,
    lamp: light.Lamp,
    turn: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    painted = paint.paint_hair(pixels.origin, person.look)
    size = (int(pixels.where[0].max()) + 2, int(pixels.where[1].max()) + 2)
    normal = _bump(pixels, painted.height, size)
    colour = light.reflect(
        painted.albedo, painted.gloss * 0.15, 12.0, normal, view, pixels.key, pixels.surround,
        lamp, (0.2, 0.2, 0.2),
    )  # fmt: skip
    # Strands shine along a band across them (Kajiya & Kay 1989).
    fall = (np.array([0, 0, -1.0]) @ turn.T).astype(np.float32)
    along = fall - normal * (normal @ fall)[:, None]
    steep = _length(along)[:, 0]
    along /= np.maximum(steep, 1e-3)[:, None]
    half = view + lamp.key.astype(np.float32)
    half /= _length(half)
    across = np.einsum("ij,ij->i", along, half)
    sheen = np.power(np.clip(1 - across**2, 0, 1), 20)
    facing = np.clip(normal @ lamp.key, 0, 1) * smooth_step(steep, 0.15, 0.6)
    sheen = 0.09 * sheen * pixels.key * facing * (0.6 + painted.gloss)
    colour += (sheen[:, None] * (0.35 * lamp.key_colour + person.look.hair * 2)).astype(np.float32)
    wisp = fractal(pixels.origin, (1.1, 1.1, 6.0), person.look.texture + 65, octaves=2, gain=0.8)
    alpha = smooth_step(pixels.density + 0.16 * wisp, 0.2, 0.75)
    return colour, alpha


def _develop(
    linear: NDArray[np.float32], settings: CameraSettings, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Exposure, white balance, lens blur, sRGB curve, sensor noise."""
    small = cv2.resize(linear, (settings.width, settings.height), interpolation=cv2.INTER_AREA)
    small = small * np.exp(rng.normal(0, 0.08)) * (1 + rng.normal(0, 0.02, 3)).astype(np.float32)
    small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 0.75))
    # A shoulder keeps highlights from clipping hard.
    small = np.clip(small, 0, None)
    small = np.where(small > 0.7, 0.7 + 0.3 * (1 - np.exp(-(small - 0.7) / 0.3)), small)
    srgb = np.where(small <= 0.0031308, 12.92 * small, 1.055 * np.power(small, 1 / 2.4) - 0.055)
    srgb = srgb * 255 + rng.normal(0, settings.noise, srgb.shape).astype(np.float32)
    return np.clip(np.rint(srgb), 0, 255).astype(np.uint8)
