"""Rejected scans leave a public tree whole, stay out, and come back bit for bit."""

from __future__ import annotations

import json
import os
import stat

import pytest

from faceblind.errors import OutputError
from faceblind.system.outputs import MARKER, withdrawn
from faceblind.workflows.bids.manifest import FileRecord, Manifest, ScanRecord, TaskRecord
from faceblind.workflows.bids.sweep import sweep
from faceblind.workflows.protect_outputs import OutputFiles, check
from faceblind.workflows.protect_settings import ProtectionSettings
from faceblind.workflows.withdrawal import belongings, tree_of

SCAN = "sub-1/anat/sub-1_T1w.nii.gz"


def make(root, verb="deface"):
    for name, content in zip(belongings(SCAN), (b"scan", b"{}", b"mask"), strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / MARKER).write_text(json.dumps({"tool": "faceblind", "verb": verb}))
    return tree_of(root, None)


def test_all_that_belongs_to_a_scan_goes_and_comes_back(tmp_path):
    tree = make(tmp_path)
    tree.withdraw(SCAN)
    assert [(tmp_path / name).exists() for name in belongings(SCAN)] == [False] * 3
    assert withdrawn(tmp_path / SCAN) == tree.withdrawn(SCAN)
    assert tree.place(SCAN).read_bytes() == b"scan"
    tree.withdraw(SCAN)
    assert tree.withdrawn(SCAN).read_bytes() == b"scan"
    tree.restore(SCAN)
    contents = [(tmp_path / name).read_bytes() for name in belongings(SCAN)]
    assert contents == [b"scan", b"{}", b"mask"]
    assert withdrawn(tmp_path / SCAN) is None


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_what_is_taken_out_only_its_owner_can_open(tmp_path):
    tree = make(tmp_path)
    tree.withdraw(SCAN)
    for folder in (tmp_path / "private", tree.withdrawn("x").parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_new_version_takes_the_place_of_the_old_one(tmp_path):
    tree = make(tmp_path)
    tree.withdraw(SCAN)
    tree.redone(SCAN).parent.mkdir(parents=True)
    tree.redone(SCAN).write_bytes(b"better")
    assert tree.place(SCAN) == tree.redone(SCAN)
    tree.publish_redone(SCAN, "passed")
    assert (tmp_path / SCAN).read_bytes() == b"better"
    assert withdrawn(tmp_path / SCAN) is None
    assert not tree.redone(SCAN).exists()
    # The old mask says nothing about the new scan.
    assert not (tmp_path / belongings(SCAN)[2]).exists()


def test_a_run_into_the_folder_does_not_bring_a_rejected_scan_back(tmp_path):
    out = tmp_path / "out"
    tree = make(out)
    tree.withdraw(SCAN)
    source = tmp_path / "sub-1_T1w.nii.gz"
    source.write_bytes(b"\x1f\x8b")
    (out / SCAN).parent.mkdir(parents=True, exist_ok=True)
    for force in (False, True):
        with pytest.raises(OutputError, match="rejected in a review"):
            check(OutputFiles(source, out / SCAN, ProtectionSettings(force=force)))


def test_other_tools_outputs_stay_as_they_are(tmp_path):
    make(tmp_path / "out")
    (tmp_path / "out" / MARKER).unlink()
    tree = tree_of(tmp_path / "out", tmp_path / "notes")
    tree.withdraw(SCAN)
    assert (tmp_path / "out" / SCAN).read_bytes() == b"scan"
    asked = tree_of(tmp_path / "out", tmp_path / "notes", moves=True)
    asked.withdraw(SCAN)
    assert (tmp_path / "notes" / "withdrawn" / SCAN).read_bytes() == b"scan"


def test_the_manifest_of_a_dataset_says_what_is_public(tmp_path):
    tree = make(tmp_path, "bids")
    (tmp_path / belongings(SCAN)[2]).unlink()
    records = [
        FileRecord(SCAN, "protected", 4, "x"),
        FileRecord(belongings(SCAN)[1], "sidecar", 2, "y"),
    ]
    with Manifest(tmp_path, make=True) as manifest:
        task = TaskRecord("sub-1", "passed")
        manifest.begin_placing(task, [ScanRecord(SCAN, SCAN, "pass", "fine")], records)
        manifest.finish(TaskRecord("sub-1", "done"))
    tree.withdraw(SCAN)
    with Manifest(tmp_path) as manifest:
        (scan,) = manifest.scans()
        assert scan.status == "rejected"
        assert manifest.files() == []
        # The next run looks at this session again and takes the scan out of its tables.
        assert manifest.task("sub-1").state == "failed"
    assert sweep(tmp_path, content=True) == []
    tree.restore(SCAN, "accepted after all")
    with Manifest(tmp_path) as manifest:
        (scan,) = manifest.scans()
        assert (scan.status, scan.reason) == ("pass", "accepted after all")
        assert [file.path for file in manifest.files()] == sorted(belongings(SCAN)[:2])
    assert sweep(tmp_path, content=True) == []
