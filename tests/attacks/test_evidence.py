"""Evidence is gathered once, from the volume that shows the head best."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from faceblind.attacks import evidence as module
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


@pytest.mark.parametrize(("remaining", "looked"), [(0.1, True), (0.6, False)])
def test_a_dim_face_is_looked_for_where_levels_show_none(gathered, monkeypatch, remaining, looked):
    shown = SimpleNamespace(remaining=remaining, known=SimpleNamespace(is_cut=False, is_face=False))
    evidence = replace(gathered)
    evidence.__dict__["_chosen"] = (shown, None)
    dim_head = DimHead(None, None, gathered.scan, gathered.head)
    monkeypatch.setattr(module, "find_dim_head", lambda scan: dim_head)
    found = module.with_dim_face(evidence)
    assert (found.dim is dim_head) == looked
    monkeypatch.setattr(module, "find_dim_head", lambda scan: None)
    assert module.with_dim_face(evidence) is evidence
