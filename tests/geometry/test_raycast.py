"""Rays against a plane and a sphere, where the answer is a formula."""

from __future__ import annotations

import numpy as np
import trimesh

from faceblind.geometry.raycast import first_hits, first_hits_near


def test_a_plane_at_an_angle() -> None:
    points = np.float32([[-100, -100, 5], [100, -100, 5], [100, 100, 5], [-100, 100, 5]])
    faces = np.int32([[0, 1, 2], [0, 2, 3]])
    ways = np.float32([[0, 0, 1], [0.6, 0, 0.8], [0, -0.8, 0.6], [1, 0, 0], [0, 0, -1]])
    distance, face = first_hits(points, faces, np.zeros_like(ways), ways)
    np.testing.assert_allclose(distance[:3], [5, 5 / 0.8, 5 / 0.6], rtol=1e-5)
    assert np.isinf(distance[3:]).all()
    np.testing.assert_array_equal(face[3:], [-1, -1])
    assert set(face[:3]) <= {0, 1}
    assert distance.dtype == np.float32
    assert face.dtype == np.int64


def test_which_triangle_is_met() -> None:
    points = np.float32([[-9, -9, 5], [9, -9, 5], [9, 9, 5], [-9, 9, 5]])
    faces = np.int32([[0, 1, 2], [0, 2, 3]])
    origins = np.float32([[4, -4, 0], [-4, 4, 0]])
    _, face = first_hits(points, faces, origins, np.float32([[0, 0, 1]] * 2))
    np.testing.assert_array_equal(face, [0, 1])


def test_a_sphere_from_outside_and_inside() -> None:
    ball = trimesh.creation.icosphere(subdivisions=5, radius=50)
    points, faces = ball.vertices.astype(np.float32), ball.faces.astype(np.int32)
    rng = np.random.default_rng(0)
    ways = rng.normal(size=(500, 3))
    ways = (ways / np.linalg.norm(ways, axis=1, keepdims=True)).astype(np.float32)
    side = np.cross(ways, [0.3, 0.5, 0.8])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    offset = rng.uniform(0, 45, (500, 1))
    origins = (offset * side - 100 * ways).astype(np.float32)
    distance, face = first_hits(points, faces, origins, ways)
    half = np.sqrt(50**2 - offset.ravel() ** 2)
    np.testing.assert_allclose(distance, 100 - half, atol=0.15)
    # The front is met, not the back: the triangle faces the ray.
    assert ((ball.face_normals[face] * ways).sum(axis=1) < 0).all()
    inside, _ = first_hits(points, faces, np.zeros_like(ways), ways)
    np.testing.assert_allclose(inside, 50, atol=0.1)
    beside, missed = first_hits(points, faces, (60 * side).astype(np.float32), ways)
    assert np.isinf(beside).all()
    assert (missed == -1).all()


def test_near_hits_are_the_first_hits_of_the_whole_mesh() -> None:
    """Also of large triangles, of rays that meet nothing within reach, and of no rays at all."""
    ball = trimesh.creation.icosphere(subdivisions=5, radius=80)
    inner = trimesh.creation.icosphere(subdivisions=1, radius=20)
    inner.apply_translation([60.0, 0.0, 0.0])
    points = np.concatenate([ball.vertices, inner.vertices]).astype(np.float32)
    faces = np.concatenate([ball.faces, inner.faces + len(ball.vertices)]).astype(np.int32)
    rng = np.random.default_rng(2)
    ways = np.array([1.0, 0.0, 0.0]) + rng.normal(0.0, 0.4, (300, 3))
    ways = (ways / np.linalg.norm(ways, axis=1, keepdims=True)).astype(np.float32)
    for origins in (-90.0 * ways, np.zeros_like(ways), 90.0 * ways):
        start = (origins + rng.uniform(-8, 8, origins.shape)).astype(np.float32)
        distance, face = first_hits(points, faces, start, ways)
        for reach in (5.0, 30.0, 70.0, 500.0):
            near, met = first_hits_near(points, faces, start, ways, reach)
            within = distance <= reach
            np.testing.assert_array_equal(near, np.where(within, distance, np.inf))
            np.testing.assert_array_equal(met, np.where(within, face, -1))
    none = np.zeros((0, 3), np.float32)
    assert first_hits_near(points, faces, none, none, 9.0)[0].shape == (0,)
