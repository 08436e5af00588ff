from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from faceblind.geometry.triangles import boundary_edges, face_normals, vertex_areas, vertex_normals

SQUARE = np.array([[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]], float)
HALVES = np.array([[0, 1, 2], [0, 2, 3]])
TETRAHEDRON = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [0, 0, 3]], float)
CLOSED = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def test_the_border_of_a_square_is_its_outline_and_not_its_diagonal() -> None:
    found = {tuple(edge) for edge in boundary_edges(HALVES).tolist()}
    assert found == {(0, 1), (1, 2), (2, 3), (3, 0)}


def test_a_closed_mesh_has_no_border() -> None:
    assert boundary_edges(CLOSED).shape == (0, 2)


def test_a_normal_points_outwards_and_is_twice_the_area_long() -> None:
    assert_allclose(face_normals(SQUARE, HALVES), [[0, 0, 4], [0, 0, 4]])


def test_face_normals_keep_the_number_type() -> None:
    assert face_normals(SQUARE.astype(np.float32), HALVES).dtype == np.float32


@given(st.integers(0, 2**32 - 1))
def test_face_normals_are_numpys_cross_products(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, faces = rng.normal(size=(9, 3)), rng.integers(0, 9, (12, 3))
    a, b, c = (points[faces[:, k]] for k in range(3))
    assert_allclose(face_normals(points, faces), np.cross(b - a, c - a), atol=1e-12)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_a_corner_weighs_its_faces_by_area(precision: type) -> None:
    """At the origin three equal right triangles meet, whose normals are the negative axes."""
    normals = vertex_normals(TETRAHEDRON, CLOSED, precision)
    assert_allclose(normals[0], -np.ones(3) / np.sqrt(3.0), atol=1e-6)
    # Those along -y and -z (4.5 mm² each) and the slope, whose cross product is (9, 9, 9).
    total = np.array([9.0, 9.0 - 9.0, 9.0 - 9.0])
    assert_allclose(normals[1], total / np.linalg.norm(total), atol=1e-6)


def test_a_vertex_without_a_face_has_no_normal_and_no_area() -> None:
    points = np.vstack([SQUARE, [9.0, 9.0, 9.0]])
    assert_allclose(vertex_normals(points, HALVES)[4], 0.0)
    assert vertex_areas(points, HALVES)[4] == 0.0


def slow_areas(points: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    out = np.zeros(len(points))
    for triangle in faces:
        a, b, c = points[triangle]
        for vertex in triangle:
            out[vertex] += np.linalg.norm(np.cross(b - a, c - a)) / 6.0
    return out


def test_vertex_areas_share_out_the_whole_surface() -> None:
    areas = vertex_areas(TETRAHEDRON, CLOSED)
    assert_allclose(areas, slow_areas(TETRAHEDRON, CLOSED))
    assert_allclose(areas.sum(), 3 * 4.5 + np.sqrt(3.0) / 4.0 * 18.0)
