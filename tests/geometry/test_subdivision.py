"""Loop subdivision: its weights, its counts and what it must leave alone."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from faceblind.geometry.subdivision import subdivision


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat square of (size, size) vertices with step 1; inner vertices have six neighbours."""
    x, y = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.zeros(size**2)], axis=1)
    number = np.arange(size**2).reshape(size, size)
    a, b, c, d = (q.ravel() for q in (number[:-1, :-1], number[1:, :-1], number[1:, 1:],
                                      number[:-1, 1:]))  # fmt: skip
    return points, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def edges_of(faces: np.ndarray) -> np.ndarray:
    return np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)


def directed(faces: np.ndarray) -> list[tuple[int, int]]:
    return [tuple(edge) for edge in faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).tolist()]


@pytest.mark.parametrize("closed", [False, True])
def test_counts_and_orientation(closed: bool) -> None:
    if closed:
        ball = trimesh.creation.icosphere(subdivisions=2)
        points, faces = np.asarray(ball.vertices), np.asarray(ball.faces)
    else:
        points, faces = grid(6)
    weights, new = subdivision(len(points), faces)
    assert weights.shape == (len(points) + len(edges_of(faces)), len(points))
    assert weights.dtype == np.float32
    assert new.shape == (4 * len(faces), 3)
    assert new.dtype == np.int32
    # Euler's characteristic stays, and each directed edge belongs to one triangle.
    before = len(points) - len(edges_of(faces)) + len(faces)
    assert weights.shape[0] - len(edges_of(new)) + len(new) == before == (2 if closed else 1)
    assert len(set(directed(new))) == 3 * len(new)
    if closed:
        assert set(directed(new)) == {(b, a) for a, b in directed(new)}


def test_weights_sum_to_one_and_are_positive() -> None:
    for points, faces in (grid(5), (np.zeros((4, 3)), np.array(
        [[0, 1, 2], [0, 2, 3], [0, 3, 1], [3, 2, 1]]
    ))):  # fmt: skip
        weights, _ = subdivision(len(points), faces)
        np.testing.assert_allclose(np.asarray(weights.sum(axis=1)).ravel(), 1, atol=1e-6)
        assert weights.data.min() >= 0


def test_a_plane_stays_a_plane_and_regular_vertices_stay_put() -> None:
    points, faces = grid(6)
    weights, new = subdivision(len(points), faces)
    moved = weights @ points
    assert np.abs(moved[:, 2]).max() == 0
    inner = ((points[:, :2] > 0) & (points[:, :2] < 5)).all(axis=1)
    np.testing.assert_allclose(moved[: len(points)][inner], points[inner], atol=1e-6)
    a, b, c = (moved[new[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_weights_of_a_regular_vertex_and_of_its_edges() -> None:
    points, faces = grid(5)
    weights, _ = subdivision(len(points), faces)
    row = weights[12].toarray().ravel()
    assert row[12] == pytest.approx(10 / 16)
    assert sorted(row[row > 0])[:6] == pytest.approx([1 / 16] * 6)
    edge = len(points) + np.flatnonzero((edges_of(faces) == [12, 13]).all(axis=1))[0]
    row = weights[edge].toarray().ravel()
    assert row[[12, 13]] == pytest.approx([3 / 8, 3 / 8])
    assert sorted(row[row > 0])[:2] == pytest.approx([1 / 8, 1 / 8])


def test_extraordinary_vertices_use_warren_s_weights() -> None:
    tetrahedron = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [3, 2, 1]])
    weights = subdivision(4, tetrahedron)[0].toarray()
    np.testing.assert_allclose(weights[0], [7 / 16, 3 / 16, 3 / 16, 3 / 16], atol=1e-6)
    octahedron = np.asarray(trimesh.creation.icosahedron().faces)
    row = subdivision(12, octahedron)[0].toarray()[0]
    assert row[0] == pytest.approx(1 - 3 / 8)
    assert sorted(row[row > 0])[:5] == pytest.approx([3 / 40] * 5)


def test_borders_follow_their_own_curve() -> None:
    points, faces = grid(5)
    weights = subdivision(len(points), faces)[0].toarray()
    row = weights[2]
    assert row[[1, 2, 3]] == pytest.approx([1 / 8, 3 / 4, 1 / 8])
    assert np.count_nonzero(row) == 3
    edge = len(points) + np.flatnonzero((edges_of(faces) == [1, 2]).all(axis=1))[0]
    assert weights[edge][[1, 2]] == pytest.approx([1 / 2, 1 / 2])
    assert np.abs((weights @ points)[[1, 2, 3], 0]).max() == 0


def test_a_sphere_stays_round() -> None:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=50)
    points, faces = np.asarray(ball.vertices), np.asarray(ball.faces)
    for _ in range(2):
        weights, faces = subdivision(len(points), faces)
        points = weights @ points
    radius = np.linalg.norm(points, axis=1)
    assert np.ptp(radius) < 0.15
    assert radius.mean() == pytest.approx(50, abs=0.5)
