"""Everything before the camera as meshes in layers, and their pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers import accessories, beard, hair, light
from faceblind.volunteers.raster import interpolate, rasterise
from faceblind.volunteers.reference import SKIN, reference, vertex_normals
from faceblind.volunteers.style import Style

CLOTH = 250
"""Kind of a garment's vertices; all others are parts of the head model."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """One layer.

    Attributes
    ----------
    layer : str
        ``"head"``, ``"beard"``, ``"hair"``, ``"cover"``, ``"frame"`` or ``"lens"``, drawn in
        this order.
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
    """A person before the camera: layers, and the glasses' geometry if any are worn."""

    meshes: tuple[Mesh, ...]
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


def build(surface: NDArray[np.float32], style: Style) -> Scene:
    """Layers around a head's full surface (Q, 3), template frame, mm."""
    meshes = [_head(surface, style)]
    shells = {"beard": beard.grow(surface, style), "hair": _hair(surface, style),
              "cover": accessories.head_covering(surface, style)}  # fmt: skip
    worn = None
    if style.glasses is not None:
        worn = accessories.put_on(surface, style.glasses)
        shells["frame"], shells["lens"] = worn.frame, worn.lenses
    for layer, shell in shells.items():
        if shell is None:
            continue
        normals = shell.origin if layer == "lens" else vertex_normals(shell.points, shell.faces)
        kind = np.full(len(shell.points), SKIN, np.uint8)
        meshes.append(
            Mesh(layer, shell.points, shell.faces, shell.origin, kind, shell.density, normals)
        )
    return Scene(tuple(meshes), worn)


def _hair(surface: NDArray[np.float32], style: Style) -> hair.Shell | None:
    if style.covering == "headscarf":
        return None
    shell = hair.grow(surface, style)
    if shell is None or style.covering is None:
        return shell
    free = 1 - accessories.covered(shell.origin, style.covering)
    keep = (free[shell.faces] > 0.01).any(axis=1)
    return hair.Shell(shell.points, shell.faces[keep], shell.origin, shell.density * free)


def _head(surface: NDArray[np.float32], style: Style) -> Mesh:
    base = reference()
    cloth, cloth_faces = _shoulders(surface)
    count = len(surface)
    faces = base.faces
    scalp = hair.density(base.points, style) * (1 - base.ear) * (base.parts == SKIN)
    if style.covering is not None:
        hidden = accessories.covered(base.points, style.covering) * (base.parts == SKIN)
        # What lies deep under cloth is not drawn, or ears would poke through.
        faces = faces[~(hidden[faces] > 0.9).all(axis=1)]
        scalp = scalp * (1 - hidden)
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
    inverse = 1.0 / np.maximum(frame.distance - place[:, 1], 30.0)
    screen = np.stack(
        [
            frame.size[1] / 2 - frame.focal * place[:, 0] * inverse,
            frame.size[0] / 2 - frame.focal * place[:, 2] * inverse,
            inverse,
        ],
        axis=1,
    )
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
