"""Each attack by the public audit, on one volunteer: what was done to the scan is known."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

import faceblind
from faceblind.attacks.settings import SETTINGS
from faceblind.formats.nifti import save
from faceblind.scan import Scan

pytestmark = pytest.mark.slow

NAME = "sub-01_T1w.nii.gz"
BRAIN_MM = (0.0, 20.0, 50.0)
"""Template mm of a place in the middle of the brain."""


def verdict_of(scan, folder, **options):
    """The audit's verdict on a scan, from its file."""
    save(scan, folder / NAME)
    report = faceblind.audit(folder / NAME, n_jobs=1, show_progress=False, **options)
    (verdict,) = report.verdicts
    assert report.passed == (verdict.status == "pass")
    return verdict


def kinds(verdict):
    return [reason.kind for reason in verdict.reasons]


def test_intact_fails_and_names_the_face(hide, subject, tmp_path):
    verdict = verdict_of(hide.intact(subject), tmp_path)
    assert verdict.status == "fail"
    assert all(name in verdict.reasons[0].text for name in ("eyes", "nose", "mouth"))
    assert verdict.findings.score > 0.8
    assert verdict.findings.detector_views > 40


def test_a_face_under_a_fill_is_found(subject, tmp_path):
    """A box of one grey value stands before the face; below it the face is whole."""
    x, y, z = np.moveaxis(subject.place, -1, 0)
    box = (np.abs(x) < 75) & (y > 15) & (y < 125) & (z > -95) & (z < 45)
    voxels = subject.scan.voxels.copy()
    voxels[box & (subject.depth < 3)] = round(0.8 * subject.tissue)
    verdict = verdict_of(subject.with_voxels(voxels), tmp_path)
    assert verdict.status == "fail"
    assert verdict.findings.fills[0].kind == "constant"
    assert verdict.findings.remaining < 0.5 < verdict.findings.remaining_under_fills
    assert "under a fill" in " ".join(reason.text for reason in verdict.reasons)


def test_hugging_erosion_fails(hide, subject, tmp_path):
    assert verdict_of(hide.hug(4.0)(subject), tmp_path).status == "fail"


def test_a_darkened_face_is_found(hide, subject, tmp_path):
    verdict = verdict_of(hide.dimmed(subject), tmp_path)
    assert verdict.status == "fail"
    assert verdict.findings.remaining < 0.14 < 0.5 < verdict.findings.remaining_in_the_dark


def test_a_blurred_face_is_told_and_sharpened(hide, subject, tmp_path):
    verdict = verdict_of(hide.blur(4.0)(subject), tmp_path)
    assert verdict.status == "fail"
    assert "blurred" in kinds(verdict)
    assert 2.5 < verdict.findings.blur_mm < 5.0
    assert verdict.findings.remaining_deblurred > 0.8


def test_a_nose_in_the_air_behind_the_head_is_named(hide, subject, tmp_path):
    verdict = verdict_of(hide.wrapped_nose(subject), tmp_path)
    assert verdict.status == "unsure"
    assert "wrapped" in kinds(verdict)
    assert [(piece.side, piece.like) for piece in verdict.findings.pieces] == [
        ("posterior", "nose")
    ]
    assert verdict.findings.face < SETTINGS.pass_remaining


def test_removed_face_with_ears_is_doubted_for_the_ears_only(hide, subject, tmp_path):
    verdict = verdict_of(hide.zeroed(subject), tmp_path)
    assert verdict.findings.face < SETTINGS.pass_remaining
    assert SETTINGS.pass_remaining < verdict.findings.score < SETTINGS.fail_remaining
    assert verdict.status == "unsure"
    assert "ear" in verdict.reasons[0].text


def test_a_face_in_a_later_volume_is_found(subject, defaced, tmp_path):
    """Neither in the first nor in the last volume."""
    bare = defaced.done.scan.canonical().voxels
    shown = np.rint(subject.scan.voxels).astype(bare.dtype)
    series = Scan(np.stack([bare, bare, shown, bare], -1), subject.scan.affine, "bold")
    verdict = verdict_of(series, tmp_path)
    assert verdict.status == "fail"
    assert verdict.findings.remaining < SETTINGS.pass_remaining
    assert verdict.findings.remaining_in_later_volumes > 0.6
    assert "in later volumes" in verdict.reasons[0].text


@pytest.fixture(scope="module")
def tampered(volunteer, placed, defaced, tmp_path_factory):
    """Defaced, but with a name in the header and 8 ml of the brain altered; the original given."""
    folder, originals = tmp_path_factory.mktemp("after"), tmp_path_factory.mktemp("before")
    save(volunteer, originals / NAME)
    scan = defaced.done.scan
    back = np.linalg.inv(placed.scan_to_template)
    x, y, z = np.round(scan.index((back @ [*BRAIN_MM, 1.0])[None, :3])[0]).astype(int)
    voxels = scan.voxels.copy()
    voxels[x - 5 : x + 5, y - 5 : y + 5, z - 5 : z + 5] //= 2
    save(replace(scan, voxels=voxels, stored=None), folder / NAME)
    image = nib.load(folder / NAME)
    named = nib.Nifti1Image(np.asarray(image.dataobj), None, image.header)
    named.header["descrip"] = b"DOE^JANE"
    nib.save(named, folder / NAME)
    report = faceblind.audit(folder / NAME, originals=originals, n_jobs=1, show_progress=False)
    return report.verdicts[0]


def test_altered_brain_is_measured_against_the_original(tampered):
    assert tampered.status == "fail"
    assert "brain_changed" in kinds(tampered)
    spacing = 2.0
    assert tampered.findings.brain.changed_mm3 == pytest.approx(1000 * spacing**3, rel=0.02)
    assert "frontal" in tampered.findings.brain.where


def test_a_name_in_the_header_fails_and_is_not_quoted(tampered):
    (reason,) = [reason for reason in tampered.reasons if reason.kind == "metadata"]
    assert "header field descrip: looks like a person's name" in reason.text
    assert "JANE" not in str(tampered.as_dict(private=True))
    (found,) = tampered.findings.metadata
    assert found.severity == "identifies"


@pytest.mark.parametrize("what", ["cut", "face"])
def test_our_own_protection_passes_without_the_original(request, what, tmp_path):
    scan = (
        request.getfixturevalue("defaced").done.scan
        if what == "cut"
        else request.getfixturevalue("refaced").scan
    )
    verdict = verdict_of(scan, tmp_path)
    assert verdict.findings.replaced == what
    assert verdict.status == "pass", verdict.reasons
    assert verdict.findings.metadata == ()
