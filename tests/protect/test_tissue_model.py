from __future__ import annotations

import numpy as np

from faceblind.geometry.grid import from_scan
from faceblind.head.skin import find_skin
from faceblind.protect.tissue_model import measure_levels
from faceblind.scan import Scan


def test_levels_of_a_scan_that_keeps_no_skin():
    """A crop of the face alone: all its skin is replaced, and yet tells the contrast."""
    axes = np.indices((60, 60, 60)) - 29.5
    ball = (axes**2).sum(axis=0) < 22**2
    rng = np.random.default_rng(0)
    noisy = 100.0 * ball + np.abs(rng.normal(0, 2, ball.shape))
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = -29.5 * 3
    scan = Scan(noisy.astype(np.float32), affine)
    skin = find_skin(scan)
    every, none = np.ones(len(skin.points), bool), np.zeros(len(skin.points), bool)
    grid = from_scan(scan)
    levels = [
        measure_levels(grid, skin, np.eye(4), kept, 1.0, np.zeros(3)) for kept in (every, none)
    ]
    assert np.isfinite(levels[1].values).all()
    np.testing.assert_allclose(levels[1].values, levels[0].values)
    assert levels[1].texture == levels[0].texture
    np.testing.assert_allclose(levels[1].scalp, levels[0].scalp)
