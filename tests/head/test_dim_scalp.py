"""A small head's scalp is looked for again at a lower level, and only where much was missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from faceblind.head import dim_scalp
from faceblind.head.brain_cover import ADULT_SIZE, Cover, head_size
from faceblind.head.dim_scalp import MOST_OUTSIDE, has_dim_scalp, refined_at_dim_scalp
from faceblind.head.segmentation import DIM_FRACTION, find_head
from faceblind.head.skin import find_skin


@pytest.fixture
def cover(monkeypatch):
    """Sets how much of the scalp lies outside the skin that was found."""

    def set_share(share):
        nothing = np.zeros((0, 3))
        found = Cover(nothing, nothing, np.zeros(0), share)
        monkeypatch.setattr(dim_scalp, "find_cover", lambda *_: found)

    set_share(0.3)
    return set_share


@pytest.fixture
def small(phantom):
    """A phantom whose alignment calls it small; its skin is the usual one."""
    made = phantom(seed=1)
    alignment = made.head.alignment
    grown = np.diag([1.2, 1.2, 1.2, 1.0]) @ alignment.scan_to_template
    assert head_size(grown) > ADULT_SIZE
    return made.scan, made.head.skin, replace(alignment, scan_to_template=grown)


def test_the_skin_is_found_again_at_a_lower_level(small, cover):
    scan, skin, alignment = small
    asked = []

    def find(lower, where):
        asked.append((lower, where))
        return replace(alignment, confidence=0.9)

    lower, found = refined_at_dim_scalp(scan, skin, alignment, find)
    assert asked == [(lower, scan)]
    assert found.confidence == 0.9
    expected = find_skin(scan, find_head(scan, DIM_FRACTION))
    assert np.array_equal(lower.points, expected.points)
    assert not np.array_equal(lower.points, skin.points)


def test_nothing_changes_where_no_head_is_found_in_the_new_skin(small, cover):
    scan, skin, alignment = small
    again = refined_at_dim_scalp(scan, skin, alignment, lambda *_: None)
    assert again[0] is skin
    assert again[1] is alignment


@pytest.mark.parametrize(("share", "dim"), [(MOST_OUTSIDE, False), (MOST_OUTSIDE + 0.01, True)])
def test_a_scalp_is_dim_from_a_share_on(small, cover, share, dim):
    cover(share)
    assert has_dim_scalp(*small) is dim


def test_grown_and_doubted_heads_are_left_alone(small, cover, phantom, monkeypatch):
    scan, skin, alignment = small
    monkeypatch.delattr(dim_scalp, "find_skin")
    doubted = replace(alignment, confidence=0.4)
    assert refined_at_dim_scalp(scan, skin, doubted)[1] is doubted
    grown = phantom(seed=1).head.alignment
    assert head_size(grown.scan_to_template) < ADULT_SIZE
    monkeypatch.delattr(dim_scalp, "find_cover")
    assert not has_dim_scalp(scan, skin, grown)
    assert refined_at_dim_scalp(scan, skin, grown)[1] is grown
