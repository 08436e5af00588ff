import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.volunteers.people.face_distances import apart, distances
from faceblind.volunteers.people.shape import sample_person


def turned(points, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return points @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T


def test_distance_leaves_out_pose_but_not_size_or_mirroring():
    rng = np.random.default_rng(0)
    face = rng.normal(0, 30, (200, 3))
    moved = turned(face + np.array([9, 3, -2]), 40)
    shapes = np.stack([face, moved, 1.1 * face, face * [-1, 1, 1]])
    found = apart(shapes)
    size = np.sqrt(((face - face.mean(axis=0)) ** 2).sum(axis=1).mean())
    pairs = dict(zip([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], found.pairs, strict=True))
    assert pairs[0, 1] == pytest.approx(0, abs=1e-5)
    assert pairs[0, 2] == pytest.approx(0.1 * size, rel=1e-6)
    assert pairs[0, 3] > 10
    assert found.twins == (0, 1)
    assert found.smallest == pytest.approx(0, abs=1e-5)
    assert found.closest[2] == pytest.approx(0.1 * size, rel=1e-6)


def test_people_of_two_seeds_are_never_alike():
    people = [sample_person(seed, index) for seed in (1, 2) for index in range(50)]
    found = distances(people)
    # A head of the same person five years later differs by about 0.4 mm.
    assert found.smallest > 1.5
    summary = found.quantiles()
    assert 4 < summary["median"] < 6
    assert summary["smallest"] < summary["5 %"] < summary["median"] < summary["95 %"] < 10
    with pytest.raises(FaceblindError, match="two people"):
        distances(people[:1])
