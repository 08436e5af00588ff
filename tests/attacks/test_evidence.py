"""Evidence is gathered once, from the volume that shows the head best."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from faceblind.attacks import evidence as module
from faceblind.attacks import examine as examination
from faceblind.attacks.evidence import gather
from faceblind.attacks.examine import examine
from faceblind.errors import AlignmentError, ScanError
from faceblind.formats.nifti import save
from faceblind.head.dim_face import DimHead
from faceblind.scan import Scan


@pytest.fixture(scope="module")
def gathered(volunteer, tmp_path_factory):
    path = tmp_path_factory.mktemp("evidence") / "sub-1_T1w.nii.gz"
    save(volunteer, path)
    return gather(path)


def test_an_intact_head_is_located_once_and_shows_its_face(gathered, monkeypatch):
    first = gathered.located
    monkeypatch.setattr(module, "locate_head", None)
    assert gathered.located is first
    assert gathered.surface is first.surface
    assert gathered.replaced == ""
    assert gathered.explained is None
    assert gathered.own_skin is None
    assert gathered.short_mm == 0.0
    assert gathered.motion is None
    assert gathered.regions is gathered.regions
    assert gathered.regions["nose"].share > 0.9
    assert gathered.detection[1] >= 45


def test_fine_voxels_are_averaged_before_they_are_attacked(tmp_path):
    values = np.zeros((360, 360, 360), np.uint8)
    index = np.indices(values.shape, np.float32) - 179.5
    values[(index**2).sum(axis=0) < 150**2] = 100
    save(Scan(values, np.diag([0.5, 0.5, 0.5, 1.0])), tmp_path / "a.nii.gz")
    found = gather(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(found.native.spacing, 0.5)
    np.testing.assert_allclose(found.scan.spacing, 1.0)
    assert found.head.mask.shape == found.scan.shape or found.head.mask.any()


def test_what_cannot_be_used_says_so(tmp_path, volunteer):
    noise = np.random.default_rng(0).normal(100.0, 5.0, (80, 80, 80)).astype(np.float32)
    save(Scan(noise, np.diag([2.0, 2.0, 2.0, 1.0])), tmp_path / "noise.nii.gz")
    with pytest.raises(AlignmentError):
        _ = gather(tmp_path / "noise.nii.gz").located
    (tmp_path / "torn.nii.gz").write_bytes(b"torn")
    with pytest.raises(ScanError, match=r"torn\.nii\.gz"):
        gather(tmp_path / "torn.nii.gz")
    save(volunteer, tmp_path / "sub-1_T1w.nii.gz")
    assert gather(tmp_path / "sub-1_T1w.nii.gz", tmp_path / "torn.nii.gz").original is None


def test_a_dim_face_is_found_and_fails(dim, tmp_path):
    save(dim.scan, tmp_path / "a.nii.gz")
    findings = examine(tmp_path / "a.nii.gz").findings
    assert findings.remaining > 0.5
    assert findings.regions["nose"].share > 0.5
    assert findings.replaced == ""


def test_a_dim_head_without_a_face_is_not_judged(dim_faceless, tmp_path):
    save(dim_faceless, tmp_path / "a.nii.gz")
    with pytest.raises(AlignmentError, match="no head was found"):
        gather(tmp_path / "a.nii.gz")


def test_the_evidence_of_a_dim_face_takes_the_scans_place(gathered, monkeypatch):
    dim = DimHead(None, None, gathered.scan, gathered.head)
    monkeypatch.setattr(module, "find_dim_head", lambda scan: dim)
    found = module.dim_evidence(gathered)
    assert found.dim is dim
    assert found.native is found.scan is dim.flat
    assert module.dim_evidence(found) is None
    monkeypatch.setattr(module, "find_dim_head", lambda scan: None)
    assert module.dim_evidence(gathered) is None


@pytest.mark.parametrize(
    ("face", "replaced", "looked"), [(0.1, "", True), (0.6, "", False), (0.1, "cut", False)]
)
def test_a_dim_face_is_looked_for_before_a_scan_passes(monkeypatch, face, replaced, looked):
    by_levels, by_brain = SimpleNamespace(replaced=replaced), SimpleNamespace(replaced="")
    found = {
        id(by_levels): SimpleNamespace(findings=SimpleNamespace(face=face)),
        id(by_brain): SimpleNamespace(findings=SimpleNamespace(face=0.9)),
    }
    monkeypatch.setattr(examination, "gather", lambda *_: by_levels)
    monkeypatch.setattr(examination, "dim_evidence", lambda _: by_brain)
    monkeypatch.setattr(examination, "_attacked", lambda _, evidence, __: found[id(evidence)])
    assert examine("a.nii.gz").findings.face == (0.9 if looked else face)


def test_a_head_that_levels_do_not_find_may_be_dim(monkeypatch):
    def attacked(path, evidence, recogniser):
        if evidence == "by levels":
            raise AlignmentError("not found")
        return evidence

    monkeypatch.setattr(examination, "gather", lambda *_: "by levels")
    monkeypatch.setattr(examination, "_attacked", attacked)
    monkeypatch.setattr(examination, "dim_evidence", lambda _: "by its brain")
    assert examine("a.nii.gz") == "by its brain"
    monkeypatch.setattr(examination, "dim_evidence", lambda _: None)
    with pytest.raises(AlignmentError, match="not found"):
        examine("a.nii.gz")


def test_a_place_is_asked_of_outline_or_skin_only_where_no_brain_surely_tells(
    gathered, monkeypatch
):
    monkeypatch.setattr(module, "short_mm", lambda known, place: place[0, 0])
    known = SimpleNamespace(is_cut=True, is_face=False)
    outline = SimpleNamespace(scan_to_template=9.0 * np.eye(4))
    for unlike, by_outline, place, short in (
        (False, None, 7.0 * np.eye(4), 0.0),
        (True, None, 7.0 * np.eye(4), 7.0),
        (True, None, None, np.nan),
        (False, outline, 7.0 * np.eye(4), 9.0),
    ):
        located = SimpleNamespace(known=known, unlike_skull=unlike, outline=by_outline, other=None)
        monkeypatch.setattr(module, "locate_head", lambda *_, found=located: found)
        monkeypatch.setattr(module, "place_by_kept_skin", lambda *_, found=place: found)
        np.testing.assert_equal(replace(gathered).short_mm, short)
    whole = SimpleNamespace(
        known=SimpleNamespace(is_cut=False, is_face=False), outline=outline, other=None
    )
    monkeypatch.setattr(module, "locate_head", lambda *_: whole)
    assert replace(gathered).short_mm == 0.0
