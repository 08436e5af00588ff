from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from faceblind.errors import FaceblindError
from faceblind.head.template import load_template
from faceblind.identification.surface_match import Shape, compare, kept_vertices


def people(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    template = load_template()
    few = kept_vertices()
    return np.stack(
        [template.shape(rng.normal(size=len(template.modes)))[few] for _ in range(count)]
    )


def shapes(points: np.ndarray, rng: np.random.Generator, noise: float, bias: float) -> list[Shape]:
    """The same people in another pose, with noise and with an error that all share."""
    shared = bias * load_template().normals[kept_vertices()]
    found = []
    for one in points:
        turn = Rotation.from_rotvec(rng.normal(0, 0.03, 3)).as_matrix()
        moved = (one + shared + rng.normal(0, noise, one.shape)) @ turn.T + rng.normal(0, 3, 3)
        found.append(Shape(moved.astype(np.float32), np.ones(len(one), np.float32)))
    return found


def test_people_find_themselves_through_noise_pose_and_a_shared_offset():
    rng = np.random.default_rng(0)
    points = people(8, 1)
    scores = compare(shapes(points, rng, 0.7, 0.0), shapes(points, rng, 0.7, 1.5))
    assert (scores.argmax(axis=1) == np.arange(8)).all()
    assert np.diag(scores).min() > 0.5
    assert np.abs(scores).max() <= 1.0 + 1e-9


def test_where_skin_is_missing_nothing_is_said():
    rng = np.random.default_rng(0)
    points = people(3, 2)
    side = shapes(points, rng, 0.5, 0.0)
    bare = [Shape(one.points, np.zeros_like(one.trust)) for one in side]
    assert (compare(bare, side) == 0).all()


def test_one_head_has_no_average():
    side = shapes(people(2, 3), np.random.default_rng(0), 0.5, 0.0)
    with pytest.raises(FaceblindError, match="two or more people"):
        compare(side[:1], side)


def test_forehead_and_temples_alone_say_nothing():
    """Faces of one shape below heads of many: what protection must leave must not link them."""
    rng = np.random.default_rng(4)
    heads = people(12, 5)
    average = load_template().points[kept_vertices()]
    own = (average[:, 2] > 48) | (average[:, 1] < 24)
    replaced = np.where(own[:, None], heads, average)
    scores = compare(shapes(replaced, rng, 0.3, 0.0), shapes(heads, rng, 0.3, 0.0))
    rank = (scores > np.diag(scores)[:, None]).sum(axis=1)
    assert (rank == 0).sum() <= 3
    assert 0.25 < rank.mean() / 11 < 0.75
