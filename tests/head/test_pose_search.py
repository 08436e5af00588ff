"""The global search: rotations that cover everything, fields that lose nothing, known shifts."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from faceblind.head.pose_search import (
    CELL_MM,
    CELLS,
    SearchField,
    SearchTemplate,
    _turned,
    candidates,
    normal_field,
    orientations,
    tilts,
)
from faceblind.head.template import load_template


def degrees_to_nearest(turns: np.ndarray, tried: np.ndarray) -> np.ndarray:
    """(N,) angle from each of the (N, 3, 3) turns to the closest of the (M, 3, 3) tried ones."""
    trace = np.einsum("nij,mij->nm", turns, tried)
    return np.degrees(np.arccos(np.clip((trace.max(axis=1) - 1) / 2, -1, 1)))


def rotations(everywhere: bool) -> np.ndarray:
    """All that the search tries."""
    return np.einsum("aij,tjk->taik", orientations(everywhere), tilts()).reshape(-1, 3, 3)


def test_a_turned_field_is_the_field_of_turned_points() -> None:
    rng = np.random.default_rng(4)
    points, normals = rng.uniform(-100, 100, (200, 3)), rng.normal(size=(200, 3))
    field = normal_field(points, normals, np.zeros(3))
    for turn in orientations(True):
        other = normal_field(points @ turn, normals @ turn, np.zeros(3))
        np.testing.assert_allclose(_turned(field, turn), other, atol=1e-4)


@pytest.mark.parametrize(("everywhere", "count"), [(False, 27), (True, 648)])
def test_rotations_are_proper(everywhere: bool, count: int) -> None:
    tried = rotations(everywhere)
    assert tried.shape == (count, 3, 3)
    np.testing.assert_allclose(tried @ tried.transpose(0, 2, 1), [np.eye(3)] * count, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(tried), 1)


def test_rotations_cover_every_orientation() -> None:
    turns = Rotation.random(4000, random_state=0).as_matrix()
    nearest = degrees_to_nearest(turns, rotations(True))
    assert nearest.max() < 27
    assert np.median(nearest) < 20


def test_the_header_is_tried_first_and_its_neighbourhood_covered() -> None:
    tried = rotations(False)
    np.testing.assert_array_equal(tried[0], np.eye(3))
    rng = np.random.default_rng(0)
    ways = rng.normal(size=(2000, 3))
    ways *= np.deg2rad(rng.uniform(0, 45, (2000, 1))) / np.linalg.norm(ways, axis=1, keepdims=True)
    assert degrees_to_nearest(Rotation.from_rotvec(ways).as_matrix(), tried).max() < 27


def test_every_axis_orientation_is_tried() -> None:
    axes = Rotation.create_group("O").as_matrix()
    assert degrees_to_nearest(axes, rotations(True)).max() < 1e-5


def test_normal_field_keeps_the_sum_of_the_normals() -> None:
    rng = np.random.default_rng(0)
    points, normals = rng.uniform(-400, 400, (500, 3)), rng.normal(size=(500, 3))
    field = normal_field(points, normals, np.array([3.0, -7.0, 11.0]))
    assert field.shape == (3, CELLS, CELLS, CELLS)
    np.testing.assert_allclose(field.sum(axis=(1, 2, 3)), normals.sum(axis=0), atol=1e-3)


def test_normal_field_shares_a_point_among_its_cells() -> None:
    normal = np.array([[0.0, 0.0, 2.0]])
    field = normal_field(np.array([[10.0, 20.0, 32.5]]), normal, np.zeros(3))
    assert field[2, 1, 2, 3] == pytest.approx(1.5)
    assert field[2, 1, 2, 4] == pytest.approx(0.5)
    assert np.count_nonzero(field) == 2


def test_normal_field_wraps_around() -> None:
    point, normal = np.array([[12.0, 34.0, 56.0]]), np.array([[1.0, 0.0, 0.0]])
    around = point + CELLS * CELL_MM * np.array([1, -2, 0])
    np.testing.assert_allclose(
        normal_field(around, normal, np.zeros(3)), normal_field(point, normal, np.zeros(3))
    )


@pytest.mark.parametrize("everywhere", [False, True])
def test_the_best_candidate_is_within_a_step_of_the_truth(everywhere: bool) -> None:
    template = load_template()
    points, normals = template.points[::5], template.normals[::5]
    tilt = Rotation.from_rotvec(np.deg2rad([20.0, -15.0, 10.0])).as_matrix()
    turn = tilt @ Rotation.create_group("O").as_matrix()[7] if everywhere else tilt
    shift = np.array([35.0, -60.0, 110.0])
    skin = SearchField.of(points @ turn.T + shift, normals @ turn.T)
    poses, scores = candidates(
        skin, SearchTemplate.of(points, normals), everywhere=everywhere, keep=10
    )
    assert poses.shape == (10, 4, 4)
    assert (np.diff(scores) <= 0).all()
    turns = poses[:3, :3, :3]
    nearest = int(np.argmax(np.einsum("nij,ij->n", turns, turn)))
    assert degrees_to_nearest(turn[None], turns)[0] < 27
    # The middle of the head must come close; the origin of the template lies between the ears.
    middle = points.mean(axis=0)
    found = poses[nearest] @ [*middle, 1]
    assert np.linalg.norm(found[:3] - (turn @ middle + shift)) < 20


def test_a_sphere_has_no_best_rotation() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=85)
    points, normals = np.asarray(ball.vertices), np.asarray(ball.vertex_normals)
    template = load_template()
    _, scores = candidates(
        SearchField.of(points, normals),
        SearchTemplate.of(template.points[::5], template.normals[::5]),
        everywhere=False,
        keep=27,
    )
    assert scores[-1] > 0.75 * scores[0]
