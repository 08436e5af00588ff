"""Resampling: what is computed in pieces is what is computed at once."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.geometry.grid import is_positive, resize


@pytest.mark.parametrize("shape", [(31, 150, 140), (20, 21, 22), (64, 30, 25)])
def test_is_positive_is_resize_above_zero(shape) -> None:
    values = np.random.default_rng(0).normal(size=(20, 21, 22)).astype(np.float32)
    np.testing.assert_array_equal(is_positive(values, shape), resize(values, shape) > 0)
