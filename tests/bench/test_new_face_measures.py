"""The measures of the new face find what was put in."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from faceblind.head.skin import Skin


@pytest.fixture(scope="module")
def measures(script):
    return script("bench/new_face_measures.py")


def side(measures, step_mm: float, slope: float = 0.0):
    """Skin bent like a forehead, with a step (and a bend) across the line x = 0."""
    x, y = (g.ravel() for g in np.meshgrid(np.arange(-30.0, 31.0), np.arange(-30.0, 31.0)))
    z = 60.0 - (x**2 + y**2) / 180.0 + (x > 0) * (step_mm + slope * x)
    points = np.column_stack([x, y + 60.0, z]).astype(np.float32)
    normals = np.column_stack([x / 90.0 - (x > 0) * slope, y / 90.0, np.ones_like(x)])
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    skin = Skin(
        points, np.zeros((1, 3), np.int32), normals.astype(np.float32), np.zeros(len(x), bool)
    )
    return measures.Side(SimpleNamespace(), skin, points.astype(float), x.astype(np.float32))


@pytest.mark.parametrize("step", [0.0, 1.5, 4.0])
def test_a_step_is_found(measures, step):
    where, found, _ = measures.steps(side(measures, step))
    assert len(found) > 40
    assert np.median(found) == pytest.approx(step, abs=0.15)
    assert measures.rim_parts(where)["forehead"].all()


def test_a_bend_is_found_and_is_no_step(measures):
    plain, bent = (measures.steps(side(measures, 0.0, slope)) for slope in (0.0, -0.5))
    assert np.median(bent[2]) - np.median(plain[2]) == pytest.approx(26.6, abs=4.0)
