import numpy as np
import pytest

from faceblind.volunteers.scanner.resampling import (
    noise_left,
    resample,
    resampled_grid,
    resampled_labels,
)

AFFINE = np.diag([1.0, 1.0, 6.0, 1.0])
SHAPE = (20, 21, 10)


def test_the_grid_fills_the_same_box():
    affine, shape = resampled_grid(AFFINE, SHAPE, 2.0)
    assert shape == (10, 10, 30)
    assert np.diag(affine)[:3] == pytest.approx([2, 2, 2])
    middle = affine @ [4.5, 4.5, 14.5, 1]
    assert middle[:3] == pytest.approx([9.5, 10.0, 27.0])


def test_a_ramp_stays_a_ramp_and_the_nearest_slice_makes_stairs():
    x, _, z = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in SHAPE), indexing="ij")
    volume = x + 6 * z
    affine, shape = resampled_grid(AFFINE, SHAPE, 2.0)
    world = np.stack(np.meshgrid(*(affine[k, 3] + 2.0 * np.arange(shape[k]) for k in range(3)),
                                 indexing="ij"))  # fmt: skip
    smooth = resample(volume, AFFINE, 2.0)
    assert smooth.shape == shape
    inner = (slice(None), slice(None), slice(2, -2))
    assert smooth[inner] == pytest.approx((world[0] + world[2])[inner], abs=1e-3)
    stairs = resample(volume, AFFINE, 2.0, (False, False, True))
    steps = np.diff(stairs[0, 0])
    assert sorted(set(np.round(steps, 3))) == [0, 6]
    assert (steps == 6).sum() == 9


def test_noise_is_averaged_as_foretold():
    fine = np.diag([1.0, 1.0, 1.0, 1.0])
    noise = np.random.default_rng(0).standard_normal((40, 40, 40)).astype(np.float32)
    for along in ((False, False, False), (False, False, True)):
        left = noise_left(fine, noise.shape, 2.0, along)
        assert resample(noise, fine, 2.0, along).std() == pytest.approx(left, rel=0.06)
    assert noise_left(fine, noise.shape, 0.0, (False, False, False)) == 1.0


def test_labels_stay_labels():
    labels = np.random.default_rng(0).integers(0, 5, SHAPE).astype(np.uint8)
    found = resampled_labels(labels, AFFINE, 2.0)
    assert found.dtype == np.uint8
    assert found.shape == (10, 10, 30)
    assert set(np.unique(found)) <= set(range(5))
