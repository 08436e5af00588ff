"""What is to become of each file."""

from __future__ import annotations

from pathlib import Path

import pytest

from faceblind.datasets.bids_index import BidsFile
from faceblind.datasets.bids_names import parse_name
from faceblind.datasets.bids_roles import companion_of, inherited_role, role_of


def file(datatype: str, ending: str) -> BidsFile:
    name = f"sub-1_{ending}"
    inside = f"sub-1/{datatype}/{name}"
    return BidsFile(Path(inside), inside, parse_name(name), datatype)


@pytest.mark.parametrize(
    ("datatype", "ending", "role"),
    [
        ("anat", "T1w.nii.gz", "scan"),
        ("anat", "inv-1_MP2RAGE.nii.gz", "scan"),
        ("anat", "inv-1_part-phase_MP2RAGE.nii.gz", "map"),
        ("anat", "UNIT1.nii.gz", "map"),
        ("anat", "T1map.nii", "map"),
        ("anat", "echo-2_MESE.nii.gz", "scan"),
        ("anat", "angio.nii.gz", "scan"),
        ("anat", "PDT2.nii.gz", "scan"),
        ("anat", "T1w.json", "sidecar"),
        ("anat", "mod-T1w_defacemask.nii.gz", "left_out"),
        ("anat", "photo.jpg", "left_out"),
        ("anat", "strange.nii.gz", "left_out"),
        ("anat", "T1w.mgz", "left_out"),
        ("ct", "ct.nii.gz", "scan"),
        ("pet", "pet.nii.gz", "scan"),
        ("pet", "recording-manual_blood.tsv", "copy"),
        ("func", "task-a_bold.nii.gz", "unprotected"),
        ("func", "task-a_bold.json", "copy"),
        ("func", "task-a_events.tsv", "copy"),
        ("func", "task-a_video.mp4", "left_out"),
        ("func", "task-a_T1w.nii.gz", "left_out"),
        ("dwi", "dwi.bvec", "copy"),
        ("fmap", "magnitude1.nii.gz", "unprotected"),
        ("eeg", "task-a_eeg.edf", "copy"),
        ("eeg", "task-a_eeg.jpg", "left_out"),
        ("meg", "headshape.pos", "left_out"),
        ("meg", "task-a_meg.fif", "copy"),
        ("micr", "SEM.png", "left_out"),
        ("", "scans.tsv", "copy"),
        ("", "T1w.json", "sidecar"),
        ("", "notes.txt", "left_out"),
    ],
)
def test_roles(datatype, ending, role):
    found, reason = role_of(file(datatype, ending))
    assert found == role
    assert bool(reason) == (role == "left_out")


def test_all_protects_the_other_images_too():
    assert role_of(file("func", "task-a_bold.nii.gz"), everything=True)[0] == "scan"
    assert role_of(file("fmap", "phasediff.nii.gz"), everything=True)[0] == "map"
    assert role_of(file("func", "task-a_bold.json"), everything=True)[0] == "sidecar"
    assert role_of(file("func", "task-a_events.tsv"), everything=True)[0] == "copy"


def test_what_lies_further_up_is_merged_or_copied():
    assert inherited_role("T1w") == "sidecar"
    assert inherited_role("bold") == "copy"
    assert inherited_role("bold", everything=True) == "sidecar"


def test_a_map_follows_the_scan_that_is_most_like_it():
    scans = [
        file("anat", "T1w.nii.gz"),
        file("anat", "run-1_inv-1_MP2RAGE.nii.gz"),
        file("anat", "run-1_inv-2_MP2RAGE.nii.gz"),
        file("anat", "run-2_inv-2_MP2RAGE.nii.gz"),
        file("func", "task-a_bold.nii.gz"),
    ]
    assert companion_of(file("anat", "run-1_T1map.nii.gz"), scans) == 2
    assert companion_of(file("anat", "run-2_UNIT1.nii.gz"), scans) == 3
    assert companion_of(file("anat", "R2starmap.nii.gz"), scans) == 0
    assert companion_of(file("fmap", "phasediff.nii.gz"), []) is None
