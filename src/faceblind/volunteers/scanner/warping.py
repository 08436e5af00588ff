"""From the average head into the scan: the warp of the anatomy and its resampling."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from faceblind.head.template import load_template
from faceblind.volunteers.scanner.anatomy import Anatomy
from faceblind.volunteers.scanner.susceptibility import SLOPE_STEP
from faceblind.volunteers.scanner.tissue import Tissue

NODE = 8
"""Voxels per node of the coarse coordinate field."""

# Numba sees no enumerations.
_CSF, _GREY, _WHITE = int(Tissue.CSF), int(Tissue.GREY), int(Tissue.WHITE)


@lru_cache(maxsize=1)
def controls() -> NDArray[np.int64]:
    """Vertices of the outer skin that steer the warp: landmarks and an even spread."""
    template = load_template()
    chosen = sorted(set(template.landmark_index.values()))
    points = template.points.astype(np.float64)
    nearest = cdist(points, points[chosen]).min(axis=1)
    while len(chosen) < 160:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen)


def spline(
    source: NDArray[np.float64], target: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Map (N, 3) points by the smoothest warp from source to target (C, 3).

    Biharmonic spline with kernel r (Bookstein 1989 in three dimensions); a small ridge lets
    control points give way by fractions of a millimetre.
    """
    count = len(source)
    kernel = cdist(source, source) - 4.0 * np.eye(count)
    ones = np.column_stack([np.ones(count), source])
    system = np.block([[kernel, ones], [ones.T, np.zeros((4, 4))]])
    weights = np.linalg.solve(system, np.vstack([target, np.zeros((4, 3))]))
    return np.asarray(
        cdist(at, source) @ weights[:count]
        + np.column_stack([np.ones(len(at)), at]) @ weights[count:]
    )


def pull_back(
    posed: NDArray[np.float64],
    to_anatomy: NDArray[np.float64],
    affine: NDArray[np.float64],
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    """Where each coarse node of a grid lies in the anatomy.

    Parameters
    ----------
    posed : (P, 3) ndarray
        Skin in scan mm, vertices as in the template.
    to_anatomy : (4, 4) ndarray
        Template mm to voxel index of the anatomy.
    affine, shape
        The grid.

    Returns
    -------
    (3, U, V, W) float32 ndarray
        Voxel indices of the anatomy at every `NODE`-th voxel.
    """
    steer = controls()
    nodes = [np.arange(0, n + NODE, NODE) for n in shape]
    grid = np.stack([g.ravel() for g in np.meshgrid(*nodes, indexing="ij")], axis=1)
    place = apply_affine(affine, grid)
    average = load_template().points.astype(np.float64)[steer]
    mapped = spline(posed[steer], average, place)
    index = apply_affine(to_anatomy, mapped)
    return index.T.reshape(3, *(len(n) for n in nodes)).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _pull(
    field: Any, covered: Any, labels: Any, zones: Any, grey: Any, white: Any, slopes: Any,
    table: Any, left: Any, out_water: Any, out_fat: Any, out_zones: Any,
) -> None:  # fmt: skip
    columns = field.shape[3]
    row = np.empty((3, columns), np.float32)
    limit = np.array([labels.shape[0] - 1.001, labels.shape[1] - 1.001, labels.shape[2] - 1.001])
    last = np.array([slopes.shape[0] - 1, slopes.shape[1] - 1, slopes.shape[2] - 1])
    step_grey, step_white = table[0, _GREY] - table[0, _CSF], table[0, _WHITE] - table[0, _CSF]
    for i in range(covered.shape[0]):
        a = i // NODE
        u = np.float32((i - NODE * a) / NODE)
        for j in range(covered.shape[1]):
            b = j // NODE
            v = np.float32((j - NODE * b) / NODE)
            for c in range(3):
                for n in range(columns):
                    row[c, n] = (
                        (field[c, a, b, n] * (1 - v) + field[c, a, b + 1, n] * v) * (1 - u)
                        + (field[c, a + 1, b, n] * (1 - v) + field[c, a + 1, b + 1, n] * v) * u
                    )  # fmt: skip
            for k in range(covered.shape[2]):
                if covered[i, j, k] <= 0:
                    continue
                n = k // NODE
                w = np.float32((k - NODE * n) / NODE)
                x = min(max(row[0, n] * (1 - w) + row[0, n + 1] * w, 0.0), limit[0])
                y = min(max(row[1, n] * (1 - w) + row[1, n + 1] * w, 0.0), limit[1])
                z = min(max(row[2, n] * (1 - w) + row[2, n + 1] * w, 0.0), limit[2])
                p, q, r = int(x), int(y), int(z)
                fx, fy, fz = np.float32(x - p), np.float32(y - q), np.float32(z - r)
                zone = zones[int(x + 0.5), int(y + 0.5), int(z + 0.5)]
                total = np.float32(0.0)
                fat = np.float32(0.0)
                for corner in range(8):
                    dp, dq, dr = corner >> 2, (corner >> 1) & 1, corner & 1
                    share = (fx if dp else 1 - fx) * (fy if dq else 1 - fy) * (fz if dr else 1 - fz)
                    label = labels[p + dp, q + dq, r + dr]
                    total += share * table[0, label]
                    fat += share * table[1, label]
                    if label == _CSF:
                        total += share * (
                            step_grey * grey[p + dp, q + dq, r + dr]
                            + step_white * white[p + dp, q + dq, r + dr]
                        ) * np.float32(1 / 255)  # fmt: skip
                at = (
                    min(p // SLOPE_STEP, last[0]),
                    min(q // SLOPE_STEP, last[1]),
                    min(r // SLOPE_STEP, last[2]),
                )
                kept = left[slopes[at]]
                out_water[i, j, k] = total * kept
                out_fat[i, j, k] = fat * kept
                out_zones[i, j, k] = zone


def pull(
    field: NDArray[np.float32],
    covered: NDArray[np.float32],
    anatomy: Anatomy,
    table: NDArray[np.floating],
    left: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Signals and zones of the anatomy through a coarse coordinate field.

    Parameters
    ----------
    field : (3, U, V, W) ndarray
        From `pull_back`.
    covered : (I, J, K) ndarray
        The grid; voxels without a positive value stay 0.
    anatomy : Anatomy
        What is sampled: tissues trilinearly, zones and field slopes at the nearest place.
    table : (2, len(Tissue)) ndarray
        Signals of the tissues' water and of their fat.
    left : (256,) ndarray
        What each step of the field's slope leaves of the signal.

    Returns
    -------
    water, fat, zones : (I, J, K) ndarray
        On the grid.
    """
    shape = covered.shape
    water_out, fat_out = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    zones_out = np.zeros(shape, np.uint8)
    _pull(
        field, covered, anatomy.labels, anatomy.zones, anatomy.grey, anatomy.white,
        anatomy.slopes, np.asarray(table, np.float32), left, water_out, fat_out, zones_out,
    )  # fmt: skip
    return water_out, fat_out, zones_out
