"""Rotations are those of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy.spatial.transform import Rotation

from faceblind.geometry.transforms import (
    angle_degrees,
    applied,
    rotation_matrices,
    rotation_matrix,
)


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


def test_a_stack_of_maps_gives_what_each_gives_alone():
    random = np.random.default_rng(5)
    vectors = random.normal(size=(4, 2, 3))
    turns = rotation_matrices(vectors)
    np.testing.assert_array_equal(turns[3, 1], rotation_matrix(vectors[3, 1]))
    affines, points = random.normal(size=(4, 2, 4, 4)), random.normal(size=(50, 3))
    moved = applied(affines, points)
    assert moved.shape == (4, 2, 50, 3)
    np.testing.assert_allclose(moved[2, 0], apply_affine(affines[2, 0], points), atol=1e-13)
