"""The driver: files in, verdicts out, with the attacks replaced by what a test wants found."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

import faceblind
from faceblind.attacks.brain import Brain
from faceblind.attacks.examine import Examined
from faceblind.attacks.findings import Findings
from faceblind.attacks.region_presence import RegionPresence
from faceblind.attacks.surface import LOOKED_AT
from faceblind.errors import AlignmentError, OutputError, RecogniserError, ScanError, TableError
from faceblind.identification.ranking import Link
from faceblind.report.audit_words import limits
from faceblind.workflows import audit_cache
from faceblind.workflows.audit_linking import Linked

CLEAN = Findings(
    regions=dict.fromkeys(LOOKED_AT, RegionPresence(0.0, 0.0, 0.0, 1.0)), remaining=0.0,
    remaining_under_fills=0.0, remaining_in_the_dark=0.0, remaining_in_later_volumes=0.0, fills=(),
    replaced="", detector_max=0.0, detector_views=0, pieces=(), brain=Brain(None, (), 0.0),
    metadata=(),
)  # fmt: skip


def attacked(path, original=None, recogniser=None) -> Examined:
    """What the file's name asks for."""
    if "broken" in path.name:
        raise ScanError(f"{path}: the file is truncated")
    if original is not None and "torn" in original.name:
        raise ScanError(f"{original}: the file is truncated")
    if "strange" in path.name:
        raise AlignmentError(f"{path}: the head was not found with enough confidence (0.1 of 0.5)")
    return Examined(replace(CLEAN, remaining=0.9) if "T2w" in path.name else CLEAN, {})


@pytest.fixture
def audit(monkeypatch):
    monkeypatch.setattr(audit_cache, "examine", attacked)
    return lambda *args, **kwargs: faceblind.audit(*args, n_jobs=1, show_progress=False, **kwargs)


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


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
    assert "sub-1_T2w.nii.gz" in first.reasons[0].text
    assert "forgotten beside a protected series" in map(str, second.reasons)


def test_several_scans_of_one_person_are_said_to_be_linkable(audit, tmp_path):
    names = ("sub-1_ses-a_T1w", "sub-1_ses-b_T1w", "sub-2_T1w", "sub-2_FLAIR", "sub-3_T1w")
    touch(tmp_path / "in", *(f"{name}.nii.gz" for name in names))
    report = audit(tmp_path / "in", tmp_path / "out")
    assert report.linkable.startswith("2 of 3 people have several scans here. Protected scans of")
    assert "by brain, cranium, neck" in report.linkable
    assert report.linkable in report.remarks
    assert report.linkable in json.loads((tmp_path / "out" / "summary.json").read_text())["remarks"]
    assert report.linkable in limits(report)


def test_one_scan_of_everybody_is_not_said_to_be_linkable(audit, tmp_path):
    # Without labels, a scan in another folder is another person's.
    touch(tmp_path, "sub-1_T1w.nii.gz", "a/T1w.nii.gz", "b/T1w.nii.gz")
    report = audit(tmp_path)
    assert report.linkable == ""
    assert not any("linked to one another" in remark for remark in report.remarks)


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


def test_reasons_name_no_folder(audit, tmp_path):
    touch(tmp_path / "in", "sub-1_broken.nii.gz", "sub-2_torn.nii.gz")
    touch(tmp_path / "before", "sub-2_torn.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sys.modules["faceblind.workflows.audit"], "link_scans", lambda *args: Linked({}, ())
        )
        report = audit(tmp_path / "in", tmp_path / "out", originals=tmp_path / "before")
    assert [v.error for v in report.failed] == [
        "the file is truncated",
        "the original: the file is truncated",
    ]
    assert str(tmp_path) not in (tmp_path / "out" / "audit.tsv").read_text()


def test_ranks_and_who_could_not_be_linked_are_private(audit, tmp_path, monkeypatch):
    touch(tmp_path / "in", "sub-1_T1w.nii.gz", "sub-2_T1w.nii.gz")
    touch(tmp_path / "before", "sub-1_T1w.nii.gz", "sub-2_T1w.nii.gz")
    found = Link("originals", 1.0, 84, "completed", 2.0, 4)
    monkeypatch.setattr(
        sys.modules["faceblind.workflows.audit"],
        "link_scans",
        lambda *args: Linked(
            {tmp_path / "in" / "sub-1_T1w.nii.gz": (found,)}, ("sub-2: no face found",)
        ),
    )
    report = audit(tmp_path / "in", tmp_path / "out", originals=tmp_path / "before")
    first, second = report.verdicts
    assert first.status == "fail"
    assert first.advice == ("run faceblind deface or reface on the original",)
    assert report.unlinked == ("sub-2: no face found",)
    assert "not among them" in " ".join(second.not_tested)
    # The stubs compare no brains.
    assert "harm to the brain" in " ".join(first.not_tested)
    public = "".join((tmp_path / "out" / n).read_text() for n in ("audit.tsv", "summary.json"))
    assert "rank 1" not in public
    assert "no face found" not in public
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["not_linked"] == 1
    assert "rank 1 of 84" in (tmp_path / "out" / "private" / "audit.json").read_text()
    assert (tmp_path / "out" / "private").stat().st_mode & 0o077 == 0


def test_a_scan_is_no_original_of_itself(audit, tmp_path):
    touch(tmp_path, "sub-1_T1w.nii.gz", "sub-2_T1w.nii.gz")
    for path in (tmp_path, tmp_path / "sub-1_T1w.nii.gz"):
        with pytest.raises(TableError, match="keep the two apart"):
            audit(path, originals=tmp_path)


def test_an_unknown_recogniser_is_refused_before_any_work(audit, tmp_path):
    touch(tmp_path / "in", "sub-1_T1w.nii.gz")
    with pytest.raises(RecogniserError, match="nobody"):
        audit(tmp_path / "in", tmp_path / "out", recogniser="nobody")
    assert not (tmp_path / "out").exists()


def test_one_file_is_judged_whatever_lies_beside_it(audit, tmp_path):
    touch(tmp_path, "a b.nii.gz", "ab.nii.gz", "a_T2w.nii")
    assert audit(tmp_path / "a b.nii.gz").passed
    touch(tmp_path / "before", "ab.nii.gz")
    with pytest.raises(TableError, match="originals: no label"):
        audit(tmp_path / "a_T2w.nii", originals=tmp_path / "before")


def test_pictures_are_inputs(audit, tmp_path):
    touch(tmp_path, "in/sub-1_T1w.nii.gz", "pictures/a.jpg")
    table = tmp_path / "photos.tsv"
    table.write_text("file\tparticipant_id\tview\tconsent\npictures/a.jpg\t1\tfront\tyes\n")
    with pytest.raises(OutputError, match="holds the input"):
        audit(tmp_path / "in", tmp_path / "pictures", photos=table, force=True)


def test_what_was_not_looked_at_shuts_the_gate(audit, tmp_path):
    data = tmp_path / "in"
    touch(data, "sub-1_T1w.nii.gz", "README", "sub-1_T1w.json", "participants.tsv")
    assert audit(data).passed
    names = [
        "IM2", "derivatives/sub-1_T1w.nii.gz", "dicom/IM1.DCM", "sub-1_T1w.nii.zst",
        "sub-1_mask.nii.gz", "x.mif",
    ]  # fmt: skip
    touch(data, *names)
    (data / "IM2").write_bytes(bytes(128) + b"DICM" + bytes(8))
    report = audit(data, tmp_path / "out", fail_above=1.0)
    assert [v.path for v in report.verdicts] == ["sub-1_T1w.nii.gz"]
    assert [v.path for v in report.not_examined] == names
    assert {v["status"] for v in report.as_list()} == {"pass", "not_examined"}
    assert not report.passed
    table = (tmp_path / "out" / "audit.tsv").read_text().splitlines()
    assert [line.split("\t")[:2] for line in table[2:]] == [[n, "not_examined"] for n in names]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["not_examined"], summary["failed"], summary["passed"]) == (6, 0, False)


def test_patterns_name_what_need_not_be_examined_and_hide_no_scan(audit, tmp_path):
    data = tmp_path / "in"
    touch(data, "sub-1_T1w.nii.gz", "sub-2_T2w.nii.gz", "derivatives/a/sub-1_T1w.nii.gz", "x/a.mif")
    report = audit(data, tmp_path / "out", ignore=["derivatives/", "*.png"], fail_above=1.0)
    assert [v.path for v in report.not_examined] == ["x/a.mif"]
    assert not report.passed
    assert report.remarks[-2:] == (
        "Ignored by 'derivatives/': 1 files.",
        "Ignored by '*.png': nothing; no file that is not examined has such a name.",
    )
    assert "derivatives/a/sub-1_T1w.nii.gz\tignored" in (tmp_path / "out/audit.tsv").read_text()
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["ignored"] == {"derivatives/": 1, "*.png": 0}
    report = audit(data, ignore=["*"], fail_above=0.5)
    assert [v.status for v in report.verdicts] == ["pass", "fail"]
    assert report.passed
    assert not audit(data, ignore=["*"]).passed


def test_one_file_that_is_not_read_is_one_error(audit, tmp_path):
    (tmp_path / "a.nii.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(9))
    with pytest.raises(ScanError, match=r"a.nii.zst: a Zstandard archive, not a format that"):
        audit(tmp_path / "a.nii.zst")


def test_a_mask_is_explained_by_a_scan_that_passed(audit, tmp_path, monkeypatch):
    touch(tmp_path, "sub-1_T1w.nii.gz", "sub-2_T1w.nii.gz")
    head = np.zeros((40, 40, 40), np.uint8)
    head[4:36, 4:36, 4:] = 1
    for person in "12":
        mask = nib.Nifti1Image(head, np.diag([6.0, 6.0, 6.0, 1.0]))
        nib.save(mask, tmp_path / f"sub-{person}_desc-head_mask.nii.gz")
    asked = []

    def answer(mask, scan, replaced):
        asked.append((mask.name, scan.name))
        return "sub-2" in mask.name

    monkeypatch.setattr(sys.modules["faceblind.attacks.unexamined"], "shows_no_more", answer)
    assert [v.path for v in audit(tmp_path).not_examined] == ["sub-1_desc-head_mask.nii.gz"]
    assert asked == [(f"sub-{p}_desc-head_mask.nii.gz", f"sub-{p}_T1w.nii.gz") for p in "12"]


def test_linked_folders_and_missing_files_are_not_hidden_from_the_gate(audit, tmp_path):
    touch(tmp_path / "in", "sub-1_T1w.nii.gz")
    touch(tmp_path / "else", "T1w.nii.gz", "IM1.DCM")
    (tmp_path / "in" / "sub-2").symlink_to(tmp_path / "else")
    report = audit(tmp_path / "in")
    assert [v.path for v in report.verdicts] == ["sub-1_T1w.nii.gz", "sub-2/T1w.nii.gz"]
    assert [v.path for v in report.not_examined] == ["sub-2/IM1.DCM"]
    assert report.remarks[-1].startswith("Not examined: 1 files")
    (tmp_path / "sub-3_T1w.nii.gz").symlink_to("absent")
    with pytest.raises(ScanError, match=r"sub-3_T1w.nii.gz: is a link to a missing file"):
        audit(tmp_path / "sub-3_T1w.nii.gz")
