"""The lift's field, at places and on a grid."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from faceblind.protect.cut_lift import FADE_LOW_MM, lift_at, lift_on_grid


def test_the_field_is_the_same_left_and_right_and_fades_below_the_brow():
    rng = np.random.default_rng(0)
    lift = rng.integers(-6, 11, (3, 5)).astype(float)
    where = np.column_stack(
        [rng.uniform(-80, 80, 50), np.full(50, 60.0), rng.uniform(-60, 110, 50)]
    )
    there = lift_at(where, lift)
    np.testing.assert_allclose(lift_at(where * [-1, 1, 1], lift), there)
    assert not there[where[:, 2] < FADE_LOW_MM].any()
    np.testing.assert_allclose(lift_at(np.array([[40.0, 60.0, 52.0]]), lift), lift[1, 2])


def test_a_grid_holds_the_same_as_its_places():
    rng = np.random.default_rng(1)
    lift = rng.integers(-6, 11, (3, 5)).astype(float)
    affine = np.eye(4)
    affine[:3, :3] = 9.0 * Rotation.from_rotvec([0.1, -0.2, 0.05]).as_matrix()
    affine[:3, 3] = [-100.0, -90.0, -80.0]
    shape = (20, 21, 22)
    index = np.indices(shape).reshape(3, -1).T
    where = index @ affine[:3, :3].T + affine[:3, 3]
    found = lift_on_grid(affine, shape, lift)
    np.testing.assert_allclose(found.ravel(), lift_at(where, lift), atol=0.03)
    assert not lift_on_grid(affine, shape, np.zeros((3, 5))).any()
