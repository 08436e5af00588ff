"""A head that its scalp misplaces is placed right by its brain."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.formats import load
from faceblind.head.alignment import align, moved
from faceblind.head.brain_cover import PIVOT
from faceblind.head.brain_pose import find_brain_pose
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import scan_session

BROW = np.array([0.0, 88.0, 25.0])


def turned(alignment, degrees, forwards=0.0, up=0.0):
    """The alignment of a head that is thought to pitch."""
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = PIVOT - turn[:3, :3] @ PIVOT + [0.0, forwards, up]
    return moved(
        alignment, np.linalg.inv(alignment.scan_to_template) @ turn @ alignment.scan_to_template
    )


def turned_by(first, second):
    """Degrees about the axis through the ears between two affines."""
    both = first @ np.linalg.inv(second)
    return np.degrees(np.arctan2(both[2, 1] - both[1, 2], both[1, 1] + both[2, 2]))


def brow_off(affine, true):
    there = np.linalg.inv(true.scan_to_template) @ [*BROW, 1.0]
    return np.linalg.norm((affine @ there)[:3] - BROW)


@pytest.fixture(scope="module")
def contrasts():
    """Scan and true place of one synthetic head in several contrasts."""
    settings = ScannerSettings(spacing_mm=2.0)
    made = scan_session(sample_person(21, 4), ("T1w", "T2w", "CT"), settings)
    return {name: (truth.scan, align(find_skin(truth.scan), truth.scan))
            for name, truth in made.items()}  # fmt: skip


@pytest.mark.parametrize("name", ["T1w", "T2w"])
@pytest.mark.parametrize(("degrees", "shift"), [(14.0, (5.0, -4.0)), (-17.0, (-3.0, 6.0))])
def test_a_turn_and_a_shift_are_undone_in_any_contrast(contrasts, name, degrees, shift):
    scan, true = contrasts[name]
    wrong = turned(true, degrees, *shift).scan_to_template
    found = find_brain_pose(wrong, scan, find_head(scan))
    assert found.is_sure
    assert abs(turned_by(wrong, true.scan_to_template)) > 12.0
    assert abs(turned_by(found.scan_to_template, true.scan_to_template)) < 6.0
    assert brow_off(found.scan_to_template, true) < 10.0 < brow_off(wrong, true)


def test_a_brain_of_one_grey_is_no_sure_place(contrasts):
    """Simulated CT: grey and white matter have one density, and only an outline is left."""
    scan, true = contrasts["CT"]
    assert not find_brain_pose(true.scan_to_template, scan, find_head(scan)).is_sure


@pytest.mark.parametrize("name", ["sub-a_T1w", "ixi015_T1w_2mm", "t1_tfl_2mm"])
@pytest.mark.parametrize("degrees", [-20.0, 25.0])
def test_a_turn_is_undone_in_real_heads(shared, name, degrees):
    """Among them one that a surface coil shades by a factor of ten."""
    scan = load(shared / "scans" / f"{name}.nii.gz")
    true = align(find_skin(scan), scan)
    wrong = turned(true, degrees).scan_to_template
    found = find_brain_pose(wrong, scan, find_head(scan))
    assert found.is_sure
    assert brow_off(wrong, true) > 25.0
    assert brow_off(found.scan_to_template, true) < 8.0


def test_a_size_is_found(contrasts):
    scan, true = contrasts["T1w"]
    smaller = np.diag([1.1, 1.1, 1.1, 1.0]) @ true.scan_to_template
    found = find_brain_pose(smaller, scan, find_head(scan)).scan_to_template
    size = np.cbrt(np.linalg.det(found) / np.linalg.det(true.scan_to_template))
    assert size == pytest.approx(1.0, abs=0.04)


def test_noise_tells_nothing(contrasts):
    scan, true = contrasts["T1w"]
    noise = np.random.default_rng(0).normal(100.0, 20.0, scan.shape).astype(np.float32)
    assert not find_brain_pose(
        true.scan_to_template, Scan(noise, scan.affine), find_head(scan)
    ).is_sure
