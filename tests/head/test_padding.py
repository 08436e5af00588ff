"""Parts of a volume that were never acquired."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.head.padding import blocks_of, border_layers, broad, padding_as_air, voxels_of


@pytest.mark.parametrize("shape", [(16, 12, 8), (17, 13, 7)])
def test_blocks_hold_the_extremes_to_the_last_voxel(shape):
    volume = np.random.default_rng(0).integers(0, 1000, shape).astype(np.int16)
    blocks = blocks_of(volume, np.array([1.0, 0.6, 4.0]))
    assert blocks.size == (4, 8, 2)
    assert blocks.shape == tuple(-(-n // s) for n, s in zip(shape, blocks.size, strict=True))
    last = tuple(slice((n - 1) // s * s, n) for n, s in zip(shape, blocks.size, strict=True))
    assert blocks.low[-1, -1, -1] == volume[last].min()
    assert blocks.high[-1, -1, -1] == volume[last].max()
    assert blocks.low[0, 0, 0] == volume[:4, :8, :2].min()


def test_padding_behind_an_oblique_plane_is_found_to_the_voxel_beside_noise_full_of_zeros():
    i, j, k = np.indices((80, 70, 60))
    outside = 0.8 * i + 0.5 * j - 0.3 * k > 62
    volume = np.random.default_rng(1).poisson(0.7, outside.shape).astype(np.uint8)
    volume[outside] = 0
    blocks = blocks_of(volume, np.ones(3))
    value, flat = blocks.of_one_value()[0]
    found = voxels_of(volume, value, broad(flat, (1, 1, 1)), blocks)
    assert found[outside].mean() > 0.998
    # Zeros of the noise that touch the plane cannot be told from it.
    assert found[~outside].mean() < 0.015


def test_gaps_are_not_broad_and_thin_layers_at_the_border_are():
    mask = np.zeros((20, 20, 20), bool)
    mask[:, :, :1] = True
    mask[8:12, :, 5:] = True
    found = broad(mask, (3, 3, 3))
    assert found[:, :, 0].all()
    assert not found[:, :, 1:].any()


def test_layers_at_the_border():
    volume = np.random.default_rng(2).integers(1, 9, (20, 20, 20))
    volume[:, -3:] = 5
    volume[:2] = 5
    first, second = border_layers(volume)
    assert first == ((slice(0, 2), slice(None), slice(None)), 5, 2)
    assert second == ((slice(None), slice(17, 20), slice(None)), 5, 3)
    assert border_layers(np.zeros((5, 5, 5))) == []


def scanned(fill: float) -> tuple[np.ndarray, np.ndarray]:
    """CT of a ball in a circle, and where nothing was acquired."""
    i, j, k = np.indices((60, 60, 60)) - 29.5
    rng = np.random.default_rng(3)
    volume = np.where(np.sqrt(i**2 + j**2 + k**2) < 20, 40.0, -1000 + rng.normal(0, 12, i.shape))
    outside = np.hypot(i, j) > 28
    return np.where(outside, fill, volume), outside


@pytest.mark.parametrize("fill", [-400.0, 0.0, 3071.0])
def test_padding_brighter_than_air_counts_as_air(fill):
    volume, outside = scanned(fill)
    found = padding_as_air(volume.astype(np.int16), np.full(3, 2.0))
    assert np.median(found[outside]) == pytest.approx(-1020, abs=10)
    assert (found[outside] < -900).mean() > 0.99


def test_padding_far_below_air_of_any_units_is_raised():
    volume, outside = scanned(-2000.0)
    found = padding_as_air((volume + 3024).astype(np.uint16), np.full(3, 2.0))
    assert found[outside].min() > 2024 - 60
    assert found.max() == 3024 + 40


def test_wiped_air_and_noise_stay_as_they_are():
    rng = np.random.default_rng(4)
    volume = rng.normal(600, 100, (40, 40, 40))
    wiped = np.zeros_like(volume)
    wiped[8:-8, 8:-8, 8:-8] = volume[8:-8, 8:-8, 8:-8]
    for values in (wiped, volume, rng.rayleigh(20, volume.shape)):
        assert np.array_equal(padding_as_air(values, np.ones(3)), values)
