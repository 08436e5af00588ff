"""A whole run: what is public, what is not, and how it goes on after whatever happened."""

from __future__ import annotations

import json
import os
import stat

import pytest

from faceblind.datasets.bids_filters import Wanted
from faceblind.errors import OutputError
from faceblind.workflows.bids import session
from faceblind.workflows.bids.manifest import Manifest
from faceblind.workflows.bids.participant import run_participants
from faceblind.workflows.bids.settings import BidsSettings, Resources


def snapshot(root):
    """Bytes, modes and times of all files of a folder."""
    return {
        path: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
    }


def test_a_derivative(run, dataset, tmp_path, tree):
    before = snapshot(dataset)
    report = run()
    public = tree(tmp_path / "out")
    assert sorted(public) == [
        ".bidsignore", ".faceblind.json", "README.md", "dataset_description.json",
        "sub-1/ses-a/anat/sub-1_ses-a_desc-defaced_T1map.json",
        "sub-1/ses-a/anat/sub-1_ses-a_desc-defaced_T1map.nii.gz",
        "sub-1/ses-a/anat/sub-1_ses-a_desc-defaced_T1w.json",
        "sub-1/ses-a/anat/sub-1_ses-a_desc-defaced_T1w.nii.gz",
        "sub-1/ses-b/anat/sub-1_ses-b_desc-defaced_T1w.json",
        "sub-1/ses-b/anat/sub-1_ses-b_desc-defaced_T1w.nii.gz",
        "sub-2/anat/sub-2_desc-defaced_T1w.json",
        "sub-2/anat/sub-2_desc-defaced_T1w.nii.gz",
    ]  # fmt: skip
    (failure,) = report.failures
    assert failure.startswith("sub-2/anat/sub-2_rec-shows_T2w.nii.gz: its audit says fail: ")
    assert not report.ok
    assert (report.count("pass"), report.count("fail"), report.faults) == (4, 1, ())
    said = json.loads(public["sub-2/anat/sub-2_desc-defaced_T1w.json"])
    assert said["DeidentificationMethodCodeSequence"][0]["CodeValue"] == "113102"
    assert said["Sources"] == ["bids:raw:sub-2/anat/sub-2_T1w.nii.gz"]
    assert said["EchoTime"] == 0.004
    assert "PatientName" not in said
    assert "InstitutionName" not in said
    described = json.loads(public["dataset_description.json"])
    assert described["DatasetType"] == "derivative"
    assert described["GeneratedBy"][0]["Name"] == "faceblind"
    assert described["DatasetLinks"] == {"raw": "../raw"}
    assert snapshot(dataset) == before
    private = tmp_path / "out" / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert list((private / "staged").iterdir()) == []


def test_a_dataset_to_be_published(run, dataset, tmp_path, tree):
    run(layout="publish")
    public = tree(tmp_path / "out")
    for name in (
        "README", "task-a_bold.json", "phenotype/bdi.tsv", "participants.tsv",
        "sub-1/ses-a/func/sub-1_ses-a_task-a_bold.nii.gz",
        "sub-1/ses-a/func/sub-1_ses-a_task-a_events.tsv",
    ):  # fmt: skip
        assert public[name] == (dataset / name).read_bytes()
    assert public["sub-2/anat/sub-2_T1w.nii.gz"].startswith(b"PROTECTED ")
    assert "sub-2/anat/sub-2_rec-shows_T2w.nii.gz" not in public
    # Tables name no scan that is not there.
    assert public["sub-2/sub-2_scans.tsv"] == b"filename\tage\nanat/sub-2_T1w.nii.gz\t3\n"
    assert public[".bidsignore"] == b"extra/\nprivate\n"
    assert {"notes.docx", "T1w.json", "derivatives/x/sub-1_T1w.nii.gz"}.isdisjoint(public)
    described = json.loads(public["dataset_description.json"])
    assert (described["Name"], described["DatasetType"]) == ("Raw", "raw")
    # What stands further up was merged into each scan's own sidecar.
    assert json.loads(public["sub-1/ses-b/anat/sub-1_ses-b_T1w.json"])["EchoTime"] == 0.003


def test_a_participant_without_any_file_is_in_no_table(run, dataset, tmp_path, tree):
    run(layout="publish", wanted=Wanted(("2",)))
    assert tree(tmp_path / "out")["participants.tsv"] == b"participant_id\tage\nsub-2\t40\n"


def test_a_second_run_does_nothing_and_gives_the_same(run, tmp_path, tree, counted):
    first = run()
    before, done = tree(tmp_path / "out"), len(counted.names)
    again = run()
    assert tree(tmp_path / "out") == before
    # What failed is tried again, with its session.
    assert sorted(counted.names[done:]) == ["sub-2_T1w.nii.gz", "sub-2_rec-shows_T2w.nii.gz"]
    assert [task.existed for task in again.tasks] == [True, True, False]
    assert again.failures == first.failures


def test_what_changed_is_done_again_and_what_is_gone_too(run, dataset, tmp_path, tree, counted):
    run()
    path = dataset / "sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz"
    os.utime(path, ns=(1, 1))
    done = len(counted.names)
    run()
    assert "sub-1_ses-b_T1w.nii.gz" not in counted.names[done:], "same bytes at another time"
    path.write_bytes(b"another head")
    (tmp_path / "out/sub-1/ses-a/anat/sub-1_ses-a_desc-defaced_T1w.nii.gz").unlink()
    done = len(counted.names)
    run()
    assert {"sub-1_ses-b_T1w.nii.gz", "sub-1_ses-a_T1w.nii.gz"} <= set(counted.names[done:])
    public = tree(tmp_path / "out")
    name = "sub-1/ses-b/anat/sub-1_ses-b_desc-defaced_T1w.nii.gz"
    assert public[name] == b"PROTECTED another head"


def test_what_no_longer_passes_is_taken_back(run, dataset, tmp_path, tree, monkeypatch):
    run()
    name = "sub-2/anat/sub-2_desc-defaced_T1w.nii.gz"
    assert name in tree(tmp_path / "out")
    lost = session.protect_job

    def worse(job, settings):
        results = lost(job, settings)
        for one in job.outputs:
            if one.source.name == "sub-2_T1w.nii.gz":
                one.target.write_bytes(b"shows")
        return results

    monkeypatch.setattr(session, "protect_job", worse)
    report = run()
    assert name not in tree(tmp_path / "out")
    assert "sub-2/anat/sub-2_desc-defaced_T1w.json" not in tree(tmp_path / "out")
    assert report.faults == ()


def test_protect_now_audit_later(run, tmp_path, tree, counted):
    report = run(steps="protect")
    assert report.ok
    assert set(tree(tmp_path / "out")) == {".faceblind.json"}
    assert report.count("protected") == 5
    done = len(counted.names)
    report = run(steps="audit")
    assert len(counted.names) == done
    assert report.count("pass") == 4
    assert "sub-2/anat/sub-2_desc-defaced_T1w.nii.gz" in tree(tmp_path / "out")
    other = run("other", steps="audit")
    assert all("was not protected before" in line for line in other.failures[:3])


def test_one_output_holds_one_kind_of_results(run, tmp_path):
    run()
    with pytest.raises(OutputError, match="another layout, method or version"):
        run(layout="publish")


def test_a_session_that_another_run_holds_is_left_to_it(run, tmp_path):
    run(wanted=Wanted(("2",)))
    with session.claim(tmp_path / "out/private/claims/sub-1_ses-a"):
        report = run()
    assert [task.state for task in report.tasks] == ["elsewhere", "done", "failed"]


def test_failures_stay_single_and_the_first_may_end_it(run, dataset, tmp_path, write):
    (dataset / "sub-1/ses-a/anat/sub-1_ses-a_T2w.nii.gz").symlink_to("gone")
    write(dataset, {"sub-1/ses-b/anat/sub-1_ses-b_rec-lost_T2w.nii.gz": b"x"})
    write(dataset, {"sub-1/ses-b/eeg/sub-1_ses-b_task-a_eeg.edf": b"/annex/objects/MD5E"})
    report = run(layout="publish")
    assert len(report.failures) == 4
    said = "\n".join(report.failures)
    for part in ("sub-1_ses-a_T2w.nii.gz: is a link to a missing file", "was not found with",
                 "only stands for a file that was not fetched", "its audit says fail"):  # fmt: skip
        assert part in said
    assert report.count("pass") == 4
    resources = Resources(n_jobs=1, stop_at_first=True, show_progress=False)
    report = run_participants(dataset, tmp_path / "stopped", BidsSettings(), resources)
    assert (len(report.tasks), report.not_begun) == (1, 2)
    assert not report.ok


def test_outputs_that_are_refused(run, dataset, tmp_path):
    with pytest.raises(OutputError, match="lies inside the input"):
        run(dataset / "out")
    resources = Resources(n_jobs=1, work=dataset / "work", show_progress=False)
    with pytest.raises(OutputError, match="choose another --work-dir"):
        run_participants(dataset, tmp_path / "out", BidsSettings(), resources)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "a.txt").touch()
    with pytest.raises(OutputError, match=r"choose a new folder$"):
        run("used")
    # The dataset's own folder for derivatives is the usual place.
    assert run(dataset / "derivatives" / "faceblind").count("pass") == 4


def test_a_work_folder_elsewhere(dataset, tmp_path, tree):
    resources = Resources(n_jobs=1, work=tmp_path / "work", show_progress=False)
    report = run_participants(dataset, tmp_path / "out", BidsSettings(), resources)
    assert report.count("pass") == 4
    assert list((tmp_path / "work").iterdir()) == []
    with Manifest(tmp_path / "out") as manifest:
        assert len(manifest.files()) == len(tree(tmp_path / "out")) - 1
