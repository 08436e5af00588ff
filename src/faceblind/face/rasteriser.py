"""Which triangle each ray of a camera meets first: two rasterisers with one answer.

`EmbreeCaster` traces rays with Embree (package embreex). `NumpyCaster` is a z-buffer in plain
NumPy for machines without that package, and the check on the first in the tests.

Both see triangles from the front only: a surface is closed, so that its inside is never seen.
Ray (row, column) of an image of n x n rays passes through the centre of its cell, in the
projection of `faceblind.face.cameras.Camera` with a size of n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.face.cameras import Camera
from faceblind.geometry.triangles import face_normals

NOTHING = -1
"""Face number of a ray that meets nothing."""


@dataclass(frozen=True)
class Hits:
    """What n x n rays of one camera meet first.

    Parameters
    ----------
    face : (n, n) int32 ndarray
        Number of the triangle, or `NOTHING`.
    u, v : (n, n) float32 ndarray
        Barycentric weights of the triangle's second and third vertex.
    depth : (n, n) float32 ndarray
        Millimetres along the viewing direction; infinite where nothing is met.
    """

    face: NDArray[np.int32]
    u: NDArray[np.float32]
    v: NDArray[np.float32]
    depth: NDArray[np.float32]


class Caster(Protocol):
    """A mesh made ready for `hits`."""

    def hits(self, camera: Camera, target: NDArray[np.float64], n: int) -> Hits:
        """First hits of n x n rays of `camera` looking at `target`."""
        ...


def facing(
    points: NDArray[np.float32], faces: NDArray[np.int32], positions: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(F,) mask of the faces that turn their front to at least one of the (V, 3) `positions`."""
    normal = face_normals(points, faces)
    corner = points[faces[:, 0]]
    offset = (normal * corner).sum(axis=1)
    seen = np.zeros(len(faces), dtype=bool)
    # Sums are written out: a threaded matrix product may round differently with each thread count.
    for x, y, z in positions.astype(np.float32):
        seen |= normal[:, 0] * x + normal[:, 1] * y + normal[:, 2] * z > offset
    return seen


class EmbreeCaster:
    """Ray caster on Embree's bounding volume hierarchy.

    Parameters
    ----------
    points : (P, 3) float32 ndarray
        Vertices in millimetres.
    faces : (F, 3) int32 ndarray
        Vertex indices.

    Raises
    ------
    ImportError
        If embreex is not installed.
    """

    def __init__(self, points: NDArray[np.float32], faces: NDArray[np.int32]) -> None:
        from embreex import rtcore_scene
        from embreex.mesh_construction import TriangleMesh

        self._scene: Any = rtcore_scene.EmbreeScene()
        # The scene borrows the mesh, which therefore must live as long.
        self._mesh: Any = TriangleMesh(self._scene, points, faces)

    def hits(self, camera: Camera, target: NDArray[np.float64], n: int) -> Hits:
        """First hits of n x n rays of `camera` looking at `target`."""
        right, down, forward = camera.axes
        step = (np.arange(n) - (n - 1) / 2)[:, None] / camera.focal(n)
        across = (forward + step * right).astype(np.float32)
        rays = (across + (step * down).astype(np.float32)[:, None]).reshape(-1, 3)
        start = np.empty_like(rays)
        start[:] = camera.position(target)
        found = self._scene.run(start, rays, output=True)
        face = found["primID"].reshape(n, n)
        # A ray advances 1 mm along the viewing direction per unit of its parameter.
        depth = np.where(face == NOTHING, np.float32(np.inf), found["tfar"].reshape(n, n))
        return Hits(face, found["u"].reshape(n, n), found["v"].reshape(n, n), depth)


class NumpyCaster:
    """Z-buffer in NumPy: each triangle is tested against the rays in its bounding box.

    Parameters
    ----------
    points : (P, 3) float32 ndarray
        Vertices in millimetres.
    faces : (F, 3) int32 ndarray
        Vertex indices.
    """

    def __init__(self, points: NDArray[np.float32], faces: NDArray[np.int32]) -> None:
        self._points, self._faces = points, faces

    def hits(self, camera: Camera, target: NDArray[np.float64], n: int) -> Hits:
        """First hits of n x n rays of `camera` looking at `target`."""
        seen = camera.project(self._points, target, n)
        x, y, inverse = seen[:, 0], seen[:, 1], 1 / seen[:, 2]
        cx, cy, cz = (values[self._faces] for values in (x, y, inverse))
        left, right = _cells(cx, n)
        top, bottom = _cells(cy, n)
        area = _cross(
            cx[:, 1] - cx[:, 0], cy[:, 1] - cy[:, 0], cx[:, 2] - cx[:, 0], cy[:, 2] - cy[:, 0]
        )
        # Pictures have y down, which turns counter-clockwise fronts into a negative area.
        ok = np.flatnonzero((right >= left) & (bottom >= top) & (area < 0) & (cz > 0).all(axis=1))
        width = (right - left + 1)[ok]
        count = width * (bottom - top + 1)[ok]
        which = np.repeat(np.arange(len(ok)), count)
        inside = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        column = left[ok][which] + inside % width[which]
        row = top[ok][which] + inside // width[which]
        tri = ok[which]
        px, py = column - cx[tri, 0], row - cy[tri, 0]
        e1x, e1y = cx[tri, 1] - cx[tri, 0], cy[tri, 1] - cy[tri, 0]
        e2x, e2y = cx[tri, 2] - cx[tri, 0], cy[tri, 2] - cy[tri, 0]
        u = _cross(px, py, e2x, e2y) / area[tri]
        v = _cross(e1x, e1y, px, py) / area[tri]
        hit = np.flatnonzero((u >= 0) & (v >= 0) & (u + v <= 1))
        tri, u, v, cell = tri[hit], u[hit], v[hit], (row * n + column)[hit]
        return _nearest(tri, u, v, cz[tri], cell, n)


def _cells(values: NDArray[np.float64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last ray that each triangle's (F, 3) coordinates enclose, within the image."""
    first = np.ceil(values.min(axis=1)).clip(0, n).astype(np.int64)
    last = np.floor(values.max(axis=1)).clip(-1, n - 1).astype(np.int64)
    return first, last


def _cross(ax: Any, ay: Any, bx: Any, by: Any) -> NDArray[np.float64]:
    return ax * by - ay * bx  # type: ignore[no-any-return]


def _nearest(
    tri: NDArray[np.int64],
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    inverse: NDArray[np.float64],
    cell: NDArray[np.int64],
    n: int,
) -> Hits:
    """Keep the nearest candidate of each cell; weights made right for perspective."""
    weight = np.stack([1 - u - v, u, v], axis=1) * inverse
    total = weight.sum(axis=1)
    order = np.argsort(total, kind="stable")
    winner = np.full(n * n, NOTHING, dtype=np.int64)
    winner[cell[order]] = order
    got = winner != NOTHING
    best = winner[got]
    face = np.full(n * n, NOTHING, dtype=np.int32)
    out_u, out_v = np.zeros((2, n * n), dtype=np.float32)
    depth = np.full(n * n, np.inf, dtype=np.float32)
    face[got], depth[got] = tri[best], 1 / total[best]
    out_u[got], out_v[got] = weight[best, 1] / total[best], weight[best, 2] / total[best]
    shape = (n, n)
    return Hits(
        face.reshape(shape), out_u.reshape(shape), out_v.reshape(shape), depth.reshape(shape)
    )


def make_caster(
    points: NDArray[np.float32], faces: NDArray[np.int32], rasteriser: str = "auto"
) -> Caster:
    """The named caster: ``"embree"``, ``"numpy"``, or ``"auto"`` for the first that is installed.

    Raises
    ------
    FaceblindError
        If the name is unknown or the package that it needs is not installed.
    """
    if rasteriser not in ("auto", "embree", "numpy"):
        raise FaceblindError(f"rasteriser {rasteriser!r} is unknown; use auto, embree or numpy")
    if rasteriser != "numpy":
        try:
            return EmbreeCaster(points, faces)
        except ImportError as error:
            if rasteriser == "embree":
                raise FaceblindError("rasteriser embree: run pip install embreex") from error
    return NumpyCaster(points, faces)
