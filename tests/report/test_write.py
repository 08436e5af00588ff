"""Two files by construction: who can read them, and what stays as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from faceblind.errors import OutputError
from faceblind.report.write import write_report
from faceblind.system.files import file_digest
from faceblind.workflows.audit_report import write_report as write_tables
from faceblind.workflows.result_outputs import write_result


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def audited(tmp_path, audit_of):
    report = audit_of()
    write_tables(tmp_path, report, "sface-0ba9fbfa01b5")
    return tmp_path, report


def test_one_page_is_shared_and_one_is_the_owners(audited):
    root, report = audited
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    old = os.umask(0)
    try:
        page = write_report(report, root, n_jobs=1, show_progress=False)
    finally:
        os.umask(old)
    assert page == root / "report.html"
    assert mode(root / "private") == 0o700
    assert mode(root / "private" / "report.html") == 0o600
    assert mode(page) == 0o666
    assert {p: p.read_bytes() for p in before} == before
    new = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()} - {
        p.relative_to(root).as_posix() for p in before
    }
    assert new == {"report.html", "private/report.html"}
    assert "sub-secret" not in page.read_text(encoding="utf-8")
    assert "sub-secret" in (root / "private" / "report.html").read_text(encoding="utf-8")


def test_the_hashes_are_those_of_the_files(audited):
    root, report = audited
    (root / "jane-doe.tsv").write_text("x")
    text = write_report(report, root, n_jobs=1, show_progress=False).read_text(encoding="utf-8")
    assert "jane-doe" not in text
    for name in ("audit.tsv", "summary.json"):
        assert file_digest(root / name) in text
    assert "sface-0ba9fbfa01b5" in text


def test_a_second_run_writes_the_same_bytes(tmp_path, result):
    private = tmp_path / "private"
    private.mkdir()
    write_result(tmp_path, private, result)
    pages = [write_report(result, tmp_path), private / "report.html"]
    first = [page.read_bytes() for page in pages]
    write_report(result, tmp_path)
    assert [page.read_bytes() for page in pages] == first
    assert file_digest(tmp_path / "cmc.tsv").encode() in first[0]
    assert b"sub-0001" not in first[0]
    assert b"sub-0001" in first[1]


def test_a_comparison_has_pages(tmp_path, comparison):
    page = write_report(comparison, tmp_path)
    assert "−82 points" in page.read_text(encoding="utf-8")
    assert "sub-0001" in (tmp_path / "private" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", ["{", "[]", '{"recogniser": 3}'])
def test_a_summary_that_is_damaged_is_no_obstacle(audited, content):
    root, report = audited
    (root / "summary.json").write_text(content)
    text = write_report(report, root, n_jobs=1, show_progress=False).read_text(encoding="utf-8")
    assert "sface" not in text


def test_a_place_that_cannot_be_written_is_named_in_one_line(tmp_path, comparison):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match=r"report\.html: cannot be written") as caught:
        write_report(comparison, tmp_path)
    assert "\n" not in str(caught.value)
