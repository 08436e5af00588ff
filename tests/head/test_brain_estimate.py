"""The brain that a head may have lies where its skin carries it, further out in children."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import CHILD_COVER, template_fields
from faceblind.head.brain_estimate import (
    KEPT_MM,
    MORE_KEPT_MM,
    brain_surface,
    likely_brain,
    unseen_sides,
)
from faceblind.head.skin import Skin
from faceblind.head.template import REGIONS, load_template


def average(size: float) -> tuple[Alignment, Skin]:
    """The average head, made smaller, and its skin."""
    template = load_template()
    full = dict.fromkeys(REGIONS, 1.0)
    pose = np.eye(4)
    affine = np.diag([size, size, size, 1.0])
    shape = np.zeros(len(template.modes))
    alignment = Alignment(affine, pose, shape, 0.5, 1.0, full, full, template)
    # `fitted` knows no size: the test's scan is the template's, its affine alone says smaller.
    points = template.points.astype(np.float32)
    return alignment, Skin(points, template.faces, template.normals, np.zeros(len(points), bool))


def test_an_average_adult_has_the_average_brain_and_a_margin():
    alignment, skin = average(1.0)
    points = likely_brain(alignment, skin, 0.95)
    away = -template_fields().at("brain", points)
    assert np.median(away) == pytest.approx(0.95 * KEPT_MM, abs=0.3)
    assert np.quantile(away, 0.99) < 3.5


def test_a_small_childs_brain_reaches_further_out():
    alignment, skin = average(1.0)
    adult, child = (likely_brain(alignment, skin, size) for size in (1.0, 1.2))
    further = np.linalg.norm(child - adult, axis=1)
    least = 12.0 * (1.0 - CHILD_COVER) + 1.2 * (KEPT_MM + MORE_KEPT_MM) - KEPT_MM
    assert further.min() > least - 0.6
    # More at the brow, which has no sinus in a child.
    brow = (np.abs(adult[:, 0]) < 10) & (adult[:, 2] > 24) & (adult[:, 2] < 32) & (adult[:, 1] > 50)
    assert further[brow].mean() > least + 1.5


def test_skin_further_out_than_any_grown_heads_takes_the_brain_with_it():
    """A child's head that is 6 mm wider above the ears than the fit."""
    alignment, skin = average(1.0)
    points = skin.points.copy()
    wide = (np.abs(points[:, 0]) > 50) & (points[:, 2] > 35) & (points[:, 1] < 20)
    points[wide, 0] += 6.0 * np.sign(points[wide, 0])
    wider = Skin(points, skin.faces, skin.normals, skin.edge)
    there, here = (likely_brain(alignment, one, 1.2) for one in (wider, skin))
    side = (np.abs(here[:, 0]) > 60) & (here[:, 2] > 45) & (here[:, 2] < 70)
    side &= np.abs(here[:, 1]) < 30
    assert np.median(np.abs(there[side, 0]) - np.abs(here[side, 0])) > 4.0
    assert np.allclose(likely_brain(alignment, wider, 0.95), likely_brain(alignment, skin, 0.95))


def test_the_average_brains_surface_moves_outwards():
    there = -template_fields().at("brain", brain_surface(2.5))
    assert np.abs(-template_fields().at("brain", brain_surface())).max() < 1.2
    assert np.median(there) == pytest.approx(2.5, abs=0.2)


def test_sides_above_the_ears_that_the_field_of_view_cuts_off_are_not_seen():
    _, skin = average(1.0)
    x, y, z = skin.points.T
    cut = Skin(skin.points, skin.faces, skin.normals, np.abs(x) > 60.0)
    found = unseen_sides(cut, np.diag([1.0, 1.0, 1.0, 1.0]))
    assert len(found) == ((np.abs(x) > 60.0) & (y < 10.0) & (z > 40.0)).sum() > 50
    assert not len(unseen_sides(skin, np.eye(4)))
    # A template that lies elsewhere has its sides elsewhere.
    low = np.eye(4)
    low[2, 3] = -200.0
    assert not len(unseen_sides(cut, low))
