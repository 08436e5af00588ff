"""Where a head without a face is thought to lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import faceblind.attacks.faceless as faceless
import faceblind.attacks.locate as module
from faceblind.attacks.locate import locate_head
from faceblind.errors import AlignmentError
from faceblind.formats import load
from faceblind.geometry.grid import from_scan, regrid
from faceblind.head.alignment import align, moved
from faceblind.head.brain_cover import PIVOT
from faceblind.head.brain_pose import BrainPose
from faceblind.head.skin import find_skin
from faceblind.head.whole_head import find_whole_head
from faceblind.protect.deface import deface
from faceblind.protect.reface import reface
from faceblind.scan import Scan

pytestmark = pytest.mark.slow


def below_the_brow(scan, alignment):
    """The scan without its face from the eyes down, as masks of other tools leave it."""
    index = np.argwhere(np.ones(scan.shape, bool))
    where = (
        scan.world(index) @ alignment.scan_to_template[:3, :3].T + alignment.scan_to_template[:3, 3]
    )
    face = ((where[:, 1] > 45.0) & (where[:, 2] < 12.0)).reshape(scan.shape)
    air = float(np.quantile(scan.voxels, 0.05))
    return replace(scan, voxels=np.where(face, air, scan.voxels).astype(np.float32), stored=None)


@pytest.fixture(scope="module")
def cut(shared):
    """A real head without its face below the brow, and its true place."""
    scan = load(shared / "scans" / "ixi015_T1w_2mm.nii.gz")
    true = align(find_skin(scan), scan)
    return below_the_brow(scan, true), true


def averaged(scan, size_mm):
    """On voxels of `size_mm`."""
    grid = from_scan(scan)
    grid = regrid(grid, np.full(3, size_mm))
    return Scan(grid.values, grid.affine, scan.modality, scan.source)


def pitched(true, degrees=15.0):
    """The place that a scalp alone may give."""
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("x", degrees, degrees=True).as_matrix()
    turn[:3, 3] = PIVOT - turn[:3, :3] @ PIVOT
    return moved(true, np.linalg.inv(true.scan_to_template) @ turn @ true.scan_to_template)


def test_a_brow_that_stays_is_not_taken_for_scalp(cut, monkeypatch):
    scan, true = cut
    monkeypatch.setattr(module, "align", lambda *_, **__: pitched(true))
    monkeypatch.setattr(faceless, "align_by_scalp", lambda *_, **__: pitched(true))
    with monkeypatch.context() as without:
        without.setattr(
            faceless,
            "find_brain_pose",
            lambda scan_to_template, *_: BrainPose(scan_to_template, 1.0, 1.0),
        )
        by_scalp = locate_head(scan).regions
    found = locate_head(scan).regions
    assert by_scalp["brow"].share < 0.5
    assert found["brow"].share > 0.8
    assert found["nose"].share < 0.1


def test_a_head_that_neither_face_nor_brain_places_is_refused(cut, monkeypatch):
    scan, _ = cut
    found = module.align

    def doubtful(*args, **kwargs):
        return replace(found(*args, **kwargs), confidence=0.2)

    monkeypatch.setattr(module, "align", doubtful)
    monkeypatch.setattr(
        faceless,
        "find_brain_pose",
        lambda scan_to_template, *_: BrainPose(scan_to_template, 0.0, 0.0),
    )
    with pytest.raises(AlignmentError, match="no head was found with enough confidence"):
        locate_head(scan)


@pytest.mark.parametrize("degrees", [20.0, -20.0])
def test_our_cut_is_found_in_a_nodding_head(shared, monkeypatch, degrees):
    scan = load(shared / "scans" / "ixi015_T1w_2mm.nii.gz")
    head = find_whole_head(scan)
    done = deface(scan, head=head)
    for where, name in ((module, "align"), (faceless, "align_by_scalp")):
        monkeypatch.setattr(where, name, lambda *_, **__: pitched(head.alignment, degrees))
    known = locate_head(done.scan).known
    assert known.is_cut
    turned = known.place.head.turn @ done.placement.turn.T
    assert Rotation.from_matrix(turned).magnitude() < np.radians(6.0)


def test_our_cut_is_found_in_a_head_that_the_scalp_lays_wrong(shared):
    """Colin27 without its face is found pitched by 20 degrees."""
    scan = load(shared / "scans" / "colin27_T1w_cut_below_nose.nii.gz")
    head = find_whole_head(scan)
    found = locate_head(deface(scan, head=head).scan)
    assert found.known.is_cut
    assert found.known.cut > 0.75
    nasion = head.alignment.landmarks()["nasion"]
    assert np.linalg.norm(found.alignment.landmarks()["nasion"] - nasion) < 12.0


def test_an_intact_face_with_a_noisy_chin_is_not_searched_for_our_cut(shared, monkeypatch):
    """In this scan most of the face has no clear edge, but its brow has."""
    scan = load(shared / "scans" / "t1_gre_3t_460x512x160.nii.gz")
    small = averaged(scan, 2.0)
    monkeypatch.delattr(faceless, "align_by_scalp")
    found = locate_head(small, native=scan)
    assert not found.known.is_cut
    assert found.remaining > 0.85


def test_a_new_face_that_seems_to_be_a_cut_far_from_its_brain_is_found(shared):
    """On coarse voxels of a head cut below the nose, a template bent itself onto the front."""
    scan = averaged(load(shared / "scans" / "colin27_T1w_cut_below_nose.nii.gz"), 1.5)
    found = locate_head(reface(scan).scan)
    assert found.known.is_face
    assert found.known.face > 0.95
