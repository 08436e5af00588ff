"""A skull without any signal is told from bone that is only dark."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel.affines import apply_affine

from faceblind.head.dark_bone import dark_bone_share, is_bone_dark
from faceblind.head.skin import Skin
from faceblind.scan import Scan

CENTRE, RADIUS = np.array([0.0, -10.0, 20.0]), 95.0
"""Of a ball in template mm, whose forehead is where a head has one."""


def ball(bone: float, thick_mm: float = 7.0, to_template: np.ndarray | None = None):
    """Scan, skin and place of a ball with scalp, skull and brain in air of 5."""
    affine = np.diag([1.5, 1.5, 1.5, 1.0])
    affine[:3, 3] = (-130.0, -130.0, -110.0)
    index = np.stack(np.meshgrid(*[np.arange(170)] * 3, indexing="ij"), axis=-1)
    depth = RADIUS - np.linalg.norm(apply_affine(affine, index) - CENTRE, axis=-1)
    values = np.select([depth > 5.0 + thick_mm, depth > 5.0, depth > 0.0], [80.0, bone, 100.0], 5.0)
    values = values + np.random.default_rng(0).normal(0.0, 1.0, values.shape)
    scan = Scan(values.astype(np.float32), affine)
    ways = np.random.default_rng(1).normal(size=(20000, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    points, ways = (CENTRE + RADIUS * ways).astype(np.float32), ways.astype(np.float32)
    skin = Skin(points, np.zeros((0, 3), np.int32), ways, np.zeros(len(points), bool))
    return scan, skin, np.eye(4) if to_template is None else to_template


@pytest.mark.parametrize(("bone", "dark"), [(5.0, True), (20.0, False), (200.0, False)])
def test_bone_is_as_dark_as_air_or_not(bone, dark):
    assert is_bone_dark(*ball(bone)) == dark
    assert dark_bone_share(*ball(bone)) == pytest.approx(float(dark), abs=0.02)


def test_a_thin_dark_line_is_no_bone():
    assert dark_bone_share(*ball(5.0, thick_mm=1.5)) == 0.0


def test_too_little_in_view_tells_nothing():
    elsewhere = np.eye(4)
    elsewhere[1, 3] = -300.0
    assert dark_bone_share(*ball(5.0, to_template=elsewhere)) == 0.0
