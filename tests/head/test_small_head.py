"""An infant's head is found by a smaller template, a grown one is not."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.head.alignment import CONFIDENT, align
from faceblind.head.brain_cover import head_size
from faceblind.head.skin import find_skin
from faceblind.head.small_head import SMALLER, align_small, or_smaller, small_template
from faceblind.head.template import load_template
from faceblind.scan import Scan


def smaller(scan, size):
    return Scan(scan.voxels, np.diag([size, size, size, 1.0]) @ scan.affine, scan.modality)


def test_the_smaller_template_has_the_average_form():
    template, small = load_template(), small_template()
    shape = np.linspace(-1.0, 1.0, len(template.modes))
    assert np.allclose(small.shape(shape), SMALLER * template.shape(shape), atol=1e-3)


def test_a_head_of_an_infants_size_is_found(phantom):
    made = phantom(seed=1)
    scan = smaller(made.scan, 0.75)
    skin = find_skin(scan)
    found = align_small(skin, scan)
    assert head_size(found.scan_to_template) == pytest.approx(1.0 / 0.75, abs=0.04)
    true = 0.75 * made.head.alignment.fitted()
    face = found.template.region("brow", "eyes", "nose", "mouth")
    assert np.median(np.linalg.norm(found.fitted() - true, axis=1)[face]) < 2.0
    there = true[face] @ found.scan_to_template[:3, :3].T + found.scan_to_template[:3, 3]
    assert np.median(np.linalg.norm(there - found.template.points[face], axis=1)) < 6.0


def test_a_grown_head_is_not_found_by_it_and_stays_as_it_was(phantom):
    made = phantom(seed=1)
    assert align_small(made.head.skin, made.scan) is None
    usual = align(made.head.skin, made.scan)
    skin, found = or_smaller(made.scan, made.head.skin, (made.head.skin, usual))
    assert usual.confidence > CONFIDENT
    assert skin is made.head.skin
    assert found is usual


@pytest.mark.parametrize("size", [0.7, 0.78])
def test_any_size_finds_it_too(phantom, size):
    made = phantom(seed=2)
    scan = smaller(made.scan, size)
    skin = find_skin(scan)
    _, found = or_smaller(scan, skin, (skin, align(skin, scan)))
    assert found.confidence >= CONFIDENT
    marks, true = found.landmarks(), made.head.alignment.landmarks()
    for name in ("glabella", "pronasale"):
        assert np.linalg.norm(marks[name] - size * true[name]) < 6.0, name
