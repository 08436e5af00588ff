"""Values between voxels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from faceblind.geometry import long_runs
from faceblind.geometry.interpolation import trilinear, trilinear_at, trilinear_on_grid

SHAPE = (9, 14, 11)


@pytest.fixture(autouse=True, params=["numpy", "compiled"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways that a process may look values up."""
    monkeypatch.setattr(long_runs, "_done", 0)
    monkeypatch.setattr(long_runs, "PAYS_AFTER", 0 if request.param == "compiled" else 1 << 60)
    assert (long_runs.kernels() is not None) == (request.param == "compiled")
    return str(request.param)


@pytest.mark.parametrize("count", [20, 5000])
def test_same_bits_as_scipy_up_to_the_last_voxel(count: int) -> None:
    rng = np.random.default_rng(3)
    values = rng.standard_normal(SHAPE).astype(np.float32)
    last = np.array(SHAPE)[:, None] - 1.0
    index = rng.random((3, count)) * last
    index[:, :8] = last * [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1] * 2, [0, 1] * 4]
    index[:, 8:14] = np.floor(index[:, 8:14])
    found = trilinear(values, index)
    expected = ndimage.map_coordinates(values, index, order=1, mode="nearest")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    assert found[7] == values[-1, -1, -1]
    assert found[1] == values[0, 0, -1]


@pytest.mark.parametrize("count", [20, 50_000])
def test_places_beyond_the_border_have_the_same_bits_as_scipys(count: int) -> None:
    rng = np.random.default_rng(5)
    values = rng.standard_normal(SHAPE).astype(np.float32)
    index = rng.uniform(-6.0, 20.0, (3, count))
    index[:, 3] = (0.0, -0.0, 10.0)
    expected = ndimage.map_coordinates(values, index, order=1, mode="nearest")
    np.testing.assert_array_equal(trilinear_at(values, index), expected)
    np.testing.assert_array_equal(trilinear_at(values, index.T.copy().T), expected)


def test_half_way_is_the_mean() -> None:
    values = np.zeros((2, 2, 2), np.float32)
    values[1] = 8.0
    index = np.full((3, 2000), 0.5)
    index[0, 1000:] = 0.25
    found = trilinear(values, index)
    assert (found[:1000] == 4.0).all()
    assert (found[1000:] == 2.0).all()


@pytest.mark.parametrize("volume", [SHAPE, (9, 1, 11)])
def test_another_grid_has_the_same_bits_as_scipys_beyond_the_border_too(
    volume: tuple[int, ...],
) -> None:
    rng = np.random.default_rng(4)
    values = rng.standard_normal(volume).astype(np.float32)
    to_index = np.eye(4)
    to_index[:3, :3] = 0.4 * np.eye(3) + 0.05 * rng.standard_normal((3, 3))
    to_index[:3, 3] = (-2.0, -1.3, 0.7)
    shape = (37, 41, 52)
    found = trilinear_on_grid(values, to_index, shape)
    expected = ndimage.affine_transform(
        values, to_index[:3, :3], to_index[:3, 3], shape, order=1, mode="nearest"
    )
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > 1000
    chosen = rng.random(shape) < 0.3
    chosen[:20] = False
    part = trilinear_on_grid(values, to_index, shape, chosen)
    np.testing.assert_array_equal(part, np.where(chosen, expected, 0.0))


def test_values_that_may_not_be_written_and_places_that_are_no_numbers() -> None:
    values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    values.setflags(write=False)
    index = np.full((3, 2), 0.5)
    index[0, 1] = np.nan
    expected = ndimage.map_coordinates(values, index, order=1, mode="nearest")
    assert expected[0] == 3.5
    np.testing.assert_array_equal(trilinear_at(values, index), expected)
    np.testing.assert_array_equal(trilinear(values, index[:, :1]), [3.5])


def test_machine_code_reads_nothing_beyond_a_volume(by: str) -> None:
    if by == "numpy":
        pytest.skip("NumPy checks each place")
    index = np.array([[np.nan, np.inf, -np.inf, 1e300]] * 3)
    found = trilinear(np.arange(8, dtype=np.float32).reshape(2, 2, 2), index)
    np.testing.assert_array_equal(found, [0.0, 7.0, 0.0, 7.0])
