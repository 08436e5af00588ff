"""Everything before the camera as meshes in layers, and their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.triangles import vertex_normals
from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.reference_face import EYES, SKIN, reference
from faceblind.volunteers.photographs import accessories, beard, hair, light, strands
from faceblind.volunteers.photographs.style import Style
from faceblind.volunteers.raster import interpolate, rasterise

CLOTH = 250
"""Kind of a garment's vertices; all others are parts of the head model."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """One layer.

    Attributes
    ----------
    layer : str
        ``"head"``, ``"beard"``, ``"hair back"``, ``"hair side"``, ``"hair"``, ``"cover"``,
        ``"frame"`` or ``"lens"``, drawn in this order.
    points, normals : (P, 3) float32 ndarray
        Vertices in the head frame, mm, and unit normals.
    faces : (F, 3) int32 ndarray
        Triangles.
    origin : (P, 3) float32 ndarray
        Reference positions, mm; of a lens its own normals.
    kind : (P,) uint8 ndarray
        Part of the head model, or `CLOTH`.
    density : (P,) float32 ndarray
        Opacity; on the head how densely scalp hair grows.
    """

    layer: str
    points: NDArray[np.float32]
    faces: NDArray[np.int32]
    origin: NDArray[np.float32]
    kind: NDArray[np.uint8]
    density: NDArray[np.float32]
    normals: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scene:
    """A person before the camera: layers, single hairs, and the glasses if any are worn."""

    meshes: tuple[Mesh, ...]
    strands: tuple[strands.Strands, ...]
    worn: accessories.Worn | None

    def shadow_casters(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
        """Points, normals and faces of all layers but the glasses, in one."""
        solid = [m for m in self.meshes if m.layer not in ("frame", "lens")]
        start = np.cumsum([0] + [len(m.points) for m in solid])
        faces = [m.faces + np.int32(s) for m, s in zip(solid, start, strict=False)]
        return (
            np.concatenate([m.points for m in solid]),
            np.concatenate([m.normals for m in solid]),
            np.concatenate(faces),
        )


def build(coarse: NDArray[np.float32], style: Style) -> Scene:
    """Layers around a head of coarse points (N, 3), template frame, mm."""
    surface = HeadModel.load().surface(coarse)
    head = _head(surface, style)
    shells: dict[str, hair.Shell | None] = {"beard": beard.grow(surface, style)}
    shells |= _hair(surface, style)
    hairs = strands.grow(surface, coarse, head.normals[: len(surface)], style, shells)
    shells["cover"] = accessories.head_covering(surface, style)
    worn = None
    if style.glasses is not None:
        worn = accessories.put_on(surface, style.glasses)
        shells["frame"], shells["lens"] = worn.frame, worn.lenses
    meshes = [head]
    for layer, shell in shells.items():
        if shell is None:
            continue
        normals = shell.origin if layer == "lens" else vertex_normals(shell.points, shell.faces)
        kind = np.full(len(shell.points), SKIN, np.uint8)
        meshes.append(
            Mesh(layer, shell.points, shell.faces, shell.origin, kind, shell.density, normals)
        )
    return Scene(tuple(meshes), tuple(hairs), worn)


def _hair(surface: NDArray[np.float32], style: Style) -> dict[str, hair.Shell]:
    if style.covering == "headscarf":
        return {}
    shells = hair.grow(surface, style)
    if style.covering is None:
        return shells
    result = {}
    for layer, shell in shells.items():
        free = 1 - accessories.covered(shell.origin, style.covering)
        keep = (free[shell.faces] > 0.01).any(axis=1)
        result[layer] = hair.Shell(
            shell.points, shell.faces[keep], shell.origin, shell.density * free
        )
    return result


@lru_cache(maxsize=1)
def _shows() -> NDArray[np.bool_]:
    """Which faces may show: the mouth's inside does between the lips only, and may be wider
    than a narrow face.
    """
    base = reference()
    corner = base.points[base.faces]
    inner = ~np.isin(base.parts, (SKIN, EYES))[base.faces].any(axis=1)
    x, z = np.abs(corner[..., 0]), corner[..., 2]
    away = ((x > 28) | (z > -38) | (z < -72)).all(axis=1)
    return np.asarray(~(inner & away) | (corner[..., 2] > -20).all(axis=1))


def _head(surface: NDArray[np.float32], style: Style) -> Mesh:
    base = reference()
    cloth, cloth_faces = _shoulders(surface)
    count = len(surface)
    faces = base.faces[_shows()]
    scalp = hair.density(base.points, style) * (1 - base.ear) * (base.parts == SKIN)
    if style.covering is not None:
        hidden = accessories.covered(base.points, style.covering)
        scalp = scalp * (1 - hidden)
        if style.covering == "headscarf":
            scalp = scalp * 0
            # Ears are folded back under cloth, or they would poke through.
            faces = faces[base.ear[faces].min(axis=1) < 0.3]
    points = np.concatenate([surface, cloth])
    faces = np.concatenate([faces, cloth_faces + np.int32(count)])
    kind = np.concatenate([base.parts, np.full(len(cloth), CLOTH, np.uint8)])
    density = np.concatenate([scalp, np.zeros(len(cloth), np.float32)]).astype(np.float32)
    origin = np.concatenate([base.points, cloth])
    return Mesh("head", points, faces, origin, kind, density, vertex_normals(points, faces))


def _shoulders(surface: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """A round-necked garment below the head."""
    turn = np.linspace(0, 2 * np.pi, 61)[:-1]
    base = float(surface[:, 2].min())
    rise = np.array([30.0, 32.0, 26.0, 18.0, 10.0, 2.0])
    here = surface[surface[:, 2] < base + 30]
    middle = float(here[:, 1].max() + here[:, 1].min()) / 2
    # Close to the neck, and smooth around it: cloth bridges the hollows.
    around = hair.silhouette(surface, turn, base + rise, middle)
    around = ndimage.gaussian_filter(around, (0.7, 2.5), mode=("nearest", "wrap"))
    # The hem is turned in at the top, so that the cloth has an edge.
    room = np.array([-3.0, 3.0, 4.0, 4.5, 5.0, 6.0])[:, None]
    radius = around + room
    x, y = np.sin(turn) * radius, middle + np.cos(turn) * radius
    # The neckline dips in front.
    dip = 22 * np.clip(np.cos(turn), 0, 1) ** 1.5
    near = np.stack([x, y, base + rise[:, None] - dip], axis=2)
    # Height, half width, half depth and centre (anterior) of each further ring, mm.
    far = [(-14.0, 120, 92, -24), (-30.0, 165, 100, -28), (-52.0, 192, 106, -30),
           (-85.0, 207, 112, -28), (-140.0, 222, 122, -25), (-240.0, 225, 128, -20)]  # fmt: skip
    body = [
        np.stack([np.sin(turn) * wide, y0 + np.cos(turn) * deep, base + drop - 0.7 * dip], axis=1)
        for drop, wide, deep, y0 in far
    ]
    points = np.concatenate([*near, *body])
    size, rings = len(turn), len(near) + len(body)
    row, column = np.meshgrid(np.arange(rings - 1), np.arange(size), indexing="ij")
    at = (row * size + column).ravel()
    beside = (row * size + (column + 1) % size).ravel()
    faces = np.concatenate(
        [
            np.stack([at, beside, beside + size], axis=1),
            np.stack([at, beside + size, at + size], axis=1),
        ]
    )
    return points.astype(np.float32), faces.astype(np.int32)


@dataclass(frozen=True, eq=False)
class Frame:
    """Where the camera stands.

    Attributes
    ----------
    turn : (3, 3) ndarray
        Head frame to room; the camera looks along -y.
    centre : (3,) ndarray
        Point of the turned head in the middle of the picture, mm.
    distance : float
        From there to the lens, mm.
    focal : float
        Focal length in pixels.
    size : (int, int)
        Height and width in pixels.
    """

    turn: NDArray[np.float64]
    centre: NDArray[np.float64]
    distance: float
    focal: float
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Pixels:
    """What N pixels of a layer show: the fields of `Mesh`, `light` and place in the room."""

    where: tuple[NDArray[np.intp], NDArray[np.intp]]
    depth: NDArray[np.float32]
    origin: NDArray[np.float32]
    place: NDArray[np.float32]
    normal: NDArray[np.float32]
    key: NDArray[np.float32]
    surround: NDArray[np.float32]
    density: NDArray[np.float32]
    kind: NDArray[np.uint8]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a picture that just holds all pixels."""
        return int(self.where[0].max()) + 2, int(self.where[1].max()) + 2


def project(place: NDArray[np.floating], frame: Frame) -> NDArray[np.float64]:
    """(..., 3) pixel x, pixel y and 1/z of room points (..., 3), mm from the frame's centre."""
    inverse = 1.0 / np.maximum(frame.distance - place[..., 1], 30.0)
    across = frame.size[1] / 2 - frame.focal * place[..., 0] * inverse
    down = frame.size[0] / 2 - frame.focal * place[..., 2] * inverse
    return np.stack([across, down, inverse], axis=-1).astype(np.float64)


def length(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """(N, 1) lengths, never 0."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    return np.asarray(np.sqrt(np.maximum(squares, 1e-12))[:, None])


def draw(
    mesh: Mesh,
    key: NDArray[np.float32],
    seen: NDArray[np.float32] | None,
    lamp: light.Lamp,
    frame: Frame,
) -> Pixels | None:
    """Pixels of one layer, None where it is out of the picture.

    Parameters
    ----------
    mesh : Mesh
        The layer.
    key : (P,) ndarray
        Share of the key light at its vertices.
    seen : (P, DIRECTIONS) ndarray or None
        See `light.visibility`; None sees everything.
    lamp : Lamp
        The light.
    frame : Frame
        The camera.
    """
    place = (mesh.points @ frame.turn.T - frame.centre).astype(np.float32)
    screen = project(place, frame)
    face, bary, depth = rasterise(screen, mesh.faces, *frame.size)
    rows, columns = np.nonzero(face >= 0)
    if not len(rows):
        return None
    where = rows, columns
    ids, weights = face[where], bary[where]
    if seen is None:
        seen = np.ones((len(mesh.points), light.DIRECTIONS), np.float32)
    values = np.column_stack(
        [
            mesh.origin, place, mesh.normals @ frame.turn.T, key,
            light.ambient(seen, mesh.normals, frame.turn, lamp), mesh.density,
        ]
    ).astype(np.float32)  # fmt: skip
    flat = interpolate(values, mesh.faces, ids, weights)
    normal = flat[:, 6:9] / length(flat[:, 6:9])
    return Pixels(
        where, depth[where], flat[:, 0:3].copy(), flat[:, 3:6], normal, flat[:, 9],
        flat[:, 10:13], flat[:, 13], mesh.kind[mesh.faces[ids, 0]],
    )  # fmt: skip
