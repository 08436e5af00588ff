import numpy as np
import pytest

from faceblind.protect.air_trend import find_trend

SHAPE = (60, 50, 70)


def everywhere():
    return tuple(axis.ravel() for axis in np.indices(SHAPE))


def test_a_quadratic_is_recovered_beside_ghosts():
    places = everywhere()
    x, y, z = (2.0 * p / (n - 1) - 1.0 for p, n in zip(places, SHAPE, strict=True))
    truth = 1.0 + 0.3 * z - 0.2 * x * x + 0.1 * x * y
    rng = np.random.default_rng(0)
    values = (100.0 * truth * rng.normal(1.0, 0.1, truth.shape)).astype(np.float32)
    values[::50] = 2000.0
    trend = find_trend(places, values, SHAPE)
    assert trend is not None
    middle = float(np.median(values))
    inside = (truth > np.quantile(truth, 0.05)) & (truth < np.quantile(truth, 0.95))
    off = trend.at(places) * middle / 100.0 - truth
    assert np.abs(off[inside]).max() < 0.02
    # Beyond what was seen, the level is held.
    assert trend.at(places).min() == np.float32(trend.least)
    assert trend.at(places).max() == np.float32(trend.most)


def test_a_slice_is_the_same_level_as_at_its_voxels():
    places = everywhere()
    values = (10.0 + 5.0 * places[2] / SHAPE[2]).astype(np.float32)
    trend = find_trend(places, values, SHAPE)
    assert trend is not None
    for i in (0, 31, SHAPE[0] - 1):
        j, k = (axis.ravel() for axis in np.indices(SHAPE[1:]))
        exact = trend.at((np.full(j.size, i), j, k)).reshape(SHAPE[1:])
        # A slice is worked out on every eighth voxel.
        assert np.abs(trend.plane(i) - exact).max() < 0.05


@pytest.mark.parametrize("change", ["negative", "zeros", "few", "other number", "flat"])
def test_what_shows_no_trend(change):
    places = everywhere()
    values = (10.0 + 5.0 * places[0] / SHAPE[0]).astype(np.float32)
    if change == "negative":
        values = values - 12.0
    elif change == "zeros":
        values[::10] = 0.0
    elif change == "few":
        places, values = tuple(axis[:900] for axis in places), values[:900]
    elif change == "other number":
        values = values[:-1]
    else:
        values[:] = 10.0
    assert find_trend(places, values, SHAPE) is None
