"""The manifest: what is on the disk when a method returns."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from faceblind.errors import OutputError
from faceblind.workflows.bids import manifest as module
from faceblind.workflows.bids.manifest import FileRecord, Manifest, ScanRecord, TaskRecord

TASK = TaskRecord("sub-1", "passed", "in", "looks", "how", "1.0", 2.0)
SCANS = [ScanRecord("a.nii", "b.nii", "pass", "clean"), ScanRecord("c", "d", "fail", "nose")]
FILES = [FileRecord("b.nii", "protected", 3, "ff")]


def test_what_is_kept_is_read_by_others(tmp_path):
    with Manifest(tmp_path, make=True) as ours:
        ours.expect(["sub-1", "sub-2"])
        ours.begin_placing(TASK, SCANS, FILES)
        ours.describe("way", ["derivative", 1])
        with Manifest(tmp_path) as other:
            assert other.task("sub-1") == TASK
            assert other.task("sub-2") == TaskRecord("sub-2", "waiting")
            assert other.task("sub-3") is None
            assert other.scans() == other.scans("sub-1") == SCANS
            assert other.files() == FILES
            assert other.files("sub-2") == []
            assert other.described("way") == ["derivative", 1]
            assert other.described("nothing") is None
            assert other.public() == {"b.nii": (FILES[0], False)}
            assert other.participants() == set()
        ours.finish(replace(TASK, state="done"))
        assert ours.public() == {"b.nii": (FILES[0], True)}
        inside = [FileRecord(f"sub-{n}/a/b", "copy", 1, "") for n in ("1", "10", "2")]
        ours.begin_placing(replace(TASK, key="x", state="done"), [], inside)
        assert set(ours.public({"sub-1"})) == {"b.nii", "sub-1/a/b"}
        assert ours.participants() == {"sub-1", "sub-10", "sub-2"}
        ours.expect(["sub-1"])
        assert ours.task("sub-1").finished is not None
        ours.begin_placing(TASK, SCANS[:1], [])
        assert ours.files("sub-1") == []
    assert (tmp_path / "private").stat().st_mode & 0o077 == 0


def test_every_change_waits_for_the_disk(tmp_path):
    with Manifest(tmp_path, make=True) as manifest:
        assert manifest._rows("PRAGMA journal_mode")[0][0] == "wal"
        assert manifest._rows("PRAGMA synchronous")[0][0] == 2


def test_a_change_that_fails_changes_nothing(tmp_path):
    with Manifest(tmp_path, make=True) as manifest:
        manifest.begin_placing(TASK, SCANS, FILES)
        twice = [SCANS[0], SCANS[0]]
        with pytest.raises(OutputError, match="cannot be written"):
            manifest.begin_placing(replace(TASK, state="done"), twice, [])
        assert manifest.task("sub-1") == TASK
        assert manifest.files() == FILES


def test_shares_of_other_machines(tmp_path, monkeypatch):
    """Without memory that machines share; refused by name where locks keep nobody out."""
    monkeypatch.setattr(module, "network_file_system", lambda _: "nfs4")
    with Manifest(tmp_path / "a", make=True) as manifest:
        assert manifest._rows("PRAGMA journal_mode")[0][0] == "delete"
    monkeypatch.setattr(module, "locks_exclude", lambda _: False)
    with pytest.raises(OutputError, match=r"network file system \(nfs4\)"):
        Manifest(tmp_path / "b", make=True)


def test_what_is_no_output(tmp_path):
    with pytest.raises(OutputError, match="holds no run of 'faceblind bids'"):
        Manifest(tmp_path)
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "manifest.sqlite").write_text("no database, but a longer text" * 99)
    with pytest.raises(OutputError, match="cannot be opened"):
        Manifest(tmp_path, make=True)
    with Manifest(tmp_path / "x", make=True):
        pass
    sqlite3.connect(tmp_path / "x" / "private" / "manifest.sqlite").close()
