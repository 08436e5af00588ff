"""What is to be done, by names alone."""

from __future__ import annotations

import pytest

from faceblind.datasets.bids_filters import Wanted
from faceblind.errors import ScanError, TableError
from faceblind.workflows.bids.plan import make_plan, require_known_folders
from faceblind.workflows.bids.settings import BidsSettings


def test_a_derivative_renames_what_it_protects_and_copies_nothing(dataset):
    plan = make_plan(dataset, BidsSettings(method="reface"))
    assert [task.key for task in plan.tasks] == ["sub-1/ses-a", "sub-1/ses-b", "sub-2"]
    first = plan.tasks[0]
    assert first.scans[0].target == "sub-1/ses-a/anat/sub-1_ses-a_desc-refaced_T1w.nii.gz"
    # A map has no face to be replaced.
    assert first.maps[0].target == "sub-1/ses-a/anat/sub-1_ses-a_desc-defaced_T1map.nii.gz"
    assert first.maps[0].leader == 0
    assert not any(task.copies for task in plan.tasks)
    assert (plan.common, plan.left_out, plan.untouched) == ((), {}, 0)


def test_a_dataset_to_be_published_keeps_names_and_lists_what_is_left_out(dataset):
    plan = make_plan(dataset, BidsSettings(layout="publish"))
    assert all(image.target == image.inside for task in plan.tasks for image in task.images)
    assert [copy.inside for copy in plan.tasks[0].copies] == [
        "sub-1/ses-a/func/sub-1_ses-a_task-a_bold.nii.gz",
        "sub-1/ses-a/func/sub-1_ses-a_task-a_events.tsv",
    ]
    assert plan.untouched == 1
    # T1w.json is written into the sidecars of the scans, the description anew.
    assert [copy.inside for copy in plan.common] == [
        ".bidsignore", "README", "participants.tsv", "phenotype/bdi.tsv", "task-a_bold.json",
    ]  # fmt: skip
    assert sorted(plan.left_out) == ["derivatives/", "notes.docx"]


def test_all_images(dataset, write):
    write(dataset, {"dwi.bval": "0 1\n", "sub-2/sub-2_dwi.bvec": "0 1\n"})
    plan = make_plan(dataset, BidsSettings(layout="publish", everything=True))
    assert plan.untouched == 0
    assert [image.suffix for image in plan.tasks[0].images] == ["T1w", "bold", "T1map"]
    common = [copy.inside for copy in plan.common]
    assert "task-a_bold.json" not in common
    # What is no sidecar is copied all the same.
    assert "dwi.bval" in common
    assert "sub-2/sub-2_dwi.bvec" in [copy.inside for copy in plan.tasks[2].copies]


def test_filters(dataset):
    wanted = Wanted(participants=("1",), sessions=("ses-b",))
    plan = make_plan(dataset, BidsSettings(wanted=wanted))
    assert [task.key for task in plan.tasks] == ["sub-1/ses-b"]
    assert plan.participants == 1
    wanted = Wanted(queries={"t1w": {"session": None}, "t2w": {"session": "x"}})
    plan = make_plan(dataset, BidsSettings(wanted=wanted))
    # The map is left without its companion and stands for itself.
    assert [image.suffix for task in plan.tasks for image in task.scans] == ["T1map", "T1w"]


def test_what_is_no_dataset(dataset, write):
    with pytest.raises(ScanError, match="no such folder"):
        make_plan(dataset / "absent", BidsSettings())
    with pytest.raises(ScanError, match="nothing in it is to be protected"):
        make_plan(dataset, BidsSettings(wanted=Wanted(sessions=("z",), participants=("1",))))
    (dataset / "dataset_description.json").unlink()
    with pytest.raises(ScanError, match="--skip-bids-validation"):
        make_plan(dataset, BidsSettings())
    assert make_plan(dataset, BidsSettings(validate=False)).tasks


def test_folders_asked_for_are_searched_for_texts(dataset, write):
    write(dataset, {"code/run.sh": "ls", "code/face.png": b"\x89PNG"})
    plan = make_plan(dataset, BidsSettings(layout="publish", also=("code",)))
    assert "code/run.sh" in [copy.inside for copy in plan.common]
    assert "code/face.png" in plan.left_out
    with pytest.raises(TableError, match="check --include"):
        require_known_folders(dataset, ["cod"])
