"""What a dataset holds, by names."""

from __future__ import annotations

import resource
import time

import pytest

from faceblind.datasets.bids_index import index_dataset
from faceblind.errors import ScanError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_files_are_told_apart(tmp_path):
    touch(
        tmp_path,
        "README", "T1w.json", "phenotype/bdi.tsv", "derivatives/x/sub-1_T1w.nii.gz",
        ".git/annex/a", "code/run.sh", "sub-1/sub-1_sessions.tsv",
        "sub-1/ses-a/sub-1_ses-a_scans.tsv", "sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz",
        "sub-1/ses-a/anat/sub-2_ses-a_T1w.nii.gz", "sub-1/ses-a/anat/sub-1_ses-b_T1w.nii.gz",
        "sub-1/ses-a/anat/T1w.nii.gz", "sub-1/meg/sub-1_task-x_meg.ds/BadChannels",
    )  # fmt: skip
    found = index_dataset(tmp_path)
    assert {(file.inside, file.session, file.datatype) for file in found.files} == {
        ("sub-1/sub-1_sessions.tsv", None, ""),
        ("sub-1/ses-a/sub-1_ses-a_scans.tsv", "ses-a", ""),
        ("sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz", "ses-a", "anat"),
        ("sub-1/meg/sub-1_task-x_meg.ds/BadChannels", None, "meg"),
    }
    assert [path.name for path in found.common] == ["README", "T1w.json", "bdi.tsv"]
    assert sorted(found.strange) == [
        f"sub-1/ses-a/anat/{name}T1w.nii.gz" for name in ("", "sub-1_ses-b_", "sub-2_ses-a_")
    ]
    assert found.skipped == ("code", "derivatives")
    assert "run.sh" in [p.name for p in index_dataset(tmp_path, also=["code"]).common]


def test_only_those_asked_for_and_links(tmp_path):
    touch(tmp_path, "data/sub-1/anat/sub-1_T1w.nii.gz", "elsewhere/sub-2_T1w.nii.gz")
    (tmp_path / "data" / "sub-2").mkdir()
    (tmp_path / "data" / "sub-2" / "anat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "sub-2_T2w.nii.gz").symlink_to("gone")
    found = index_dataset(tmp_path / "data", {"sub-2"})
    assert [file.inside for file in found.files] == [
        "sub-2/anat/sub-2_T1w.nii.gz",
        "sub-2/anat/sub-2_T2w.nii.gz",
    ]
    assert found.participants == ("sub-1", "sub-2")


def test_what_is_no_dataset(tmp_path):
    with pytest.raises(ScanError, match="no such folder"):
        index_dataset(tmp_path / "absent")
    touch(tmp_path, "a.nii")
    with pytest.raises(ScanError, match="holds no folder sub-"):
        index_dataset(tmp_path)


def test_ten_thousand_files_are_quick(tmp_path):
    """Measured 0.2 s; the limit is ten times that, for machines that are busy."""
    for person in range(500):
        folder = tmp_path / f"sub-{person:04d}" / "anat"
        folder.mkdir(parents=True)
        for run in range(10):
            (folder / f"sub-{person:04d}_run-{run}_T1w.nii.gz").touch()
            (folder / f"sub-{person:04d}_run-{run}_T1w.json").touch()
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert len(index_dataset(tmp_path).files) == 10_000
    assert time.process_time() - began < 3.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
