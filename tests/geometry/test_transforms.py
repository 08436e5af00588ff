"""Rotations are those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from faceblind.geometry.transforms import angle_degrees, rotation_matrix


@pytest.mark.parametrize("size", [0.0, 1e-6, 1e-3, 0.1, 3.0, 50.0])
def test_a_rotation_by_a_vector_is_that_of_scipy(size):
    for vector in np.random.default_rng(4).normal(size=(50, 3)) * size:
        expected = Rotation.from_rotvec(vector).as_matrix()
        # Equal on x86-64; compilers for other processors may join products and sums.
        np.testing.assert_allclose(rotation_matrix(vector), expected, rtol=0, atol=1e-15)


def test_a_quarter_turn_about_z_takes_x_to_y():
    turn = rotation_matrix(np.array([0.0, 0.0, np.pi / 2]))
    np.testing.assert_allclose(turn @ [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], atol=1e-15)
    moved = np.eye(4)
    moved[:3, :3] = turn
    assert angle_degrees(moved, np.eye(4)) == pytest.approx(90.0)
