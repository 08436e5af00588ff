from __future__ import annotations

import numpy as np
import pytest

from faceblind.protect.coil_field import Samples, fit_coil_field


def places(n: int, seed: int, low: tuple[float, ...], high: tuple[float, ...]):
    return np.random.default_rng(seed).uniform(low, high, (n, 3))


def field(where):
    """Three times brighter at the nape than at the chin."""
    y, z = where[:, 1] / 100, where[:, 2] / 100
    return np.exp(-0.5 * y - 0.2 * z + 0.1 * y * y)


def test_the_field_is_told_apart_from_the_tissues_own_brightness():
    outer = places(4000, 0, (-80, -90, -100), (80, 90, 100))
    brain = places(2000, 1, (-50, -60, 0), (50, 50, 80))
    rng = np.random.default_rng(2)
    signal = 500 * field(outer) * np.exp(rng.normal(0, 0.1, len(outer)))
    # A twentieth lies in bone.
    signal[::20] *= 0.1
    dark = 80 * field(brain)
    found = fit_coil_field(
        [Samples(outer, signal), Samples(brain, dark)], Samples(outer[:0], signal[:0])
    )
    asked = places(500, 3, (-60, -80, -100), (60, 90, 90))
    ratio = found.at(asked) / field(asked)
    assert ratio.std() / ratio.mean() < 0.05
    middle = np.abs(found.at(outer) - 1).argmin()
    assert signal[middle] == pytest.approx(500 * field(outer[[middle]])[0], rel=0.5)


def test_what_ten_numbers_miss_counts_beside_what_stays_and_fades_away_from_it():
    outer = places(4000, 0, (-80, -90, -100), (80, 90, 100))
    spot = np.array([[0.0, -80.0, 0.0]])
    beside = spot + places(300, 1, (-8, -8, -8), (8, 8, 8))
    found = fit_coil_field(
        [Samples(outer, np.full(len(outer), 100.0))],
        Samples(np.vstack([outer[outer[:, 1] < -40], beside]), np.concatenate([
            np.full(int((outer[:, 1] < -40).sum()), 100.0), np.full(300, 200.0)])),
    )  # fmt: skip
    assert found.at(spot)[0] > 1.3
    far = np.array([[0.0, 80.0, 0.0]])
    assert found.at(far)[0] == pytest.approx(1.0, abs=0.02)


def test_without_signal_the_field_is_even():
    none = Samples(np.zeros((0, 3)), np.zeros(0))
    found = fit_coil_field([none], none)
    assert np.array_equal(found.at(np.array([[0.0, 50.0, -60.0]])), [1.0])
