"""Normals, areas and borders of triangle meshes, unchecked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def boundary_edges(faces: NDArray[np.integer]) -> NDArray[np.int32]:
    """Edges (B, 2) that one triangle alone uses, in that triangle's direction."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    size = int(faces.max()) + 1
    key = edges[:, 0].astype(np.int64) * size + edges[:, 1]
    twin = edges[:, 1].astype(np.int64) * size + edges[:, 0]
    return edges[~np.isin(key, twin)].astype(np.int32)


def face_normals(points: NDArray[np.floating], faces: NDArray[np.integer]) -> NDArray[Any]:
    """Cross product of two edges of each face.

    Parameters
    ----------
    points : (P, 3) ndarray
        Vertices in millimetres.
    faces : (F, 3) integer ndarray
        Vertex indices, counter-clockwise seen from outside.

    Returns
    -------
    (F, 3) ndarray
        Outward vectors whose length is twice the area of the face in square millimetres, in the
        number type of `points`.
    """
    a = points[faces[:, 0]]
    b = points[faces[:, 1]] - a
    c = points[faces[:, 2]] - a
    # Written out because np.cross takes five times as long on long, thin arrays.
    out = np.empty_like(a)
    out[:, 0] = b[:, 1] * c[:, 2] - b[:, 2] * c[:, 1]
    out[:, 1] = b[:, 2] * c[:, 0] - b[:, 0] * c[:, 2]
    out[:, 2] = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    return out


def vertex_normals(
    points: NDArray[np.floating], faces: NDArray[np.integer], precision: type = np.float64
) -> NDArray[np.float32]:
    """Mean of the triangles around each vertex, weighted by area.

    Parameters
    ----------
    points : (P, 3) ndarray
        Vertices in millimetres.
    faces : (F, 3) integer ndarray
        Vertex indices, counter-clockwise seen from outside.
    precision : type
        Number type in which the faces' normals are computed; they are summed in float64.

    Returns
    -------
    (P, 3) float32 ndarray
        Outward unit normals; zero for vertices without a face of positive area.
    """
    flat = face_normals(np.asarray(points, precision), faces)
    total = np.empty((len(points), 3))
    for axis in range(3):
        total[:, axis] = sum(
            np.bincount(faces[:, k], flat[:, axis], minlength=len(points)) for k in range(3)
        )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return (total / np.maximum(length, 1e-12)).astype(np.float32)


def vertex_areas(points: NDArray[np.floating], faces: NDArray[np.integer]) -> NDArray[np.float64]:
    """(P,) a third of the triangles around each vertex, mm²."""
    a, b, c = (points[faces[:, k]].astype(np.float64) for k in range(3))
    whole = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return np.bincount(faces.T.ravel(), np.tile(whole / 3.0, 3), minlength=len(points)).astype(
        np.float64
    )
