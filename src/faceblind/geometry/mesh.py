"""Checked triangle meshes: normals, smoothing, components and cropping.

All functions take and return plain arrays; `points` is (P, 3) in millimetres in any right-handed
frame and `faces` is (F, 3) vertex indices, counter-clockwise when seen from outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

from faceblind.errors import FaceblindError
from faceblind.geometry import triangles

Points = NDArray[np.float32]
Faces = NDArray[np.int32]


def check_mesh(points: ArrayLike, faces: ArrayLike, name: str = "mesh") -> tuple[Points, Faces]:
    """Return `points` as (P, 3) float32 and `faces` as (F, 3) int32, contiguous.

    Parameters
    ----------
    points : (P, 3) array-like
        Vertices in millimetres.
    faces : (F, 3) array-like of int
        Vertex indices.
    name : str
        What to call the mesh in messages.

    Raises
    ------
    FaceblindError
        If the mesh is empty, misshapen, not finite, or a face points at a missing vertex.
    """
    p = np.ascontiguousarray(points, dtype=np.float32)
    f = np.asarray(faces)
    if p.ndim != 2 or p.shape[1] != 3:
        raise FaceblindError(f"{name}: expected points of shape (P, 3), got {p.shape}")
    if f.ndim != 2 or f.shape[1] != 3:
        raise FaceblindError(f"{name}: expected faces of shape (F, 3), got {f.shape}")
    if len(p) == 0 or len(f) == 0:
        raise FaceblindError(f"{name}: the mesh is empty; check that a skin surface was found")
    if not np.isfinite(p).all():
        raise FaceblindError(f"{name}: some vertices are not finite; clean the surface first")
    if f.min() < 0 or f.max() >= len(p):
        raise FaceblindError(
            f"{name}: faces refer to vertices {f.min()}..{f.max()} but there are {len(p)} vertices"
        )
    return p, np.ascontiguousarray(f, dtype=np.int32)


def checked_normals(points: ArrayLike, faces: ArrayLike) -> NDArray[np.float32]:
    """Area-weighted unit normals of the vertices.

    Parameters
    ----------
    points : (P, 3) array-like
        Vertices in millimetres.
    faces : (F, 3) array-like of int
        Vertex indices, counter-clockwise when seen from outside.

    Returns
    -------
    (P, 3) float32 ndarray
        Outward unit normals; zero for vertices without a face of positive area.

    Raises
    ------
    FaceblindError
        If the mesh is empty or malformed.
    """
    p, f = check_mesh(points, faces)
    return triangles.vertex_normals(p, f, np.float32)


def neighbour_mean(points_count: int, faces: Faces) -> sparse.csr_matrix:
    """Sparse (P, P) float32 matrix that replaces each vertex by the mean of its neighbours.

    Vertices on an open border average only their neighbours along that border, so that smoothing
    does not pull the border inwards. Vertices without neighbours keep their place.
    """
    n = points_count
    rows = faces.T.ravel()
    cols = np.roll(faces, -1, axis=1).T.ravel()
    ones = np.ones(len(rows), dtype=np.float32)
    half = sparse.csr_matrix((ones, (rows, cols)), shape=(n, n))
    links = (half + half.T).tocsr()
    count = links.data
    row_of = np.repeat(np.arange(n, dtype=np.int32), np.diff(links.indptr))
    border_edge = count == 1
    border = np.zeros(n, dtype=bool)
    border[row_of[border_edge]] = True
    weight = np.where(border[row_of], border_edge, True).astype(np.float32)
    degree = np.bincount(row_of, weight, minlength=n)
    links.data = (weight / np.maximum(degree, 1)[row_of]).astype(np.float32)
    alone = sparse.diags_array((degree == 0).astype(np.float32))
    return (links + alone).tocsr() if (degree == 0).any() else links


def smooth(
    points: ArrayLike, faces: ArrayLike, iterations: int = 20, passband: float = 0.1
) -> Points:
    """Smooth a surface without shrinking it: windowed-sinc low-pass filter.

    The filter of Taubin, Zhang and Golub (Optimal surface smoothing as filter design, ECCV 1996):
    the ideal low-pass transfer function over the eigenvalues of the umbrella Laplacian (0..2),
    expanded to `iterations` Chebyshev terms under a Hamming window. The terms are scaled to
    a gain of exactly one at frequency zero, so that the surface neither drifts nor shrinks.

    Parameters
    ----------
    points : (P, 3) array-like
        Vertices in millimetres.
    faces : (F, 3) array-like of int
        Vertex indices.
    iterations : int
        Degree of the filter: how sharp its cut-off is. 0 returns the points unchanged.
    passband : float
        Laplacian eigenvalue (0 < passband <= 2) below which shape is kept; smaller is smoother.
        On a regular mesh with edges of length h mm, detail of wavelength about
        ``2 * pi * h / sqrt(4 * passband)`` mm is at the cut-off.

    Returns
    -------
    (P, 3) float32 ndarray

    Raises
    ------
    FaceblindError
        If the mesh is empty or malformed, or a parameter is out of range.
    """
    if iterations < 0 or not 0 < passband <= 2:
        raise FaceblindError(
            f"smooth: expected iterations >= 0 and 0 < passband <= 2, got {iterations}, {passband}"
        )
    p, f = check_mesh(points, faces)
    if iterations == 0:
        return p.copy()
    centre = p.mean(axis=0, dtype=np.float64).astype(np.float32)
    mean = neighbour_mean(len(p), f)
    gain = _sinc_gain(iterations, passband)
    # T_n(1 - K/2) with the Laplacian K = I - mean is T_n((I + mean) / 2).
    before = p - centre
    now = (before + mean @ before) / 2
    out = gain[0] * before + gain[1] * now
    for g in gain[2:]:
        before, now = now, now + mean @ now - before
        out += g * now
    return np.ascontiguousarray(out + centre, dtype=np.float32)


def _sinc_gain(degree: int, passband: float) -> NDArray[np.float32]:
    """Chebyshev coefficients (degree + 1,) of the windowed ideal low-pass filter."""
    theta = np.arccos(1 - passband / 2)
    n = np.arange(1, degree + 1)
    window = 0.54 + 0.46 * np.cos(n * np.pi / (degree + 1))
    gain = np.r_[theta / np.pi, window * 2 * np.sin(n * theta) / (n * np.pi)]
    return (gain / gain.sum()).astype(np.float32)


def crop(
    points: ArrayLike, faces: ArrayLike, keep: ArrayLike
) -> tuple[Points, Faces, NDArray[Any]]:
    """Keep the faces whose three vertices are all in `keep`, and only the vertices they use.

    Parameters
    ----------
    points : (P, 3) array-like
        Vertices in millimetres.
    faces : (F, 3) array-like of int
        Vertex indices.
    keep : (P,) array-like of bool
        Vertices to keep.

    Returns
    -------
    points : (Q, 3) float32 ndarray
    faces : (G, 3) int32 ndarray
    index : (Q,) int64 ndarray
        Which input vertex each output vertex was, to carry per-vertex data along.

    Raises
    ------
    FaceblindError
        If the mesh is empty or malformed, or nothing is left.
    """
    p, f = check_mesh(points, faces)
    mask = np.asarray(keep, dtype=bool)
    if mask.shape != (len(p),):
        raise FaceblindError(f"crop: expected keep of shape ({len(p)},), got {mask.shape}")
    chosen = f[mask[f[:, 0]] & mask[f[:, 1]] & mask[f[:, 2]]]
    if len(chosen) == 0:
        raise FaceblindError("crop: no face is left; widen the region to keep")
    used = np.zeros(len(p), dtype=bool)
    used[chosen] = True
    index = np.flatnonzero(used)
    renumber = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return p[index], renumber[chosen], index


def largest_component(points: ArrayLike, faces: ArrayLike) -> tuple[Points, Faces, NDArray[Any]]:
    """Keep the connected part with the most vertices; returns what `crop` returns.

    Raises
    ------
    FaceblindError
        If the mesh is empty or malformed.
    """
    p, f = check_mesh(points, faces)
    rows, cols = np.r_[f[:, 0], f[:, 1]], np.r_[f[:, 1], f[:, 2]]
    links = sparse.coo_matrix((np.ones(len(rows), np.int8), (rows, cols)), shape=(len(p),) * 2)
    _, label = csgraph.connected_components(links, directed=False)
    return crop(p, f, label == np.bincount(label).argmax())
