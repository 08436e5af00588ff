"""What a protection leaves is seen by the protection itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from nibabel.affines import apply_affine
from numpy.testing import assert_array_equal

from faceblind.attacks.remaining_face import find_remaining
from faceblind.attacks.surface import FACE, find_surface
from faceblind.errors import ScanError
from faceblind.formats.nifti import save
from faceblind.head.whole_head import find_whole_head
from faceblind.protect import deface as deface_module
from faceblind.workflows.protect import protect_file
from faceblind.workflows.protect_settings import ProtectionSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def head(volunteer):
    return find_whole_head(volunteer)


def looked(volunteer, head, after, mask, air=True):
    return find_remaining(volunteer, after, mask, head.skin, head.alignment, air=air)


def test_nothing_stays_of_a_face_that_was_removed(volunteer, head, defaced):
    left, regions = looked(volunteer, head, defaced.done.scan, defaced.done.region.mask)
    assert left < 0.05
    assert max(regions[name] for name in ("eyes", "nose", "mouth", "chin", "cheeks")) < 0.1


def test_a_face_that_was_not_touched_stays_whole(volunteer, head):
    left, regions = looked(volunteer, head, volunteer, np.zeros(volunteer.shape, bool))
    assert left > 0.8
    assert regions["nose"] > 0.8


def test_the_face_is_seen_alone_as_with_the_whole_head(volunteer, head):
    """Also where rays pass through to the back of the head, and where that is a cap."""
    skin, face = head.skin, head.alignment.template.region(*FACE)
    _, forward, height = apply_affine(head.alignment.scan_to_template, skin.points).T
    behind = forward < 60.0
    opened = replace(skin, faces=skin.faces[behind[skin.faces].all(axis=1)])
    for shown in (skin, opened, replace(opened, edge=height < 0.0)):
        whole = find_surface(shown, head.alignment, volunteer)
        alone = find_surface(shown, head.alignment, volunteer, chosen=face)
        assert_array_equal(alone.seen, whole.seen & face)
        assert_array_equal(alone.offset[alone.seen], whole.offset[alone.seen])
        assert_array_equal(alone.vertex[alone.seen], whole.vertex[alone.seen])
    assert 0 < alone.seen.sum() < face.sum()


def test_a_region_too_far_forward_leaves_brow_and_eyes(volunteer, head, defaced):
    forward = np.argmax(np.abs(np.linalg.inv(volunteer.affine)[:3, 1]))
    steps = round(20.0 / float(volunteer.spacing[forward]) * np.sign(volunteer.affine[1, forward]))
    mask = np.roll(defaced.done.region.mask, steps, axis=forward)
    left, regions = looked(volunteer, head, volunteer, mask, air=False)
    assert regions["brow"] > 0.8
    assert left > 0.2


def test_new_air_as_bright_as_tissue_is_a_face(volunteer, head, defaced):
    mask = defaced.done.region.mask
    bright = np.where(mask, np.float32(np.quantile(volunteer.voxels, 0.99)), volunteer.voxels)
    left, _ = looked(volunteer, head, replace(volunteer, voxels=bright, stored=None), mask)
    assert left > 0.8


def test_a_cut_that_is_too_shallow_is_refused_and_nothing_written(volunteer, tmp_path, monkeypatch):
    """No head here is cut so; the cut itself is made to miss."""
    source = tmp_path / "sub-01_T1w.nii.gz"
    save(volunteer, source)
    make = deface_module.face_region

    def shallow(scan, *rest):
        region = make(scan, *rest)
        return replace(region, mask=np.roll(region.mask, 12, axis=1))

    monkeypatch.setattr(deface_module, "face_region", shallow)
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / source.name
    with pytest.raises(ScanError, match=r"skin of the face would stay \(.*nothing was written"):
        protect_file(source, target, ProtectionSettings("deface"))
    assert not list(target.parent.iterdir())
