from __future__ import annotations

import json
from pathlib import Path

import pytest

from faceblind.datasets.census import ScanFile
from faceblind.errors import ScanError
from faceblind.review.scans import NOT_AUDITED, Judged, find_protected, judgements, pair
from faceblind.workflows.withdrawal import tree_of


def found(*names: str) -> dict[str, ScanFile]:
    return {name: ScanFile(Path(name), name[:6], None, None) for name in names}


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\x1f\x8b")
    return folder


def test_scans_come_with_original_and_verdict(folders):
    scans = find_protected(folders.tree, folders.originals)
    assert [scan.inside for scan in scans] == [
        f"sub-0{n}/anat/sub-0{n}_T1w.nii.gz" for n in (1, 2, 3)
    ]
    assert scans[1].judged == Judged("fail", 0.9, ("the nose remains",), {"nose": 0.8})
    assert scans[1].before == folders.originals / scans[1].inside
    assert scans[1].participant == "sub-02"


def test_a_scan_that_was_taken_out_is_still_looked_at(folders):
    inside = "sub-02/anat/sub-02_T1w.nii.gz"
    folders.tree.withdraw(inside)
    scans = find_protected(folders.tree, folders.originals)
    assert inside in [scan.inside for scan in scans]
    assert len(scans) == 3


@pytest.mark.parametrize(
    ("protected", "original"),
    [
        ("sub-01/anat/sub-01_T1w.nii.gz", "sub-01/anat/sub-01_T1w.nii.gz"),
        ("sub-01_T1w.nii.gz", "sub-01/anat/sub-01_T1w.nii.gz"),
        ("sub-01_desc-defaced_T1w.nii.gz", "sub-01/anat/sub-01_T1w.nii.gz"),
        ("sub-01/sub-01_T1w_defaced.nii.gz", "sub-01/anat/sub-01_T1w.nii.gz"),
        ("sub-01_space-orig_T1w.nii", "sub-01/anat/sub-01_T1w.nii.gz"),
        ("sub-01_T2w.nii.gz", None),
        ("sub-03_T1w.nii.gz", None),
    ],
)
def test_originals_are_found_by_path_name_and_what_tools_add(tmp_path, protected, original):
    raw = touch(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz")
    expected = {} if original is None else {protected: raw / original}
    assert pair(found(protected), raw, {}) == expected


def test_a_name_that_comes_twice_is_no_original(tmp_path):
    raw = touch(tmp_path, "a/T1w.nii.gz", "b/T1w.nii.gz")
    assert pair(found("T1w.nii.gz"), raw, {}) == {}
    assert pair(found("b/T1w.nii.gz"), raw, {}) == {"b/T1w.nii.gz": raw / "b/T1w.nii.gz"}


def test_a_known_source_goes_before_names(tmp_path):
    raw = touch(tmp_path, "sub-01_T1w.nii.gz", "sub-01_rec-b_T1w.nii.gz")
    sources = {"sub-01_T1w.nii.gz": "sub-01_rec-b_T1w.nii.gz"}
    pairs = pair(found("sub-01_T1w.nii.gz"), raw, sources)
    assert pairs == {"sub-01_T1w.nii.gz": raw / "sub-01_rec-b_T1w.nii.gz"}


def test_links_that_lead_out_of_the_folder_are_not_shown(tmp_path, caplog):
    away = touch(tmp_path / "away", "sub-09_T1w.nii.gz")
    out = touch(tmp_path / "out", "sub-01_T1w.nii.gz")
    raw = touch(tmp_path / "raw", "sub-01_T1w.nii.gz")
    (out / "sub-02_T1w.nii.gz").symlink_to(away / "sub-09_T1w.nii.gz")
    (raw / "sub-02_T1w.nii.gz").symlink_to(away / "sub-09_T1w.nii.gz")
    scans = find_protected(tree_of(out, tmp_path / "notes"), raw)
    assert [scan.inside for scan in scans] == ["sub-01_T1w.nii.gz"]
    assert "1 scans" in caplog.text
    assert pair(found("sub-02_T1w.nii.gz"), raw, {}) == {}


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(ScanError, match="holds no protected scan"):
        find_protected(tree_of(tmp_path, tmp_path / "notes"), None)


def test_an_audit_that_is_named_must_be_one(tmp_path):
    with pytest.raises(ScanError, match="cannot be read as the result of an audit"):
        judgements(tmp_path, tmp_path / "no-audit")
    place = tmp_path / "audit" / "private" / "audit.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps([{"path": "a.nii", "status": "pass", "score": None,
                                  "reasons": [], "regions": {}}]))  # fmt: skip
    assert judgements(tmp_path, tmp_path / "audit") == {"a.nii": Judged("pass")}
    assert judgements(tmp_path) == {}
    assert NOT_AUDITED.score is None
    place.write_text("[{}]")
    with pytest.raises(ScanError):
        judgements(tmp_path, tmp_path / "audit")
