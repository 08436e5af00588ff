"""Two scan converters over triangle meshes: pictures (z-buffer) and volumes (filled voxels).

Both are compiled once and cached by numba. Meshes wind counter-clockwise seen from outside.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[Any]


@numba.njit(cache=True, nogil=True)
def _z_buffer(
    screen: FloatArray, faces: FloatArray, face_id: FloatArray, bary: FloatArray, depth: FloatArray
) -> None:
    height, width = face_id.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        wa, wb, wc = screen[a, 2], screen[b, 2], screen[c, 2]
        if wa <= 0.0 or wb <= 0.0 or wc <= 0.0:
            continue
        xa, ya, xb, yb = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1]
        xc, yc = screen[c, 0], screen[c, 1]
        area = (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa)
        if area == 0.0:
            continue
        x0 = max(0, int(np.ceil(min(xa, xb, xc))))
        x1 = min(width - 1, int(np.floor(max(xa, xb, xc))))
        y0 = max(0, int(np.ceil(min(ya, yb, yc))))
        y1 = min(height - 1, int(np.floor(max(ya, yb, yc))))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                lb = ((x - xa) * (yc - ya) - (y - ya) * (xc - xa)) / area
                lc = ((xb - xa) * (y - ya) - (yb - ya) * (x - xa)) / area
                la = 1.0 - lb - lc
                if la < -1e-6 or lb < -1e-6 or lc < -1e-6:
                    continue
                w = la * wa + lb * wb + lc * wc
                if w > depth[y, x]:
                    depth[y, x] = w
                    face_id[y, x] = f
                    # Perspective-correct weights: screen weights times 1/z, renormalised.
                    bary[y, x, 0] = lb * wb / w
                    bary[y, x, 1] = lc * wc / w


def rasterise(
    screen: NDArray[np.floating], faces: NDArray[np.integer], height: int, width: int
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Draw a mesh into a z-buffer.

    Parameters
    ----------
    screen : (P, 3) ndarray
        Pixel x, pixel y (pixel centres are integers, y down) and inverse depth 1/z in 1/mm.
        Vertices with 1/z <= 0 are behind the camera; their triangles are skipped.
    faces : (F, 3) integer ndarray
        Vertex indices.
    height, width : int
        Picture size in pixels.

    Returns
    -------
    face_id : (height, width) int32 ndarray
        Nearest face, -1 where there is none.
    bary : (height, width, 2) float32 ndarray
        Perspective-correct weights of the second and third vertex.
    inverse_depth : (height, width) float32 ndarray
        1/z, 0 where there is no face.
    """
    face_id = np.full((height, width), -1, np.int32)
    bary = np.zeros((height, width, 2), np.float32)
    depth = np.zeros((height, width), np.float32)
    _z_buffer(
        np.ascontiguousarray(screen, np.float64), np.ascontiguousarray(faces, np.int32),
        face_id, bary, depth,
    )  # fmt: skip
    return face_id, bary, depth


@numba.njit(cache=True, nogil=True)
def _edge(points: FloatArray, p: int, q: int, x: float, y: float) -> float:
    # The lower index goes first, so that both triangles of an edge see exactly opposite values
    # and no column falls between them.
    if p < q:
        return (points[q, 0] - points[p, 0]) * (y - points[p, 1]) - (
            points[q, 1] - points[p, 1]
        ) * (x - points[p, 0])
    return -(
        (points[p, 0] - points[q, 0]) * (y - points[q, 1])
        - (points[p, 1] - points[q, 1]) * (x - points[q, 0])
    )


@numba.njit(cache=True, nogil=True)
def _crossings(
    points: FloatArray, faces: FloatArray, columns_i: int, columns_j: int, step: float,
    offset: float, start: FloatArray, at: FloatArray, sign: FloatArray, store: bool,
) -> None:  # fmt: skip
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        area = _edge(points, a, b, points[c, 0], points[c, 1])
        if area == 0.0:
            continue
        lo_i = min(points[a, 0], points[b, 0], points[c, 0])
        hi_i = max(points[a, 0], points[b, 0], points[c, 0])
        lo_j = min(points[a, 1], points[b, 1], points[c, 1])
        hi_j = max(points[a, 1], points[b, 1], points[c, 1])
        i0 = max(0, int(np.ceil((lo_i - offset) / step)))
        i1 = min(columns_i - 1, int(np.floor((hi_i - offset) / step)))
        j0 = max(0, int(np.ceil((lo_j - offset) / step)))
        j1 = min(columns_j - 1, int(np.floor((hi_j - offset) / step)))
        for i in range(i0, i1 + 1):
            x = offset + i * step
            for j in range(j0, j1 + 1):
                y = offset + j * step
                ea = _edge(points, b, c, x, y)
                eb = _edge(points, c, a, x, y)
                ec = _edge(points, a, b, x, y)
                if not ((ea > 0 and eb > 0 and ec > 0) or (ea < 0 and eb < 0 and ec < 0)):
                    continue
                column = i * columns_j + j
                if store:
                    k = (ea * points[a, 2] + eb * points[b, 2] + ec * points[c, 2]) / (ea + eb + ec)
                    slot = start[column]
                    at[slot] = k
                    # Seen from below, an outward face that points down is entered.
                    sign[slot] = -1 if area > 0 else 1
                start[column] += 1


@numba.njit(cache=True, nogil=True)
def _cover(
    start: FloatArray, at: FloatArray, sign: FloatArray, columns_j: int, s: int, out: FloatArray
) -> None:
    size_k = out.shape[2]
    weight = 1.0 / (s * s)
    for column in range(start.shape[0] - 1):
        first, last = start[column], start[column + 1]
        if last == first:
            continue
        order = np.argsort(at[first:last])
        i, j = (column // columns_j) // s, (column % columns_j) // s
        winding = 0
        entered = 0.0
        for n in range(last - first):
            before = winding
            winding += sign[first + order[n]]
            k = at[first + order[n]]
            if before <= 0 and winding > 0:
                entered = k
            elif before > 0 and winding <= 0:
                # Voxel k covers [k - 0.5, k + 0.5].
                lo, hi = max(entered + 0.5, 0.0), min(k + 0.5, float(size_k))
                cell = int(lo)
                while cell < hi:
                    out[i, j, cell] += weight * (min(hi, cell + 1.0) - max(lo, float(cell)))
                    cell += 1


def fill(
    points: NDArray[np.floating],
    faces: NDArray[np.integer],
    shape: tuple[int, int, int],
    subsamples: int = 2,
) -> NDArray[np.float32]:
    """How much of each voxel lies inside a closed mesh.

    A point is inside where the winding number is positive, so overlapping or slightly
    self-intersecting parts count as their union.

    Parameters
    ----------
    points : (P, 3) ndarray
        Vertices in voxel indices (voxel centres are integers).
    faces : (F, 3) integer ndarray
        Closed, oriented triangles.
    shape : tuple of int
        Volume shape (I, J, K).
    subsamples : int
        Columns per voxel along I and along J; exact along K.

    Returns
    -------
    (I, J, K) float32 ndarray
        Covered fraction, 0 to 1.
    """
    points = np.ascontiguousarray(points, np.float64)
    faces = np.ascontiguousarray(faces, np.int32)
    columns_i, columns_j = shape[0] * subsamples, shape[1] * subsamples
    step = 1.0 / subsamples
    # Off the lattice by an odd amount, so that no column runs through a vertex.
    offset = -0.5 + step / 2 + 1.37e-4
    start = np.zeros(columns_i * columns_j + 1, np.int64)
    none_k, none_s = np.zeros(1), np.zeros(1, np.int8)
    _crossings(points, faces, columns_i, columns_j, step, offset, start, none_k, none_s, False)
    ends = np.cumsum(start)
    start = np.concatenate([[0], ends[:-1]])
    at, sign = np.zeros(max(int(ends[-1]), 1)), np.zeros(max(int(ends[-1]), 1), np.int8)
    _crossings(points, faces, columns_i, columns_j, step, offset, start[:-1].copy(), at, sign, True)
    out = np.zeros(shape, np.float32)
    _cover(start, at, sign, columns_j, subsamples, out)
    return np.minimum(out, 1.0, out=out)


@numba.njit(cache=True, nogil=True)
def _sample(volume: FloatArray, x: float, y: float, z: float) -> float:
    # Trilinear, clamped at the border.
    x = min(max(x, 0.0), volume.shape[0] - 1.001)
    y = min(max(y, 0.0), volume.shape[1] - 1.001)
    z = min(max(z, 0.0), volume.shape[2] - 1.001)
    i, j, k = int(x), int(y), int(z)
    u, v, w = x - i, y - j, z - k
    low = (volume[i, j, k] * (1 - w) + volume[i, j, k + 1] * w) * (1 - v) + (
        volume[i, j + 1, k] * (1 - w) + volume[i, j + 1, k + 1] * w
    ) * v
    high = (volume[i + 1, j, k] * (1 - w) + volume[i + 1, j, k + 1] * w) * (1 - v) + (
        volume[i + 1, j + 1, k] * (1 - w) + volume[i + 1, j + 1, k + 1] * w
    ) * v
    return low * (1 - u) + high * u


@numba.njit(cache=True, nogil=True)
def sample(volume: FloatArray, index: FloatArray) -> FloatArray:
    """Trilinear values of an (I, J, K) volume at (N, 3) voxel indices, clamped at the border."""
    out = np.empty(index.shape[0], np.float32)
    for n in range(index.shape[0]):
        out[n] = _sample(volume, index[n, 0], index[n, 1], index[n, 2])
    return out


@numba.njit(cache=True, nogil=True)
def interpolate(
    values: FloatArray, faces: FloatArray, face_id: FloatArray, bary: FloatArray
) -> FloatArray:
    """Values (P, C) of the vertices at N drawn pixels: face ids (N,) and weights (N, 2)."""
    out = np.empty((face_id.shape[0], values.shape[1]), np.float32)
    for n in range(face_id.shape[0]):
        f = face_id[n]
        b, c = bary[n, 0], bary[n, 1]
        a = 1.0 - b - c
        for k in range(values.shape[1]):
            out[n, k] = (
                a * values[faces[f, 0], k] + b * values[faces[f, 1], k] + c * values[faces[f, 2], k]
            )
    return out


@numba.njit(cache=True, nogil=True)
def tilt(
    number: FloatArray, rows: FloatArray, columns: FloatArray, place: FloatArray,
    height: FloatArray, normal: FloatArray,
) -> FloatArray:  # fmt: skip
    """Tilt normals by a relief known per pixel (Mikkelsen 2010, surface gradient).

    `number` (H, W) holds each drawn pixel's place in the lists, -1 elsewhere; `place` (N, 3) is
    in mm, `height` (N,) in mm along the unit `normal` (N, 3).
    """
    out = normal.copy()
    for n in range(len(rows)):
        i, j = rows[n], columns[n]
        if i + 1 >= number.shape[0] or j + 1 >= number.shape[1]:
            continue
        r, b = number[i, j + 1], number[i + 1, j]
        if r < 0 or b < 0:
            continue
        ax, ay, az = place[r, 0] - place[n, 0], place[r, 1] - place[n, 1], place[r, 2] - place[n, 2]
        bx, by, bz = place[b, 0] - place[n, 0], place[b, 1] - place[n, 1], place[b, 2] - place[n, 2]
        # Across an outline the neighbours belong to other parts of the surface.
        if abs(ax) + abs(ay) + abs(az) > 4 or abs(bx) + abs(by) + abs(bz) > 4:
            continue
        x, y, z = normal[n, 0], normal[n, 1], normal[n, 2]
        first = (by * z - bz * y, bz * x - bx * z, bx * y - by * x)
        second = (y * az - z * ay, z * ax - x * az, x * ay - y * ax)
        area = ax * first[0] + ay * first[1] + az * first[2]
        sign = 1.0 if area > 0 else -1.0
        scale = sign / max(abs(area), 1e-4)
        da, db = height[r] - height[n], height[b] - height[n]
        total = 0.0
        for k in range(3):
            slope = (first[k] * da + second[k] * db) * scale
            out[n, k] = normal[n, k] - min(max(slope, -0.7), 0.7)
            total += out[n, k] ** 2
        total = np.sqrt(total)
        for k in range(3):
            out[n, k] /= total
    return out
