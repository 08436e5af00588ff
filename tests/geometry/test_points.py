from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from faceblind.geometry.points import thin


def test_the_first_point_of_each_cube_stays() -> None:
    points = np.array([[0.0, 0, 0], [0.9, 0, 0], [1.1, 0, 0], [0.5, 0.5, 0.5], [1.2, 3.0, 0]])
    assert_array_equal(thin(points, 1.0), [0, 2, 4])


def test_the_origin_moves_the_cubes() -> None:
    points = np.array([[0.0, 0, 0], [0.9, 0, 0], [1.1, 0, 0]])
    assert_array_equal(thin(points, 1.0, np.array([0.5, 0.0, 0.0])), [0, 1])


def test_no_points_give_none() -> None:
    assert thin(np.zeros((0, 3)), 2.0).shape == (0,)


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 8.0))
def test_it_is_what_a_dictionary_of_cubes_keeps(seed: int, step: float) -> None:
    points = np.random.default_rng(seed).normal(0.0, 6.0, (60, 3))
    first: dict[tuple[int, ...], int] = {}
    for i, cell in enumerate(np.floor((points - points.min(axis=0)) / step).astype(int)):
        first.setdefault(tuple(cell), i)
    assert_array_equal(thin(points, step), sorted(first.values()))
