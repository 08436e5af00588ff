"""What is not faceblind's own cut or face is not taken for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from faceblind.attacks.examine import examine
from faceblind.attacks.locate import locate_head
from faceblind.attacks.own_protection.find import aligned_by
from faceblind.attacks.verdict import judge
from faceblind.formats.nifti import save
from faceblind.head.template import load_template
from faceblind.protect.deface import deface
from faceblind.protect.placement import placement_of
from faceblind.protect.region_options import RegionOptions

pytestmark = pytest.mark.slow


def nose_of(subject):
    x, y, z = np.moveaxis(subject.place, -1, 0)
    return (np.abs(x) < 20) & (y > 78) & (z > -45) & (z < 20)


@pytest.mark.parametrize("name", ["intact", "plane cut", "template mask"])
def test_other_ways_are_not_ours(hide, subject, name):
    scan = next(m for m in hide.METHODS if m.name == name).apply(subject)
    known = locate_head(scan).known
    assert not known.is_cut
    assert not known.is_face
    assert known.face < 0.7


def test_a_nose_that_was_put_back_does_not_pass(defaced, subject, tmp_path):
    canonical = defaced.done.scan.canonical()
    voxels = np.array(canonical.voxels)
    nose = nose_of(subject)
    voxels[nose] = subject.scan.voxels[nose]
    path = tmp_path / "sub-01_T1w.nii.gz"
    save(replace(canonical, voxels=voxels, stored=None), path)
    verdict = judge("scan", examine(path).findings)
    # It floats before the cut, so that it is a piece in the air rather than skin of the head.
    assert verdict.status != "pass"
    assert "nose" in verdict.reasons[0].text or "anterior side" in verdict.reasons[0].text


def test_eyes_that_were_kept_are_named(volunteer, tmp_path):
    path = tmp_path / "sub-01_T1w.nii.gz"
    save(deface(volunteer, options=RegionOptions(keep_eyes=True)).scan, path)
    verdict = judge("scan", examine(path).findings)
    assert verdict.status != "pass"


def test_an_alignment_says_what_its_placement_says(volunteer):
    placement = placement_of(np.array([0.96, 1.0, 0.92]), np.eye(3), np.array([1.0, 2.0, 3.0]))
    found = aligned_by(placement, locate_head(volunteer).alignment)
    template = load_template()
    back = np.linalg.inv(placement.scan_to_template)
    want = template.points @ back[:3, :3].T + back[:3, 3]
    face = template.region("brow", "eyes", "nose", "mouth")
    assert np.linalg.norm(found.fitted() - want, axis=1)[face].mean() < 2.0
