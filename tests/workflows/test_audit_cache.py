"""An interrupted audit goes on: what was found comes back as it was."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from faceblind.attacks.brain import Brain
from faceblind.attacks.examine import Examined
from faceblind.attacks.fills import Fill
from faceblind.attacks.findings import Findings
from faceblind.attacks.metadata.files import find_metadata
from faceblind.attacks.region_presence import RegionPresence
from faceblind.attacks.surface import LOOKED_AT
from faceblind.attacks.wrapped import Piece
from faceblind.identification.scan_match import ScanFeatures
from faceblind.identification.surface_match import Shape
from faceblind.system.cache import Cache
from faceblind.workflows import audit_cache


def found(path) -> Examined:
    findings = Findings(
        regions={name: RegionPresence(12.5, 0.25, 0.125, 1.0) for name in LOOKED_AT}, remaining=0.1,
        remaining_under_fills=0.7, remaining_in_the_dark=0.0, remaining_in_later_volumes=0.3,
        fills=(Fill("constant", 12.0, 0.5),),
        replaced="cut", detector_max=0.91, detector_views=7,
        pieces=(Piece(8.0, "posterior", "nose"),), brain=Brain(None, ("left",), 1.5),
        metadata=find_metadata(path), blur_mm=2.5, remaining_deblurred=0.2, replaced_by_other=True,
    )  # fmt: skip
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    shape = Shape(np.ones((4, 3), np.float32), np.array([True, False, True, True]))
    return Examined(findings, {"as-is": ScanFeatures(vectors, shape)}, np.full((5, 3), np.nan))


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "sub-1_T1w.nii.gz"
    image = nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4))
    image.header["descrip"] = b"Jane Doe"
    nib.save(image, path)
    return path


def test_findings_come_back_as_they_were(scan, tmp_path, monkeypatch):
    calls = []

    def examine(path, original, recogniser):
        calls.append(path)
        return found(path)

    monkeypatch.setattr(audit_cache, "examine", examine)
    cache = Cache(tmp_path / "cache")
    first = audit_cache.examine_once(scan, None, "sface", cache)
    again = audit_cache.examine_once(scan, None, "sface", cache)
    assert len(calls) == 1
    assert again.findings == first.findings
    assert again.findings.metadata
    np.testing.assert_array_equal(again.outline, first.outline)
    assert set(again.features) == {"as-is"}
    for name in ("points", "trust"):
        ours, theirs = (getattr(e.features["as-is"].shape, name) for e in (again, first))
        np.testing.assert_array_equal(ours, theirs)
    # Another question of the same file is a new one.
    audit_cache.examine_once(scan, None, None, cache)
    audit_cache.examine_once(scan, scan, "sface", cache)
    audit_cache.examine_once(scan, None, "sface", None)
    assert len(calls) == 4


def test_metadata_are_read_anew(scan, tmp_path, monkeypatch):
    """The same voxels under a name that tells who it is."""
    monkeypatch.setattr(audit_cache, "examine", lambda path, *_: found(path))
    cache = Cache(tmp_path / "cache")
    plain = audit_cache.examine_once(scan, None, None, cache).findings.metadata
    sidecar = scan.with_name("sub-1_T1w.json")
    sidecar.write_text('{"PatientName": "Doe^Jane"}')
    more = audit_cache.examine_once(scan, None, None, cache).findings.metadata
    assert len(more) > len(plain)
