"""Scans of a dataset that are not public, by what the manifest knows."""

from __future__ import annotations

import pytest

from faceblind.datasets.bids_filters import Wanted
from faceblind.workflows.bids.absent import absent_scans, unfinished
from faceblind.workflows.bids.manifest import DATASET, ScanRecord, TaskRecord
from faceblind.workflows.bids.plan import make_plan
from faceblind.workflows.bids.settings import BidsSettings

T1W = "sub-2/anat/sub-2_T1w.nii.gz"
T2W = "sub-2/anat/sub-2_rec-shows_T2w.nii.gz"


@pytest.fixture
def plan(dataset):
    return make_plan(dataset, BidsSettings(wanted=Wanted(("2",))))


@pytest.mark.parametrize("status", ["fail", "unsure", "failed", "rejected", "protected"])
def test_all_but_a_pass_is_absent(plan, status):
    records = [
        ScanRecord(T1W, "a", "pass", "x"),
        ScanRecord(T2W, "b", status, "why"),
        ScanRecord("sub-1/anat/sub-1_T1w.nii.gz", "c", "fail", "not asked for"),
    ]
    (absent,) = absent_scans(plan, records)
    assert (absent.source, absent.status) == (T2W, status)
    expected = "not audited yet" if status == "protected" else "why"
    assert absent.reason.startswith(expected)


def test_what_the_manifest_does_not_know_waits(plan):
    absent = absent_scans(plan, [])
    assert [(scan.source, scan.status) for scan in absent] == [(T1W, "waiting"), (T2W, "waiting")]


def test_images_without_a_known_kind_or_name(dataset, write):
    write(
        dataset,
        {
            "sub-2/anat/scan.nii.gz": b"", "sub-2/anat/sub-2_T1w.mgz": b"",
            "sub-2/func/sub-2_strange.nii.gz": b"", "sub-2/anat/1.dcm": b"",
            "sub-2/anat/sub-2_mod-T1w_defacemask.nii.gz": b"", "sub-2/eeg/a.raw": b"",
            "sub-2/extra/sub-2_T1w.nii.gz": b"", "sub-1/anat/scan.nii.gz": b"",
        },
    )  # fmt: skip
    plan = make_plan(dataset, BidsSettings(wanted=Wanted(("2",))))
    assert list(plan.unexamined) == [
        "sub-2/anat/1.dcm", "sub-2/anat/scan.nii.gz", "sub-2/anat/sub-2_T1w.mgz",
        "sub-2/func/sub-2_strange.nii.gz",
    ]  # fmt: skip
    statuses = {scan.source: scan.status for scan in absent_scans(plan, [])}
    assert statuses["sub-2/anat/1.dcm"] == "not_examined"


def test_unfinished_sessions(plan):
    known = [
        TaskRecord("sub-2", "passed"), TaskRecord("sub-9", "waiting"), TaskRecord("sub-1", "done"),
        TaskRecord(DATASET, "waiting"),
    ]  # fmt: skip
    assert unfinished(plan, known, all_wanted=True) == 2
    assert unfinished(plan, known, all_wanted=False) == 1
    assert unfinished(plan, [TaskRecord("sub-2", "failed")], all_wanted=False) == 0
