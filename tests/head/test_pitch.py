"""A nodding head is turned back by what is inside it."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.formats import load
from faceblind.head.alignment import align, moved
from faceblind.head.brain_cover import PIVOT
from faceblind.head.pitch import nodded
from faceblind.head.skin import find_skin
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import scan_session

BROW = np.array([0.0, 88.0, 25.0])


def turned(alignment, degrees, forwards=0.0, up=0.0):
    """The alignment of a head that is thought to nod."""
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = PIVOT - turn[:3, :3] @ PIVOT + [0.0, forwards, up]
    return moved(alignment, np.linalg.inv(alignment.affine) @ turn @ alignment.affine)


def nod_between(first, second):
    both = first.affine @ np.linalg.inv(second.affine)
    return np.degrees(np.arctan2(both[2, 1] - both[1, 2], both[1, 1] + both[2, 2]))


def brow_off(found, true):
    there = np.linalg.inv(true.affine) @ [*BROW, 1.0]
    return np.linalg.norm((found.affine @ there)[:3] - BROW)


@pytest.fixture(scope="module")
def contrasts():
    """Scan and true place of one synthetic head in several contrasts."""
    settings = ScannerSettings(spacing_mm=2.0)
    made = scan_session(sample_person(21, 4), ("T1w", "T2w", "CT"), settings)
    return {name: (truth.scan, align(find_skin(truth.scan), truth.scan))
            for name, truth in made.items()}  # fmt: skip


@pytest.mark.parametrize("name", ["T1w", "T2w", "CT"])
@pytest.mark.parametrize(("degrees", "shift"), [(14.0, (5.0, -4.0)), (-17.0, (-3.0, 6.0))])
def test_a_nod_is_undone_in_any_contrast(contrasts, name, degrees, shift):
    scan, true = contrasts[name]
    wrong = turned(true, degrees, *shift)
    found = nodded(wrong, scan)
    assert found is not None
    assert abs(nod_between(wrong, true)) > 12.0
    assert abs(nod_between(found, true)) < 5.0
    assert brow_off(found, true) < 9.0 < brow_off(wrong, true)


@pytest.mark.parametrize("name", ["sub-a_T1w", "ixi015_T1w_2mm", "ct_head_scaled01"])
def test_a_nod_is_undone_in_real_heads(shared, name):
    scan = load(shared / "scans" / f"{name}.nii.gz")
    true = align(find_skin(scan), scan)
    wrong = turned(true, 14.0)
    found = nodded(wrong, scan)
    assert found is not None
    assert abs(nod_between(found, true)) < 5.0
    assert brow_off(found, true) < 0.6 * brow_off(wrong, true)


def test_noise_tells_nothing(contrasts):
    scan, true = contrasts["T1w"]
    noise = np.random.default_rng(0).normal(100.0, 20.0, scan.shape).astype(np.float32)
    assert nodded(true, Scan(noise, scan.affine)) is None
