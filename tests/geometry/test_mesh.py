"""Mesh helpers on spheres and boxes, where areas, normals and volumes are known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from faceblind.errors import FaceblindError
from faceblind.geometry.mesh import check_mesh, checked_normals, crop, largest_component, smooth


def sphere(radius: float = 50.0, subdivisions: int = 4) -> tuple[np.ndarray, np.ndarray]:
    ball = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return ball.vertices.astype(np.float32), ball.faces.astype(np.int32)


def volume(points: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (points[faces[:, k]].astype(float) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def test_vertex_normals_of_a_sphere_point_outwards() -> None:
    points, faces = sphere()
    normals = checked_normals(points, faces)
    cosine = (normals * points / 50).sum(axis=1)
    assert cosine.min() > 0.9995


def test_vertex_normals_of_a_lone_vertex_are_zero() -> None:
    points = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0], [9, 9, 9]])
    normals = checked_normals(points, [[0, 1, 2]])
    np.testing.assert_array_equal(normals[:3], [[0, 0, 1]] * 3)
    np.testing.assert_array_equal(normals[3], [0, 0, 0])


def test_smooth_removes_noise_and_keeps_the_volume() -> None:
    points, faces = sphere(subdivisions=5)
    noise = np.random.default_rng(0).normal(0, 0.5, len(points)).astype(np.float32)
    noisy = points * (1 + noise / 50)[:, None]
    calm = smooth(noisy, faces, iterations=30, passband=0.1)
    rough = np.std(np.linalg.norm(calm, axis=1))
    assert rough < 0.4 * noise.std()
    assert volume(calm, faces) == pytest.approx(volume(points, faces), rel=2e-3)


@pytest.mark.parametrize("iterations", [20, 100])
def test_smooth_keeps_a_clean_sphere_where_it_is(iterations: int) -> None:
    points, faces = sphere()
    calm = smooth(points + np.float32(300), faces, iterations, passband=0.1) - 300
    np.testing.assert_allclose(np.linalg.norm(calm, axis=1), 50, rtol=5e-3)


def test_smooth_does_not_pull_an_open_border_inwards() -> None:
    points, faces = sphere(subdivisions=5)
    half, faces, _ = crop(points, faces, points[:, 2] > -1e-3)
    calm = smooth(half, faces, iterations=50, passband=0.1)
    rim = half[:, 2] < 1e-3
    assert rim.sum() > 100
    assert np.abs(np.linalg.norm(calm[rim], axis=1) - 50).max() < 0.1


def test_smooth_without_iterations_returns_the_points() -> None:
    points, faces = sphere(subdivisions=1)
    np.testing.assert_array_equal(smooth(points, faces, iterations=0), points)


@pytest.mark.parametrize(("iterations", "passband"), [(-1, 0.1), (5, 0.0), (5, 2.5)])
def test_smooth_refuses_parameters_out_of_range(iterations: int, passband: float) -> None:
    points, faces = sphere(subdivisions=1)
    with pytest.raises(FaceblindError, match="passband"):
        smooth(points, faces, iterations, passband)


def test_crop_keeps_whole_faces_and_tells_where_vertices_came_from() -> None:
    points, faces = sphere()
    keep = points[:, 2] > 0
    part, part_faces, index = crop(points, faces, keep)
    np.testing.assert_array_equal(part, points[index])
    assert keep[index].all()
    assert len(part_faces) == keep[faces].all(axis=1).sum()
    np.testing.assert_array_equal(np.unique(part_faces), np.arange(len(part)))
    with pytest.raises(FaceblindError, match="no face is left"):
        crop(points, faces, np.zeros(len(points), bool))
    with pytest.raises(FaceblindError, match="expected keep of shape"):
        crop(points, faces, [True])


def test_largest_component_drops_the_smaller_ball() -> None:
    big, big_faces = sphere()
    small, small_faces = sphere(5, 2)
    points = np.vstack([small + np.float32(200), big])
    faces = np.vstack([small_faces, big_faces + len(small)])
    kept, kept_faces, index = largest_component(points, faces)
    np.testing.assert_array_equal(kept, big)
    np.testing.assert_array_equal(kept_faces, big_faces)
    np.testing.assert_array_equal(index, np.arange(len(small), len(points)))


@pytest.mark.parametrize(
    ("points", "faces", "message"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3), int), "the mesh is empty"),
        (np.zeros((4, 3)), np.zeros((0, 3), int), "the mesh is empty"),
        (np.zeros((4, 2)), np.zeros((1, 3), int), "points of shape"),
        (np.zeros((4, 3)), np.zeros((1, 4), int), "faces of shape"),
        (np.full((4, 3), np.nan), np.zeros((1, 3), int), "not finite"),
        (np.zeros((4, 3)), np.array([[0, 1, 4]]), "there are 4 vertices"),
        (np.zeros((4, 3)), np.array([[0, 1, -1]]), "there are 4 vertices"),
    ],
)
def test_malformed_meshes_are_refused(points: np.ndarray, faces: np.ndarray, message: str) -> None:
    with pytest.raises(FaceblindError, match=message):
        check_mesh(points, faces)
