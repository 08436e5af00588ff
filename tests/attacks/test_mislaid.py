"""How far a protection lies from where the brain has the face."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy.spatial.transform import Rotation

from faceblind.attacks.mislaid import (
    BROW_MM,
    USUAL_CUT_MM,
    USUAL_FACE_MM,
    apart_mm,
    aside_mm,
    short_mm,
)
from faceblind.attacks.own_protection.cut import CutPlace
from faceblind.attacks.own_protection.find import OwnProtection
from faceblind.head.alignment import moved
from faceblind.protect.placement import nearest_placement


@pytest.fixture
def alignment(phantom):
    return phantom(seed=1).head.alignment


def shifted(by):
    found = np.eye(4)
    found[:3, 3] = by
    return found


def cut_at(scan_to_cut):
    return OwnProtection(
        1.0, 0.0, np.zeros(1, bool), CutPlace(nearest_placement(scan_to_cut), scan_to_cut)
    )


def face_at(scan_to_face):
    place = nearest_placement(scan_to_face)
    return OwnProtection(0.0, 1.0, np.zeros(1, bool), face_at=place), place.scan_to_face


def test_alignments_lie_as_far_apart_as_one_was_moved(alignment):
    assert apart_mm(alignment, alignment) == 0.0
    assert apart_mm(alignment, moved(alignment, shifted([3.0, 0.0, 4.0]))) == pytest.approx(5.0)


@pytest.mark.parametrize("by", [(0.0, 8.0, 0.0), (0.0, -3.0, 4.0), (6.0, 0.0, 12.0)])
def test_a_cut_is_aside_by_what_it_was_moved_forwards_and_upwards(alignment, by):
    brain = alignment.scan_to_template
    usual = shifted(-USUAL_CUT_MM) @ brain
    assert aside_mm(cut_at(usual), alignment) == pytest.approx(0.0, abs=1e-9)
    there = shifted(-np.array(by)) @ usual
    assert aside_mm(cut_at(there), alignment) == pytest.approx(np.hypot(*by[1:]))


def test_a_turned_cut_is_aside_by_the_arc_of_the_brow(alignment):
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("x", 10.0, degrees=True).as_matrix()
    found = aside_mm(cut_at(turn @ shifted(-USUAL_CUT_MM) @ alignment.scan_to_template), alignment)
    chord = 2.0 * np.linalg.norm(BROW_MM) * np.sin(np.radians(5.0))
    assert found == pytest.approx(chord, rel=0.05)


def test_a_new_face_is_measured_by_its_own_usual_place(alignment):
    found, scan_to_face = face_at(alignment.scan_to_template_rigid)
    brow = apply_affine(alignment.scan_to_template @ np.linalg.inv(scan_to_face), BROW_MM)
    assert aside_mm(found, alignment) == pytest.approx(
        np.hypot(*(brow - BROW_MM - USUAL_FACE_MM)[1:])
    )


def test_without_a_protection_nothing_is_aside(alignment):
    assert aside_mm(OwnProtection(0.0, 0.0, np.zeros(1, bool)), alignment) == 0.0
    assert short_mm(OwnProtection(0.0, 0.0, np.zeros(1, bool)), np.eye(4)) == 0.0


@pytest.mark.parametrize(
    ("by", "short"),
    [
        ((0.0, 8.0, 0.0), 8.0 / np.sqrt(2.0)),
        ((0.0, 0.0, -12.0), 12.0 / np.sqrt(2.0)),
        ((5.0, 0.0, 12.0), -12.0 / np.sqrt(2.0)),
        ((0.0, 6.0, 6.0), 0.0),
    ],
)
def test_a_protection_is_short_by_what_it_lies_too_low_or_too_far_forward(alignment, by, short):
    head = alignment.scan_to_template
    cut = shifted(-np.array(by)) @ shifted(-USUAL_CUT_MM) @ head
    assert short_mm(cut_at(cut), head) == pytest.approx(short)
    found, scan_to_face = face_at(alignment.scan_to_template_rigid)
    wanted = shifted(-np.array(by)) @ scan_to_face
    usual = short_mm(found, head)
    moved_face = OwnProtection(
        0.0, 1.0, np.zeros(1, bool),
        face_at=SimpleNamespace(scan_to_face=wanted),
    )  # fmt: skip
    size = np.linalg.norm((head @ np.linalg.inv(scan_to_face))[:3, :3], axis=0).mean()
    assert short_mm(moved_face, head) - usual == pytest.approx(size * short, abs=1.0)
