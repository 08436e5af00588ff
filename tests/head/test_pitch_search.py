from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from numpy.testing import assert_allclose

from faceblind.head.brain_cover import PIVOT
from faceblind.head.pitch_search import nearest_minimum, pitch_step

MIDDLE = np.asarray(PIVOT, float)


def test_a_positive_pitch_lifts_what_lies_in_front() -> None:
    """Rotation about +x (right): from anterior (+y) to superior (+z)."""
    ahead = MIDDLE + np.array([0.0, 10.0, 0.0])
    assert_allclose(
        apply_affine(pitch_step(np.array([90.0, 0.0, 0.0])), ahead),
        MIDDLE + np.array([0.0, 0.0, 10.0]),
        atol=1e-9,
    )


def test_the_pivot_only_goes_forwards_and_up() -> None:
    moved = apply_affine(pitch_step(np.array([17.0, 3.0, -4.0])), MIDDLE)
    assert_allclose(moved, MIDDLE + np.array([0.0, 3.0, -4.0]), atol=1e-9)


def test_no_step_moves_nothing() -> None:
    assert_allclose(pitch_step(np.zeros(3)), np.eye(4), atol=1e-12)


def test_the_minimum_of_a_bowl_is_found() -> None:
    wanted = np.array([4.0, -2.0, 1.5])
    found = nearest_minimum(lambda step: float(((step - wanted) ** 2).sum()), np.zeros(3), 3.0)
    assert_allclose(found, wanted, atol=0.15)


def test_of_two_minima_the_near_one_is_found() -> None:
    def cost(step: np.ndarray) -> float:
        return float(min((step[0] - 2.0) ** 2, (step[0] + 20.0) ** 2 - 5.0) + (step[1:] ** 2).sum())

    assert_allclose(nearest_minimum(cost, np.zeros(3), 1.0)[0], 2.0, atol=0.15)
