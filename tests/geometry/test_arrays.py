from __future__ import annotations

import warnings

import numpy as np
import pytest

from faceblind.geometry.arrays import correlation, median, quantile


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


@pytest.mark.parametrize("kind", ["float32", "float64", "few levels"])
def test_order_statistics_are_numpys_to_the_last_bit(kind: str):
    rng = np.random.default_rng(3)
    for count in (1, 2, 3, 10, 501, 1000, 20_001):
        values = rng.gamma(2.0, 40.0, count).astype("float64" if kind == "float64" else "float32")
        if kind == "few levels":
            values = np.round(values / 50.0) * np.float32(50.0)
        before = values.copy()
        assert median(values) == float(np.median(values))
        for share in (0.0, 0.02, 0.3, 0.5, 0.9, 0.99, 1.0):
            assert quantile(values, share) == float(np.quantile(values, share)), (count, share)
        assert np.array_equal(values, before)
