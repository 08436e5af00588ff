"""A placement that was generated is found again from distances alone."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from faceblind.attacks.own_protection.fit import USUAL, fitted, moved_head
from faceblind.head.template import load_template
from faceblind.protect.placement import Placement, placement_of

START = placement_of(np.array([0.97, 1.02, 1.0]), np.eye(3), np.array([2.0, -4.0, 6.0]))
POINTS = load_template().points[::400].astype(float)
TRUE = np.array([0.12, -0.05, 0.08, 5.0, -7.0, 4.0, 0.01, -0.015, 0.008])
"""Turns, shifts and sizes within what `USUAL` calls usual."""
REACH = 4.0 * USUAL[:9]
NONE = np.zeros(9)


def placed(placement: Placement) -> np.ndarray:
    """The template's points in scan mm; of a stack of placements, (K, P, 3)."""
    back = np.linalg.inv(placement.scan_to_template)
    return POINTS @ np.swapaxes(back[..., :3, :3], -1, -2) + back[..., None, :3, 3]


def away(target: np.ndarray, several: Placement) -> np.ndarray:
    """Where each of K placements puts the points, less where they should be: (K, 3 N) mm."""
    off = placed(several) - target
    return off.reshape(len(off), -1)


def find(target: np.ndarray, reach: np.ndarray = REACH, held: float = 0.01) -> Placement:
    move = partial(moved_head, START)
    return fitted(move, partial(away, target), NONE, reach, (8.0, 3.0), held)


def distance(one: Placement, other: Placement) -> float:
    """Mean distance of the template's points between two placements, mm."""
    return float(np.linalg.norm(placed(one) - placed(other), axis=1).mean())


def test_no_step_moves_nothing_and_nine_numbers_move_as_named() -> None:
    assert distance(moved_head(START, NONE), START) < 1e-9
    moved = moved_head(START, TRUE)
    assert moved.scales == pytest.approx(START.scales * np.exp(TRUE[6:]))
    assert moved.anchor == pytest.approx(START.anchor + TRUE[3:6])
    cosine = (np.trace(moved.turn @ START.turn.T) - 1) / 2
    assert np.arccos(cosine) == pytest.approx(np.linalg.norm(TRUE[:3]))


def test_the_generated_numbers_are_found() -> None:
    truth = moved_head(START, TRUE)
    assert distance(START, truth) > 8.0
    found = find(placed(truth))
    assert distance(found, truth) < 0.05
    assert found.scales == pytest.approx(truth.scales, abs=1e-3)
    assert found.anchor == pytest.approx(truth.anchor, abs=0.1)


def test_a_fifth_of_the_points_elsewhere_moves_the_answer_little() -> None:
    truth = moved_head(START, TRUE)
    target = placed(truth)
    target[::5] += [0.0, 25.0, 0.0]
    assert distance(find(target), truth) < 0.7


def test_no_number_leaves_its_reach() -> None:
    reach = REACH.copy()
    reach[3:6] = 2.0
    far = moved_head(START, np.array([0, 0, 0, 9.0, -9.0, 9.0, 0, 0, 0]))
    shift = find(placed(far), reach).anchor - START.anchor
    assert np.abs(shift).max() <= 2.0 + 1e-6
    assert shift * [1, -1, 1] == pytest.approx([2.0] * 3, abs=0.05)


def test_what_is_held_stays_nearer_to_nothing() -> None:
    truth = moved_head(START, TRUE)
    free, tied = (find(placed(truth), held=weight) for weight in (0.01, 100.0))
    assert distance(tied, START) < 0.3 * distance(free, START)
