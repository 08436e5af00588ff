"""A region keeps further from the average brain, by few whole numbers, where a head asks for it."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.protect.brain_margin import (
    CHILD_ORBITS_MM,
    LOW_BRAIN_MM,
    NOTHING_SPARED,
    before_orbits,
    brain_margin,
    spared,
    to_spare,
)

RNG = np.random.default_rng(5)


def places(count: int = 400) -> np.ndarray:
    return RNG.uniform((-80, -60, -30), (80, 90, 25), (count, 3))


def test_nothing_is_spared_where_nothing_is_entered():
    where = places()
    assert to_spare(np.full(len(where), -1.0), np.zeros(len(where)), where) == NOTHING_SPARED


def test_all_that_may_be_brain_is_spared_by_whole_millimetres():
    where = places()
    where = where[~before_orbits(where)]
    out = RNG.uniform(0.0, 18.0, len(where)).astype(np.float32)
    cut = np.full(len(where), 5.0, np.float32)
    found = to_spare(cut, -out, where)
    assert all(mm == round(mm) for mm in found)
    kept = spared(cut, -out, where, found)
    assert (kept <= 1e-4).all()
    fewer = tuple(max(mm - 2.0, 0.0) for mm in found)
    assert (spared(cut, -out, where, fewer) > 0).any()


def test_the_ears_top_is_spared_and_their_root_goes():
    """Brain that reaches out beside the top of the ear alone."""
    where = np.array([[74.0, -25.0, 45.0], [66.0, -10.0, 0.0]])
    brain = np.array([-15.0, -11.0], np.float32)
    cut = np.array([6.0, -1.0], np.float32)
    found = to_spare(cut, brain, where)
    assert found[:-1] == NOTHING_SPARED[:-1]
    assert found[-1] >= 15.0 - brain_margin(where[:1, 2])[0]
    deep = np.full(2, 4.0, np.float32)
    assert (spared(deep, brain, where, found) > 0).tolist() == [False, True]


def test_more_is_kept_from_the_brains_floor_behind_the_orbits_and_not_at_the_brow():
    """8.2 mm below the average brain a cut took a child's, 1.4 mm from it."""
    where = np.array([[26.0, 36.0, 3.0], [26.0, 60.0, 17.0]])
    brain, cut = np.array([-8.2, -8.2], np.float32), np.array([0.2, 0.2], np.float32)
    found = to_spare(cut[:0], brain[:0], where[:0], CHILD_ORBITS_MM)
    assert sum(found) == CHILD_ORBITS_MM
    kept = spared(cut, brain, where, found)
    assert kept[0] == pytest.approx(8.2 - LOW_BRAIN_MM - CHILD_ORBITS_MM, abs=1e-4)
    assert kept[1] == pytest.approx(0.2)


def test_without_numbers_the_cut_is_the_same_array():
    cut = np.ones((3, 4, 5), np.float32)
    assert spared(cut, cut, np.zeros((60, 3)), NOTHING_SPARED) is cut
