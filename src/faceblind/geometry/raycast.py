"""Rays against a triangle mesh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Scene:
    """A mesh made ready for rays, which takes longer than casting a few thousand of them.

    Parameters
    ----------
    points : (P, 3) float32 ndarray
        Vertices, mm.
    faces : (F, 3) int32 ndarray
    """

    def __init__(self, points: NDArray[np.float32], faces: NDArray[np.int32]) -> None:
        from embreex import rtcore_scene
        from embreex.mesh_construction import TriangleMesh

        self._scene = rtcore_scene.EmbreeScene()
        self._surface = TriangleMesh(
            self._scene,
            np.ascontiguousarray(points, dtype=np.float32),
            np.ascontiguousarray(faces, dtype=np.int32),
        )

    def first_hits(
        self, origins: NDArray[np.float32], directions: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """What each ray meets first.

        Parameters
        ----------
        origins, directions : (N, 3) float32 ndarray
            Rays; directions of unit length.

        Returns
        -------
        distance : (N,) float32 ndarray
            Millimetres along the ray, infinite where nothing is met.
        face : (N,) int64 ndarray
            Index of the triangle met, -1 for none.
        """
        found = self._scene.run(
            np.ascontiguousarray(origins, dtype=np.float32),
            np.ascontiguousarray(directions, dtype=np.float32),
            output=True,
        )
        face = found["primID"].astype(np.int64)
        return np.where(face < 0, np.float32(np.inf), found["tfar"]), face


def first_hits(
    points: NDArray[np.float32],
    faces: NDArray[np.int32],
    origins: NDArray[np.float32],
    directions: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """`Scene.first_hits` on a mesh that is needed once."""
    return Scene(points, faces).first_hits(origins, directions)


def first_hits_near(
    points: NDArray[np.float32],
    faces: NDArray[np.int32],
    origins: NDArray[np.float32],
    directions: NDArray[np.float32],
    reach: float,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """`first_hits` within reach, sooner where the rays pass a small part of the mesh.

    A mesh is made ready at a price for each of its triangles and vertices: here only those in the
    box of the rays.

    Parameters
    ----------
    points, faces, origins, directions
        As for `Scene` and its `first_hits`.
    reach : float
        Millimetres; what lies further away is not met.
    """
    distance = np.full(len(origins), np.inf, np.float32)
    face = np.full(len(origins), -1, np.int64)
    if not len(origins) or not len(faces):
        return distance, face
    ends = np.concatenate([origins, origins + np.float32(reach) * directions])
    # Rounding must not lose what lies on the border of the box.
    low, high = ends.min(axis=0) - 0.1, ends.max(axis=0) + 0.1
    sides = np.packbits(np.concatenate([points < low, points > high], axis=1), axis=1)[:, 0]
    one_sided = sides[faces[:, 0]] & sides[faces[:, 1]] & sides[faces[:, 2]]
    near = np.flatnonzero(one_sided == 0)
    if not len(near):
        return distance, face
    used = np.zeros(len(points), bool)
    used[faces[near]] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    depth, hit = first_hits(points[used], number[faces[near]], origins, directions)
    met = (hit >= 0) & (depth <= reach)
    distance[met], face[met] = depth[met], near[hit[met]]
    return distance, face
