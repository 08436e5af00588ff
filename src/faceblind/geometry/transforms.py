"""Rigid transforms."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def angle_degrees(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Angle between the rotations of two (4, 4) rigid maps, degrees."""
    cosine = (np.trace(a[:3, :3].T @ b[:3, :3]) - 1.0) / 2.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def rotation_matrix(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) rotation about a vector by its length in radians.

    By the formulas of `scipy.spatial.transform.Rotation`, which takes five times as long for a
    single vector; the results are the same to the last bit on x86-64.

    Parameters
    ----------
    vector : (3,) float64 ndarray
    """
    x, y, z = vector.tolist()
    angle = math.sqrt(x * x + y * y + z * z)
    if angle <= 1e-3:
        square = angle * angle
        scale = 0.5 - square / 48.0 + square * square / 3840.0
    else:
        scale = math.sin(angle / 2.0) / angle
    x, y, z, w = scale * x, scale * y, scale * z, math.cos(angle / 2.0)
    xx, yy, zz, ww = x * x, y * y, z * z, w * w
    xy, zw, xz, yw, yz, xw = x * y, z * w, x * z, y * w, y * z, x * w
    return np.array([
        [xx - yy - zz + ww, 2.0 * (xy - zw), 2.0 * (xz + yw)],
        [2.0 * (xy + zw), -xx + yy - zz + ww, 2.0 * (yz - xw)],
        [2.0 * (xz - yw), 2.0 * (yz + xw), -xx - yy + zz + ww],
    ])  # fmt: skip


def rotation_matrices(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3, 3) `rotation_matrix` of each of (..., 3) vectors."""
    each = [rotation_matrix(vector) for vector in vectors.reshape(-1, 3)]
    return np.stack(each).reshape(*vectors.shape, 3)


def applied(affines: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points moved by each of several affine maps, as `nibabel.affines.apply_affine` by one.

    Parameters
    ----------
    affines : (..., 4, 4) float64 ndarray
    points : (N, 3) float64 ndarray

    Returns
    -------
    (..., N, 3) float64 ndarray
    """
    linear, shift = affines[..., :3, :3], affines[..., None, :3, 3]
    return np.asarray(points @ np.swapaxes(linear, -1, -2) + shift, np.float64)
