"""The skin: a closed, sub-voxel surface between head and air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from skimage.measure import marching_cubes

from faceblind.errors import ScanError
from faceblind.head.air import HeadMask, find_head, head_in_grid, usable_grid
from faceblind.head.grid import Grid, Volume, blur, regrid, resize
from faceblind.scan import Scan

__all__ = ["HeadMask", "Skin", "find_head", "find_skin"]

FINEST_MM = 0.9
"""Finer grids cost time and show only noise: faces carry no detail below about a millimetre."""
EDGE_VOXELS = 1.5
"""Vertices this near to the border of the field of view belong to a cap."""


@dataclass(frozen=True)
class Skin:
    """The outer surface of a head, closed by caps where the field of view cuts it.

    Parameters
    ----------
    points : (P, 3) float32 ndarray
        Vertices in scan RAS+ millimetres.
    faces : (F, 3) int32 ndarray
        Triangles, counter-clockwise seen from outside.
    normals : (P, 3) float32 ndarray
        Outward unit normals.
    edge : (P,) bool ndarray
        True on the caps.
    """

    points: NDArray[np.float32]
    faces: NDArray[np.int32]
    normals: NDArray[np.float32]
    edge: NDArray[np.bool_]


def find_skin(scan: Scan) -> Skin:
    """Find the skin of the head in a scan.

    Parameters
    ----------
    scan : Scan
        3-D, or 4-D of which the first volume is used. Any contrast and orientation.

    Returns
    -------
    Skin
        In scan RAS+ millimetres.

    Raises
    ------
    ScanError
        If nothing solid of a head's size stands out from the noise.
    """
    name = scan.source or "scan"
    grid = usable_grid(scan)
    head = head_in_grid(grid, name)
    fine, coverage, skin_level = _surface_grid(grid, head)
    field = _normalised(fine, coverage, skin_level, head)
    return _surface(field, name)


def _surface_grid(grid: Grid, head: HeadMask) -> tuple[Grid, Volume, Volume]:
    """Intensities, soft mask and skin level on the grid of the surface, cropped to the head."""
    spacing = grid.spacing
    target = np.clip(spacing, FINEST_MM, 1.6)
    target = np.where((spacing >= FINEST_MM) & (spacing <= 1.6), spacing, np.maximum(target, 1.0))
    fine = regrid(grid, target)
    soft = blur(head.mask.astype(np.float32), np.ones(3))
    coverage = resize(soft, fine.values.shape)
    level = resize(head.skin_level, fine.values.shape)
    return fine, coverage, level


def _normalised(fine: Grid, coverage: Volume, skin_level: Volume, head: HeadMask) -> Grid:
    """0 in air, 1 in tissue, whatever the coil and contrast; one half on the skin."""
    contrast = np.maximum(skin_level - head.air_level, 1e-3 * (head.tissue_level - head.air_level))
    field = (fine.values - np.float32(head.air_level)) / contrast
    np.clip(field, -0.5, 1.2, out=field)
    field = blur(field, 0.6 * np.ones(3))
    # Deep inside is tissue, far outside is air, whatever the intensities say.
    np.maximum(field, (coverage - 0.75) / 0.2, out=field)
    np.minimum(field, (coverage - 0.02) / 0.1, out=field)
    np.clip(field, 0, 1, out=field)
    return fine.like(field)


def _surface(field: Grid, name: str) -> Skin:
    """Half level of a normalised field, outer sheet only."""
    padded = np.pad(field.values, 1)
    points, faces, _, _ = marching_cubes(padded, 0.5, allow_degenerate=False)
    index = points - 1
    last = np.array(field.values.shape) - 1
    edge = ((index < EDGE_VOXELS - 0.5) | (index > last - EDGE_VOXELS + 0.5)).any(axis=1)
    world = index @ field.affine[:3, :3].T + field.affine[:3, 3]
    # skimage winds triangles towards higher values for right-handed grids.
    if np.linalg.det(field.affine[:3, :3]) > 0:
        faces = faces[:, ::-1]
    world, faces, edge = _outer_sheet(world, faces, edge)
    if len(faces) < 100:
        raise ScanError(f"{name}: no closed skin surface found; check that this is a head scan")
    return Skin(
        world.astype(np.float32),
        np.ascontiguousarray(faces, dtype=np.int32),
        _vertex_normals(world, faces),
        edge,
    )


def _outer_sheet(
    points: NDArray[np.float64], faces: NDArray[np.int32], edge: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.bool_]]:
    """The connected sheet with the most vertices; cavities and crumbs go."""
    n = len(points)
    ones = np.ones(2 * len(faces), bool)
    graph = sparse.coo_matrix((ones, (faces[:, :2].T.ravel(), faces[:, 1:].T.ravel())), (n, n))
    count, label = sparse.csgraph.connected_components(graph, directed=False)
    if count == 1:
        return points, faces, edge
    keep = label == np.bincount(label).argmax()
    new = np.cumsum(keep) - 1
    return points[keep], new[faces[keep[faces[:, 0]]]], edge[keep]


def _vertex_normals(points: NDArray[np.float64], faces: NDArray[np.int32]) -> NDArray[np.float32]:
    """Area-weighted means of the face normals."""
    a, b, c = (points[faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    flat = faces.T.ravel()
    total = np.stack(
        [np.bincount(flat, np.tile(cross[:, i], 3), len(points)) for i in range(3)], axis=1
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return (total / np.maximum(length, 1e-12)).astype(np.float32)
