"""The driver: files in, verdicts out, with the attacks replaced by what a test wants found."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

import faceblind
from faceblind.attacks.brainharm import Brain
from faceblind.attacks.examine import Examined
from faceblind.attacks.presence import Region
from faceblind.attacks.surface import LOOKED_AT
from faceblind.attacks.verdict import Findings
from faceblind.errors import AlignmentError, ScanError, TableError

CLEAN = Findings(
    regions=dict.fromkeys(LOOKED_AT, Region(0.0, 0.0, 0.0, 1.0)), left=0.0, peeled_left=0.0,
    raised_left=0.0, later_left=0.0, fills=(), replaced="", detector_max=0.0, detector_views=0,
    pieces=(), brain=Brain(None, (), 0.0), metadata=(),
)  # fmt: skip


def attacked(path, original=None, recogniser=None) -> Examined:
    """What the file's name asks for."""
    if "broken" in path.name:
        raise ScanError(f"{path}: the file is truncated")
    if "strange" in path.name:
        raise AlignmentError(f"{path}: the head was not found with enough confidence (0.1 of 0.5)")
    return Examined(replace(CLEAN, left=0.9) if "T2w" in path.name else CLEAN, {})


@pytest.fixture
def audit(monkeypatch):
    # Imported under the package's name, which is the function.
    faceblind.audit  # noqa: B018
    monkeypatch.setattr(sys.modules["faceblind.audit"], "examine", attacked)
    return lambda *args, **kwargs: faceblind.audit(*args, n_jobs=1, show_progress=False, **kwargs)


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_all_pass(audit, tmp_path):
    touch(tmp_path / "in", "sub-1_T1w.nii.gz", "sub-2_T1w.nii.gz")
    report = audit(tmp_path / "in", tmp_path / "out")
    assert report.passed
    assert [v.status for v in report.verdicts] == ["pass", "pass"]
    assert "no anonymity verdict" in report.remarks[0]
    assert "no --originals" in " ".join(report.verdicts[0].not_tested)
    table = (tmp_path / "out" / "audit.tsv").read_text().splitlines()
    assert table[0].split("\t")[:2] == ["path", "status"]
    assert len(table) == 3
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["pass"] == 2


def test_a_forgotten_sister_is_named(audit, tmp_path):
    touch(tmp_path, "sub-1_T1w.nii.gz", "sub-1_T2w.nii.gz", "sub-2_T1w.nii.gz")
    first, second, other = audit(tmp_path).verdicts
    assert (first.status, second.status, other.status) == ("unsure", "fail", "pass")
    assert "sub-1_T2w.nii.gz" in first.reasons[0]
    assert "forgotten beside a protected series" in second.reasons


def test_what_cannot_be_examined_never_passes(audit, tmp_path):
    touch(tmp_path, "sub-1_broken.nii.gz", "sub-2_strange.nii.gz")
    report = audit(tmp_path)
    assert [v.status for v in report.verdicts] == ["unsure", "unsure"]
    # A file that cannot be read is a failure, a head that cannot be found a doubt.
    assert [v.path for v in report.failed] == ["sub-1_broken.nii.gz"]
    assert not report.passed


def test_one_file_and_the_gate(audit, tmp_path):
    touch(tmp_path, "sub-1_T2w.nii.gz", "sub-2_T1w.nii.gz")
    assert [v.path for v in audit(tmp_path / "sub-2_T1w.nii.gz").verdicts] == ["sub-2_T1w.nii.gz"]
    assert not audit(tmp_path, fail_above=0.49).passed
    assert audit(tmp_path, fail_above=0.5).passed


def test_input_is_checked_first(audit, tmp_path):
    touch(tmp_path / "in", "sub-1_T1w.nii.gz")
    touch(tmp_path / "other", "sub-9_T1w.nii.gz")
    with pytest.raises(TableError, match="no such file"):
        audit(tmp_path / "absent")
    with pytest.raises(TableError, match="originals: no label"):
        audit(tmp_path / "in", originals=tmp_path / "other")
