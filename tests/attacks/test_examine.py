"""The attacks on one volunteer: what was done to the scan is known."""

from __future__ import annotations

import pytest

from faceblind.attacks.examine import examine
from faceblind.attacks.fills import peel
from faceblind.attacks.locate import locate_head
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.verdict import judge
from faceblind.formats.nifti import save
from faceblind.protect.deface import deface
from faceblind.protect.reface import reface

pytestmark = pytest.mark.slow


def verdict_of(scan, folder):
    path = folder / "sub-01_T1w.nii.gz"
    save(scan, path)
    return judge("scan", examine(path).findings)


def test_intact_fails_and_names_the_face(hide, subject, tmp_path):
    verdict = verdict_of(hide.intact(subject), tmp_path)
    assert verdict.status == "fail"
    assert all(name in verdict.reasons[0].text for name in ("eyes", "nose", "mouth"))
    assert verdict.findings.score > 0.8
    assert verdict.findings.detector_views > 40


def test_slab_is_peeled_and_what_lies_below_is_a_face(hide, subject):
    peeled = peel(hide.slab(subject))
    assert peeled is not None
    assert peeled.fills[0].kind == "constant"
    assert locate_head(peeled.scan).remaining > 0.6


def test_hugging_erosion_fails(hide, subject, tmp_path):
    assert verdict_of(hide.hug(4.0)(subject), tmp_path).status == "fail"


def test_a_darkened_face_is_found(hide, subject, tmp_path):
    verdict = verdict_of(hide.dimmed(subject), tmp_path)
    assert verdict.status == "fail"
    assert verdict.findings.remaining < 0.14 < 0.5 < verdict.findings.remaining_in_the_dark


def test_removed_face_with_ears_is_doubted_for_the_ears_only(hide, subject, tmp_path):
    verdict = verdict_of(hide.zeroed(subject), tmp_path)
    assert verdict.findings.face < SETTINGS.pass_remaining
    assert SETTINGS.pass_remaining < verdict.findings.score < SETTINGS.fail_remaining
    assert verdict.status == "unsure"
    assert "ear" in verdict.reasons[0].text


@pytest.mark.parametrize(("protection", "what"), [(deface, "cut"), (reface, "face")])
def test_our_own_protection_passes_without_the_original(volunteer, tmp_path, protection, what):
    verdict = verdict_of(protection(volunteer).scan, tmp_path)
    assert verdict.findings.replaced == what
    assert verdict.status == "pass", verdict.reasons
