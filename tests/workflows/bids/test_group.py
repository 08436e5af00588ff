"""The audit of all that is public."""

from __future__ import annotations

import json

import pytest

from faceblind.datasets.bids_filters import Wanted
from faceblind.errors import ScanError, TableError
from faceblind.workflows.bids.group import run_group
from faceblind.workflows.bids.manifest import Manifest


def test_all_is_audited_together(run, dataset, tmp_path, resources):
    run(layout="publish")
    report = run_group(dataset, tmp_path / "out", resources)
    # Functional images are no part of it; what is not public is named.
    assert [verdict.path for verdict in report.audit.verdicts] == [
        "sub-1/ses-a/anat/sub-1_ses-a_T1map.nii.gz", "sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz",
        "sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz", "sub-2/anat/sub-2_T1w.nii.gz",
    ]  # fmt: skip
    assert report.audit.passed
    assert (report.faults, report.waiting) == ((), 0)
    assert [scan.source for scan in report.absent] == ["sub-2/anat/sub-2_rec-shows_T2w.nii.gz"]
    assert not report.passed  # one scan of five is left out
    assert run_group(dataset, tmp_path / "out", resources, fail_above=0.2).passed
    summary = json.loads((tmp_path / "out/private/report/summary.json").read_text())
    assert (summary["scans"], summary["pass"]) == (4, 4)


def test_what_was_changed_closes_the_gate(run, dataset, tmp_path, resources):
    run()
    scan = tmp_path / "out/sub-2/anat/sub-2_desc-defaced_T1w.nii.gz"
    scan.write_bytes(scan.read_bytes().removeprefix(b"PROTECTED "))
    with Manifest(tmp_path / "out") as manifest:
        manifest.expect(["sub-9"])
    report = run_group(dataset, tmp_path / "out", resources)
    assert not report.audit.passed
    assert len(report.faults) == 1
    assert report.waiting == 1
    assert run_group(dataset, tmp_path / "out", resources, fail_above=0.3).audit.passed


def test_nothing_to_audit(run, dataset, tmp_path, resources):
    run(steps="protect")
    with pytest.raises(ScanError, match="run 'participant' first"):
        run_group(dataset, tmp_path / "out", resources)
    table = tmp_path / "photos.tsv"
    (tmp_path / "a.jpg").write_bytes(b"x")
    table.write_text("file\tparticipant_id\tview\tconsent\na.jpg\t9\tfront\tyes\n")
    run(steps="audit")
    with pytest.raises(TableError, match="no label is also among the scans"):
        run_group(dataset, tmp_path / "out", resources, photos=table)


def test_the_gate_stays_closed_until_each_scan_of_the_dataset_is_public(
    run, dataset, tmp_path, resources
):
    """What no run has begun counts as what failed does; labels say what need not be there."""
    run(wanted=Wanted(("1",), ("a",)))
    out = tmp_path / "out"
    report = run_group(dataset, out, resources)
    assert report.audit.passed
    assert not report.passed
    assert report.waiting == 2
    assert [(scan.source, scan.status) for scan in report.absent] == [
        ("sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz", "waiting"),
        ("sub-2/anat/sub-2_T1w.nii.gz", "waiting"),
        ("sub-2/anat/sub-2_rec-shows_T2w.nii.gz", "waiting"),
    ]
    chosen = run_group(dataset, out, resources, wanted=Wanted(("1",), ("a",)))
    assert (chosen.absent, chosen.waiting, chosen.passed) == ((), 0, True)
    run(wanted=Wanted(("1",)))
    assert run_group(dataset, out, resources, wanted=Wanted(excluded=("sub-2",))).passed
    run()
    assert not run_group(dataset, out, resources).passed  # one of sub-2 shows a face
    series = Wanted(queries={"t2w": {"reconstruction": None}})
    assert run_group(dataset, out, resources, wanted=series).passed


def test_an_image_that_nobody_knows_closes_the_gate(run, dataset, tmp_path, resources, write):
    write(dataset, {"sub-1/ses-a/anat/sub-1_ses-a_swi.nii.gz": b"x"})
    run(wanted=Wanted(("1",)))
    report = run_group(dataset, tmp_path / "out", resources, wanted=Wanted(("1",)))
    (unknown,) = report.absent
    assert (unknown.source, unknown.status) == (
        "sub-1/ses-a/anat/sub-1_ses-a_swi.nii.gz", "not_examined",
    )  # fmt: skip
    assert (report.waiting, report.passed) == (0, False)
    # BIDS's own word for what is no part of a dataset.
    write(dataset, {".bidsignore": "# ours\n*_swi.nii.gz\n"})
    assert run_group(dataset, tmp_path / "out", resources, wanted=Wanted(("1",))).passed
