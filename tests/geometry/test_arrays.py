from __future__ import annotations

import warnings

import numpy as np
import pytest

from faceblind.geometry.arrays import correlation


def test_correlation():
    a = np.array([1.0, 2.0, 3.0, 4.0])
    assert correlation(a, 2 * a + 1) == pytest.approx(1.0)
    assert correlation(a, -a) == pytest.approx(-1.0)
    assert correlation(a, np.array([1.0, -1.0, -1.0, 1.0])) == pytest.approx(0.0, abs=1e-12)


def test_what_does_not_vary_is_like_nothing():
    """A constant in float32, whose computed spread is not quite zero."""
    constant = np.full(100_001, 0.1, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert correlation(constant, np.arange(100_001.0)) == 0.0
