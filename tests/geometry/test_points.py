from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import cKDTree

from faceblind.geometry import long_runs
from faceblind.geometry.points import thin, tree_of, unique_rows


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


@given(st.integers(0, 2**32 - 1))
def test_rows_are_told_apart_as_numpy_does(seed: int) -> None:
    rows = np.random.default_rng(seed).integers(-3, 4, (80, 3))
    assert_array_equal(unique_rows(rows), np.unique(rows, axis=0))
    assert unique_rows(rows[:0]).shape == (0, 3)


@pytest.fixture(params=["scipy", "compiled"])
def planted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways that a process may look points up."""
    monkeypatch.setattr(long_runs, "PAYS_AFTER", 0 if request.param == "compiled" else 1 << 60)


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("count", [1, 12, 13, 700])
def test_the_tree_finds_the_closest_point_from_near_and_from_afar(count: int) -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(0.0, 50.0, (count, 3))
    places = np.concatenate([points[:40] + 0.1, rng.normal(0.0, 300.0, (40, 3))])
    apart = np.linalg.norm(places[:, None] - points[None], axis=2)
    distance, nearest = tree_of(points).query(places)
    assert_array_equal(nearest, apart.argmin(axis=1))
    assert_allclose(distance, apart.min(axis=1))


@pytest.mark.usefixtures("planted")
def test_a_tree_refuses_places_that_are_nowhere() -> None:
    with pytest.raises(ValueError, match="finite"):
        tree_of(np.eye(3)).query(np.array([[0.0, np.nan, 0.0]]))


@pytest.mark.parametrize("seed", range(4))
def test_compiled_trees_give_the_bits_of_scipys(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    # A sheet, in rows, as skin is; and points that share coordinates.
    points = np.stack([*np.indices((60, 50)).reshape(2, -1), rng.normal(0.0, 2.0, 3000)], axis=1)
    places = (points * 1.02 + rng.normal(0.0, 4.0, points.shape)).astype(np.float32)
    monkeypatch.setattr(long_runs, "PAYS_AFTER", 0)
    tree = tree_of(points)
    assert type(tree).__name__ == "_CompiledTree"
    distance, nearest = tree.query(places)
    expected, row = cKDTree(points).query(places)
    assert_array_equal(distance, expected)
    assert_array_equal(nearest, row)
