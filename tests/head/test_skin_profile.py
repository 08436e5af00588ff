"""Where bone ends in intensities from the skin inwards: dark, bright in CT, or not seen."""

import numpy as np
import pytest

from faceblind.head.skin_profile import bright_inner_side, inner_side, values_along
from faceblind.scan import Scan

STEPS = np.arange(0.0, 20.5, 0.5)
DARK = np.where((STEPS > 4) & (STEPS < 9), 100.0, 700.0)
BRIGHT = np.where((STEPS > 4) & (STEPS < 9), 1800.0, 1000.0)


def test_dark_bone_ends_where_it_becomes_bright():
    assert inner_side(DARK, STEPS) == pytest.approx(9.0, abs=0.5)
    assert np.isnan(inner_side(np.full(len(STEPS), 500.0), STEPS))
    # CT: nothing inside is darker than the soft tissue.
    assert np.isnan(inner_side(BRIGHT, STEPS))


def test_bright_bone_ends_where_it_becomes_dark():
    assert bright_inner_side(BRIGHT, STEPS) == pytest.approx(9.0, abs=0.5)
    assert np.isnan(bright_inner_side(np.where(STEPS > 4, 1800.0, 1000.0) + STEPS, STEPS))


def test_values_are_taken_from_the_skin_inwards():
    voxels = np.broadcast_to(np.arange(30.0, dtype=np.float32)[:, None, None], (30, 9, 9))
    scan = Scan(np.array(voxels), np.diag([2.0, 2.0, 2.0, 1.0]))
    points, normals = np.array([[40.0, 8.0, 8.0]]), np.array([[1.0, 0.0, 0.0]])
    found = values_along(scan, points, normals, np.array([0.0, 4.0, 10.0]))
    assert np.allclose(found, [[20.0, 18.0, 15.0]])
