from __future__ import annotations

import numpy as np
import pytest

from faceblind.geometry.grid import Grid, blur
from faceblind.protect.texture import (
    MOST_UNEVEN,
    UNEVEN_MM,
    Texture,
    measure_texture,
    response,
    roughness,
)


def made(noise: float, uneven: float, shape=(90, 90, 90)) -> Grid:
    rng = np.random.default_rng(0)
    smooth = blur(rng.standard_normal(shape, np.float32), np.full(3, UNEVEN_MM))
    values = 400.0 * (1.0 + uneven * smooth / smooth.std()) + 100.0
    return Grid(values + rng.normal(0, noise, shape), np.eye(4))


def measured(grid: Grid, noise: float) -> Texture:
    rng = np.random.default_rng(1)
    points = np.column_stack([np.full(6000, 80.0), *rng.uniform(5, 84, (2, 6000))])
    normals = np.tile([1.0, 0.0, 0.0], (6000, 1))
    return measure_texture(grid, points, normals, 100.0, noise, np.zeros(3))


def test_noise_and_unevenness_are_told_apart():
    found = measured(made(12.0, 0.08), 12.0)
    assert found.noise == pytest.approx(12.0, rel=0.06)
    assert found.fine < 0.02
    assert found.uneven == pytest.approx(0.08, rel=0.2)


def test_more_noise_than_the_scans_grows_with_the_signal():
    found = measured(made(20.0, 0.0), 12.0)
    assert found.noise == 12.0
    assert found.spread(np.array([400.0], np.float32))[0] == pytest.approx(20.0, rel=0.06)
    assert found.spread(np.zeros(1, np.float32))[0] == 12.0


def test_speckle_is_not_made():
    found = measured(made(150.0, 0.5), 12.0)
    assert found.uneven <= MOST_UNEVEN
    assert found.fine <= MOST_UNEVEN


def test_calm_tissue_gets_no_more_noise_than_it_has():
    assert measured(made(3.0, 0.0), 12.0).noise == pytest.approx(3.0, rel=0.06)


@pytest.mark.parametrize("sigma", [0.0, 0.8, 1.5])
@pytest.mark.parametrize("lag", [1, 3])
def test_what_roughness_finds_in_blurred_noise(sigma, lag):
    noise = np.random.default_rng(0).standard_normal((80, 80, 80), np.float32)
    noise = blur(noise, np.full(3, sigma))
    index = np.random.default_rng(1).integers(10, 70, (20_000, 3))
    inner = noise[10:70, 10:70, 10:70].std()
    found = roughness(noise / inner, index, 0, lag)
    assert found == pytest.approx(np.sqrt(response(sigma, lag)), rel=0.1)
