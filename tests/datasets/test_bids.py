"""Which files are scans, and which person each shows."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from faceblind.datasets.bids import choose_face_scans, find_people, only_series
from faceblind.datasets.census import find_scans, session_of
from faceblind.errors import ScanError
from faceblind.formats import load
from faceblind.formats.names import suffix_of


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def found(folder: Path) -> list[tuple[str, str | None, str | None, str]]:
    return [
        (f.participant_id, f.session, f.suffix, f.path.relative_to(folder).as_posix())
        for f in find_scans(folder)
    ]


def test_bids_tree(tmp_path):
    touch(
        tmp_path,
        "sub-02/anat/sub-02_T1w.nii.gz",
        "sub-01/ses-b/anat/sub-01_ses-b_acq-x_FLAIR.nii",
        "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
        "sub-01/ses-a/anat/sub-01_ses-a_T1w.json",
        "sub-01/ses-a/anat/sub-01_ses-a_mod-T1w_defacemask.nii.gz",
        "sub-01/anat/sub-01_label-brain_mask.nii.gz",
        "sub-01/anat/sub-01_dseg.nii.gz",
        "derivatives/tool/sub-01/anat/sub-01_T1w.nii.gz",
        "truth/sub-01/brain.nii.gz",
        "sub-02/anat/.sub-02_T1w.nii.gz.part",
        "sub-02/anat/._sub-02_T1w.nii.gz",
    )
    assert found(tmp_path) == [
        ("sub-01", "a", "T1w", "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz"),
        ("sub-01", "b", "FLAIR", "sub-01/ses-b/anat/sub-01_ses-b_acq-x_FLAIR.nii"),
        ("sub-02", None, "T1w", "sub-02/anat/sub-02_T1w.nii.gz"),
    ]


def test_flat_folder_and_person_from_parent_folder(tmp_path):
    touch(tmp_path, "anna_T1w.nii.gz", "head 7.nii", "sub-x9/scan.nii.gz")
    assert found(tmp_path) == [
        ("sub-anna", None, "T1w", "anna_T1w.nii.gz"),
        ("sub-head7", None, None, "head 7.nii"),
        ("sub-x9", None, None, "sub-x9/scan.nii.gz"),
    ]


def test_two_names_with_one_label_are_refused(tmp_path):
    touch(tmp_path, "p 1.nii", "p1.nii")
    with pytest.raises(ScanError, match="would both be sub-p1"):
        find_scans(tmp_path)


def test_folders_without_scans_are_refused(tmp_path):
    with pytest.raises(ScanError, match="no such folder"):
        find_scans(tmp_path / "absent")
    with pytest.raises(ScanError, match="not a folder"):
        find_scans(touch(tmp_path, "a.nii") / "a.nii")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScanError, match="holds no scan"):
        find_scans(tmp_path / "empty")
    (tmp_path / "dicom" / "1").mkdir(parents=True)
    (tmp_path / "dicom" / "1" / "IM0001").write_bytes(bytes(128) + b"DICM" + bytes(8))
    with pytest.raises(ScanError, match="holds DICOM files"):
        find_scans(tmp_path / "dicom")


def test_suffixes():
    assert suffix_of("sub-1_run-2_T2w.nii.gz") == "T2w"
    assert suffix_of("T1w_head.nii") is None


def test_best_face_scan_per_participant(tmp_path):
    def image(name: str, spacing: float) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        affine = np.diag([spacing, spacing, spacing, 1])
        nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), affine), path)

    image("sub-1/anat/sub-1_FLAIR.nii", 1)
    image("sub-1/anat/sub-1_T2w.nii", 2)
    image("sub-2/ses-2/anat/sub-2_ses-2_T1w.nii", 0.5)
    image("sub-2/ses-1/anat/sub-2_ses-1_run-1_T1w.nii", 2)
    image("sub-2/ses-1/anat/sub-2_ses-1_run-2_T1w.nii", 1)
    touch(tmp_path, "sub-2/ses-1/anat/sub-2_ses-1_run-0_T1w.nii", "sub-3/x.nii")
    chosen = [f.path.name for f in choose_face_scans(find_scans(tmp_path))]
    assert chosen == ["sub-1_T2w.nii", "sub-2_ses-1_run-2_T1w.nii", "x.nii"]


def test_a_series_is_chosen_by_the_end_of_the_name(tmp_path):
    for name in ("sub-a_T1w", "sub-a_FLAIR", "sub-a_acq-axial_FLAIR", "sub-b_acq-axial_FLAIR"):
        touch(tmp_path, f"{name}.nii.gz")
    scans = find_scans(tmp_path)

    def names(series):
        return [s.path.name.removesuffix(".nii.gz") for s in only_series(scans, series)]

    assert names("FLAIR") == ["sub-a_FLAIR", "sub-b_acq-axial_FLAIR"]
    assert names("acq-axial_FLAIR") == ["sub-a_acq-axial_FLAIR", "sub-b_acq-axial_FLAIR"]
    with pytest.raises(ScanError, match="bold: no scan's name ends so"):
        names("bold")


def test_scans_of_a_session_share_a_key(tmp_path):
    names = [
        "sub-1/ses-1/anat/sub-1_ses-1_T1w.nii.gz", "sub-1/ses-1/func/sub-1_ses-1_bold.nii.gz",
        "sub-1/ses-2/anat/sub-1_ses-2_T1w.nii.gz", "sub-2/T1w.nii.gz", "sub-2/more/T2w.nii.gz",
        "Ann/T1w.nii.gz", "Bo/T1w.nii.gz",
    ]  # fmt: skip
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    keys = {
        str(s.path.relative_to(tmp_path)): session_of(s, tmp_path) for s in find_scans(tmp_path)
    }
    numbers = [list(dict.fromkeys(keys[n] for n in names)).index(keys[name]) for name in names]
    assert numbers == [0, 0, 1, 2, 2, 3, 4]


def test_scans_of_one_name_in_two_folders_may_be_of_two_people(tmp_path):
    for name in ("Ann/T1w.nii.gz", "Bo/T1w.nii.gz"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.touch()
    assert len(find_scans(tmp_path)) == 2
    with pytest.raises(ScanError, match=r"nothing says whether Ann/T1w.nii.gz and Bo/T1w.nii.gz"):
        find_people(tmp_path)


def test_named_people_may_have_files_of_one_name(tmp_path):
    names = ["sub-1/ses-1/T1w.nii.gz", "sub-1/ses-2/T1w.nii.gz", "sub-2/T1w.nii.gz", "c.nii.gz"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert find_people(tmp_path) == find_scans(tmp_path)
    assert len(find_people(tmp_path)) == 4


def test_links_to_missing_files_are_scans_that_cannot_be_read(tmp_path):
    """git-annex and DataLad leave such links where content was not fetched."""
    touch(tmp_path, "sub-1_T1w.nii.gz")
    for name in ("sub-2_T1w.nii.gz", "sub-2_brain_mask.nii.gz"):
        (tmp_path / name).symlink_to(tmp_path / ".git" / "annex" / "objects" / name)
    assert [f.path.name for f in find_scans(tmp_path)] == ["sub-1_T1w.nii.gz", "sub-2_T1w.nii.gz"]
    with pytest.raises(ScanError, match=r"sub-2_T1w.nii.gz: is a link to a missing file; fetch"):
        load(tmp_path / "sub-2_T1w.nii.gz")


def test_linked_folders_are_entered_once(tmp_path):
    data = touch(tmp_path / "in", "sub-1/T1w.nii", "derivatives/x/sub-8/T1w.nii", ".h/T1w.nii")
    touch(tmp_path / "else", "anat/T1w.nii", "derivatives/T1w.nii")
    (data / "sub-7").symlink_to(tmp_path / "else")
    (data / "sub-8").symlink_to("derivatives/x/sub-8")
    (data / "a").symlink_to("sub-1")
    (data / "up").symlink_to("..")
    (data / "sub-1" / "round").symlink_to("../sub-1")
    (tmp_path / "else" / "back").symlink_to(data)
    (data / "sourcedata").symlink_to(tmp_path)
    assert found(data) == [
        ("sub-1", None, "T1w", "sub-1/T1w.nii"),
        ("sub-7", None, "T1w", "sub-7/anat/T1w.nii"),
        ("sub-8", None, "T1w", "sub-8/T1w.nii"),
    ]
    assert find_scans(data) == find_scans(data)


def test_what_looks_like_an_image_and_is_left_out_is_counted_in_one_line(tmp_path, caplog):
    caplog.set_level("INFO")
    touch(tmp_path, "sub-1/sub-1_T1w.nii", "sub-1/sub-1_brain_mask.nii", "sub-1/sub-1_T1w.json")
    touch(tmp_path, "derivatives/sub-1_T1w.nii", "derivatives/a.dcm", ".hidden/sub-1_T1w.nii")
    find_scans(tmp_path)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "Images that are left out: 2 in skipped folders, 1 masks or labels")
    ]
    caplog.clear()
    touch(tmp_path, "sub-2/sub-2_T1w.hdr", "sub-2/sub-2_T1w.img", "sub-3/1.DCM", "sub-3/2.ima")
    find_scans(tmp_path)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().endswith("1 masks or labels, 3 of formats that are not read")
    caplog.clear()
    find_scans(touch(tmp_path / "plain", "sub-1_T1w.nii"))
    assert not caplog.records
