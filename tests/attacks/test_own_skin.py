"""A protection that was laid wrong does not hide what remains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from faceblind.attacks.examine import examine
from faceblind.attacks.locate import locate_head
from faceblind.attacks.own_skin import find_own_skin
from faceblind.attacks.region_presence import find_regions, remaining_face_share
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.verdict import judge
from faceblind.formats import load
from faceblind.formats.nifti import save
from faceblind.head.segmentation import find_head
from faceblind.scan import Scan

pytestmark = pytest.mark.slow


def mislaid(scan: Scan, done, shift_mm: tuple[float, float, float]) -> Scan:
    """A protection's region and what it put there, moved over the intact scan (RAS+ mm)."""
    steps = np.linalg.inv(scan.affine)[:3, :3] @ np.array(shift_mm)
    mask, new = (
        ndimage.shift(np.asarray(v, np.float32), steps, order=0, mode="nearest")
        for v in (done.region.mask, done.scan.voxels)
    )
    voxels = np.where(mask > 0.5, new, np.asarray(scan.voxels, np.float32))
    return Scan(voxels.astype(np.float32), scan.affine, scan.modality)


def audited(scan: Scan, tmp_path):
    path = tmp_path / "sub-01_T1w.nii.gz"
    save(scan, path)
    return judge("scan", examine(path).findings)


def test_nothing_of_the_person_shows_where_the_cut_lies_right(defaced):
    scan = defaced.done.scan
    own = find_own_skin(defaced.located, scan, find_head(scan))
    assert own.is_sure
    face = defaced.located.alignment.template.region("eyes", "nose", "mouth", "chin")
    assert own.shows[face].mean() < 0.05


@pytest.mark.parametrize("forward", [12.0, 20.0])
def test_a_cut_too_far_forward_does_not_pass(volunteer, defaced, tmp_path, forward):
    verdict = audited(mislaid(volunteer, defaced.done, (0.0, forward, 0.0)), tmp_path)
    assert verdict.status != "pass"
    assert verdict.findings.regions["brow"].share > 0.5
    assert verdict.findings.remaining > 0.1


def test_a_new_face_too_far_forward_does_not_pass(volunteer, refaced, tmp_path):
    verdict = audited(mislaid(volunteer, refaced, (0.0, 20.0, 0.0)), tmp_path)
    assert verdict.status != "pass"


@pytest.mark.parametrize("name", ["chris", "ixi012"])
def test_the_mislaid_cuts_of_the_shared_cases_fail(shared, name):
    path = shared / "cases" / f"mislaid_{name}_T1w.nii.gz"
    if not path.exists():
        pytest.skip("the shared cases are absent")
    verdict = judge("scan", examine(path).findings)
    assert verdict.status == "fail"
    assert verdict.findings.remaining > 0.3
    assert "brow" in verdict.reasons[0].text
    assert "eyes" in verdict.reasons[0].text


def test_our_cut_is_found_where_scalp_and_brain_have_the_face(shared):
    """Where the field of view ends at the nose, the cut also fits 50 mm higher up."""
    from faceblind.head.whole_head import find_whole_head
    from faceblind.protect.deface import deface

    scan = load(shared / "scans" / "chris_T1w.nii.gz")
    head = find_whole_head(scan)
    found = locate_head(deface(scan, head=head).scan)
    assert found.known.is_cut
    middle = head.alignment.landmarks()["nasion"]
    assert np.linalg.norm(found.alignment.landmarks()["nasion"] - middle) < 20.0


def test_a_cut_that_looks_like_a_face_is_known_for_a_cut(shared):
    """Slices of 2.4 mm that end at the nose: the template fits on the cut itself."""
    from faceblind.protect.deface import deface

    scan = load(shared / "scans" / "chris_PDw.nii.gz")
    found = locate_head(deface(scan).scan)
    assert found.known.is_cut
    rest = find_regions(found.surface, found.alignment.template, found.known.ours)
    assert remaining_face_share(rest) < SETTINGS.pass_remaining


def test_resampled_after_protection_edges_tell_nothing(defaced):
    done = defaced.done
    smooth = ndimage.gaussian_filter(np.asarray(done.scan.voxels, np.float32), 0.8)
    scan = replace(done.scan, voxels=smooth, stored=None)
    located = locate_head(scan)
    assert located.known.is_cut
    assert not find_own_skin(located, scan, find_head(scan)).is_sure
