"""The compiled count of level pairs against the plain one."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy import ndimage

from faceblind.head.joint_counts import joint_counts


@pytest.mark.parametrize("shape", [(20, 24, 18), (12, 14, 1)], ids=["volume", "one slice"])
def test_levels_are_counted_where_the_moving_scan_has_them(shape):
    rng = np.random.default_rng(3)
    values = rng.normal(50, 20, shape).astype(np.float32)
    bounds = np.array([20, 45, 55, 80], np.float32)
    points = rng.uniform(-4, 1.2 * max(shape), (3000, 3))
    if shape[2] == 1:
        points[::2, 2] = 0.0
    levels = rng.integers(0, 6, len(points))
    to_index = np.eye(4)
    if shape[2] > 1:
        to_index[:3] = [[0.9, 0.1, 0, 1], [-0.1, 0.9, 0.2, 0], [0, -0.2, 0.95, 2]]

    counts, inside = joint_counts(points, levels, to_index, values, bounds)

    index = apply_affine(to_index, points)
    there = ((index >= 0) & (index <= np.array(shape) - 1)).all(axis=1)
    found = ndimage.map_coordinates(values, index[there].T, order=1, mode="nearest")
    want = np.zeros((6, 5), int)
    np.add.at(want, (levels[there], np.searchsorted(bounds, found)), 1)
    assert 100 < inside == there.sum() < len(points)
    assert np.array_equal(counts, want)
    for pair in ((0, 0), (5, 4)):
        assert want[pair] > 0
