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
