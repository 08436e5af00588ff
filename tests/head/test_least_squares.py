from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.affines import apply_affine
from numpy.testing import assert_allclose
from scipy import ndimage

from faceblind.geometry.icp import rigid_update
from faceblind.head.least_squares import Coarse, Model, best_shift, correlation
from faceblind.scan import Scan

SIZE, SPACING = 44, 4.0
"""A cube of 17 cm, its middle at the origin."""
AFFINE = np.diag([SPACING, SPACING, SPACING, 1.0])
AFFINE[:3, 3] = -SPACING * (SIZE - 1) / 2.0


def thing(move: np.ndarray, scale: float = 1.0) -> Scan:
    """Soft blobs of several sizes, moved by `move` (mm to mm)."""
    index = np.stack(np.meshgrid(*[np.arange(SIZE)] * 3, indexing="ij"), axis=-1)
    places = apply_affine(np.linalg.inv(move), apply_affine(AFFINE, index))
    rng = np.random.default_rng(3)
    values = np.zeros((SIZE,) * 3)
    for centre, width, height in zip(
        rng.uniform(-45, 45, (14, 3)), rng.uniform(8, 20, 14), rng.uniform(40, 100, 14), strict=True
    ):
        values += height * np.exp(-((places - centre) ** 2).sum(axis=-1) / (2.0 * width**2))
    return Scan((scale * values).astype(np.float32), AFFINE)


def model() -> Model:
    places = np.stack(np.meshgrid(*[np.arange(-48.0, 49.0, 6.0)] * 3, indexing="ij"), -1)
    points = places.reshape(-1, 3)
    return Model.of(Coarse.of(thing(np.eye(4))), np.zeros(len(points), int), points, np.eye(4))


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_a_rigid_motion_is_recovered_at_any_brightness(scale: float) -> None:
    move = rigid_update(np.array([0.06, -0.04, 0.05, 3.0, -2.0, 4.0]), np.zeros(3))
    moved = Coarse.of(thing(move, scale))
    found, similarity = model().fit(moved, np.eye(4), 0)
    found, similarity = model().fit(moved, found, 1)
    corners = np.array([[40.0, 40, 40], [-40, 40, -40], [40, -40, 0]])
    assert np.abs(apply_affine(found, corners) - apply_affine(move, corners)).max() < 0.3
    assert similarity > 0.995


def test_a_far_shift_is_found_on_the_lattice() -> None:
    move = np.eye(4)
    move[:3, 3] = 30.0, -15.0, 0.0
    assert_allclose(best_shift(Coarse.of(thing(move)), model())[:3, 3], move[:3, 3])


def test_a_volume_of_noise_does_not_correlate() -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(SIZE,) * 3), 1.5)
    volume = Coarse.of(Scan(noise.astype(np.float32), AFFINE))
    assert model().fit(volume, np.eye(4), 0)[1] < 0.6


def test_a_start_outside_the_volume_stays_and_is_no_match() -> None:
    far = np.eye(4)
    far[:3, 3] = 500.0
    found, similarity = model().fit(Coarse.of(thing(np.eye(4))), far, 0)
    assert_allclose(found, far)
    assert similarity == -1.0


@given(st.integers(0, 2**32 - 1))
def test_correlation_is_numpys(seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, 30))
    assert correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-12)


def test_a_constant_correlates_with_nothing() -> None:
    assert correlation(np.ones(5), np.arange(5.0)) == 0.0
