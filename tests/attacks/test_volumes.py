"""The audit looks at every volume where its own head lies."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.attacks.brain import find_harm
from faceblind.attacks.examine import examine
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.volumes import followed
from faceblind.formats.nifti import save
from faceblind.head.segmentation import find_head
from faceblind.protect.deface import deface
from faceblind.scan import Scan

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def moving(volunteer):
    """The volunteer, and again 20 mm further back."""
    voxels = np.rint(volunteer.voxels).astype(np.int16)
    axis = int(np.argmax(np.abs(volunteer.affine[1, :3])))
    steps = -10 if volunteer.affine[1, axis] > 0 else 10
    back = np.roll(voxels, steps, axis)
    return Scan(np.asfortranarray(np.stack([voxels, back], -1)), volunteer.affine, "T1w")


@pytest.fixture(scope="module")
def protected(moving):
    """The series, defaced where the head of each volume lies."""
    return deface(moving)


def test_a_face_is_seen_where_the_head_moved_to(moving, protected, tmp_path):
    """The region of the first volume laid on both leaves brow and eyes of the second."""
    first = deface(Scan(moving.volume(0), moving.affine, "T1w"))
    wrong = moving.with_changes(first.region.mask, 0)
    assert protected.region.mask.ndim == 4
    for scan, name in ((wrong, "wrong"), (protected.scan, "right")):
        save(scan, tmp_path / f"{name}_T1w.nii.gz")
    found = examine(tmp_path / "wrong_T1w.nii.gz").findings
    assert found.remaining_in_later_volumes >= SETTINGS.fail_remaining
    found = examine(tmp_path / "right_T1w.nii.gz").findings
    assert found.remaining_in_later_volumes < SETTINGS.pass_remaining


def test_a_region_that_moved_with_the_head_harms_no_brain(moving, protected, placed):
    done = protected
    head = find_head(Scan(moving.volume(0), moving.affine))
    motion = followed(done.scan, 0, placed)
    harm = find_harm(done.scan, placed, head, moving, motion=motion)
    assert harm.changed_mm3 == 0.0
    assert find_harm(done.scan, placed, head, moving).changed_mm3 >= 0.0
