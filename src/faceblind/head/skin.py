"""The skin: a closed, sub-voxel surface between head and air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import sparse
from skimage.measure import marching_cubes

from faceblind.errors import ScanError
from faceblind.geometry.grid import Grid
from faceblind.geometry.triangles import vertex_normals
from faceblind.head.error_context import about
from faceblind.head.segmentation import HeadMask, head_in_grid, usable_grid
from faceblind.head.skin_field import skin_field
from faceblind.scan import Scan

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


def find_skin(scan: Scan, head: HeadMask | None = None) -> Skin:
    """Find the skin of the head in a scan.

    Parameters
    ----------
    scan : Scan
        3-D, or 4-D of which the first volume is used. Any contrast and orientation.
    head : HeadMask, optional
        What `find_head` gave for the same scan, where it is known already.

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
    with about(scan):
        grid = usable_grid(scan)
        return skin_of_field(skin_field(grid, head or head_in_grid(grid, name)), name)


def skin_of_field(field: Grid, name: str) -> Skin:
    """Half level of a normalised field, outer sheet only."""
    padded = np.pad(field.values, 1)
    points, faces, _, _ = marching_cubes(padded, 0.5, allow_degenerate=False)
    index = points - 1
    last = np.array(field.values.shape) - 1
    edge = ((index < EDGE_VOXELS - 0.5) | (index > last - EDGE_VOXELS + 0.5)).any(axis=1)
    world = apply_affine(field.affine, index)
    # skimage winds triangles towards higher values for right-handed grids.
    if np.linalg.det(field.affine[:3, :3]) > 0:
        faces = faces[:, ::-1]
    world, faces, edge = _outer_sheet(world, faces, edge)
    if len(faces) < 100:
        raise ScanError(f"{name}: no closed skin surface found; check that this is a head scan")
    return Skin(
        world.astype(np.float32),
        np.ascontiguousarray(faces, dtype=np.int32),
        vertex_normals(world, faces),
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
