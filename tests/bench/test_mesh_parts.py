"""Heads taken apart are put together again, and each part moves what it should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="module")
def parts(script):
    with pytest.MonkeyPatch.context() as patch:
        # The bench's scripts import one another by name.
        patch.syspath_prepend(str(Path(__file__).parents[2] / "bench"))
        return script("bench/mesh_parts.py")


@pytest.fixture
def points() -> np.ndarray:
    """(Q, 3) an even grid on a wall, template heights -140 to 140 mm."""
    across, up = np.meshgrid(np.arange(-80.0, 81.0, 4.0), np.arange(-140.0, 141.0, 4.0))
    return np.stack([across.ravel(), np.full(across.size, 60.0), up.ravel()], axis=1)


@pytest.fixture
def inside(points) -> np.ndarray:
    """(Q,) the region is a disc of 60 mm around the middle."""
    return 60.0 - np.hypot(points[:, 0], points[:, 2])


@pytest.fixture
def heads(parts, points):
    """Five people: one wall each, bent by noise, set upright with a turn of its own."""
    rng = np.random.default_rng(3)
    shapes = points + rng.normal(size=(5, *points.shape))
    turns = Rotation.from_euler("x", rng.normal(size=(5, 1))).as_matrix()
    to_face = np.tile(np.eye(4), (5, 1, 1))
    to_face[:, :3, :3] = np.linalg.inv(turns)
    to_face[:, :3, 3] = rng.normal(size=(5, 3))
    upright = (shapes - to_face[:, None, :3, 3]) @ turns.transpose(0, 2, 1)
    return parts.in_common_frame(upright, to_face), shapes, turns


def at(points: np.ndarray, across: float, up: float) -> int:
    return int(np.hypot(points[:, 0] - across, points[:, 2] - up).argmin())


def test_the_place_of_the_new_face_is_the_common_frame(heads):
    found, shapes, turns = heads
    np.testing.assert_allclose(found.shapes, shapes, atol=1e-9)
    np.testing.assert_allclose(found.upright, turns, atol=1e-9)


def test_parts_are_where_they_are_named_and_add_up_to_one(parts, points, inside):
    weights = parts.weights_of(points, inside)
    np.testing.assert_allclose(sum(weights.values()), 1.0)
    for name, across, up in (
        ("face", 0, 0), ("rim", 52, 0), ("forehead", 0, 100), ("back", 76, 0), ("neck", 0, -120),
    ):  # fmt: skip
        assert weights[name][at(points, across, up)] > 0.6, name


def test_all_parts_together_are_the_person(parts, points, inside, heads):
    found, shapes, turns = heads
    weights = parts.weights_of(points, inside)
    marks = np.array([at(points, 8 * n, 0) for n in range(5)])
    mixed, places = parts.with_own(found, weights, marks, parts.PARTS)
    whole = shapes @ turns.transpose(0, 2, 1)
    np.testing.assert_allclose(mixed, whole, atol=1e-9)
    np.testing.assert_allclose(places, whole[:, marks], atol=1e-9)


def test_without_a_part_everybody_has_the_mean_there(parts, points, inside, heads):
    found, shapes, _ = heads
    weights = parts.weights_of(points, inside)
    marks = np.array([at(points, 8 * n, 0) for n in range(5)])
    mixed, places = parts.with_own(found, weights, marks, ("forehead",))
    face, vault = at(points, 0, 0), at(points, 0, 100)
    assert np.ptp(mixed[:, face], axis=0).max() < 1e-9
    assert np.ptp(places, axis=0).max() < 1e-9
    turn = found.upright.mean(axis=0)
    np.testing.assert_allclose(mixed[:, vault], shapes[:, vault] @ turn.T, atol=1e-9)


def test_behind_the_front_the_new_face_is_ears(parts, points, inside):
    middle = at(points, 0, 0)
    weights = parts.weights_of(points - [0.0, 60.0, 0.0], inside)
    assert weights["ears"][middle] == 1.0
    assert weights["face"].max() == 0.0
