"""A folder's files are all told: scans, masks, what is left out and what nobody reads."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from faceblind.datasets.census import OUTLINE, Census, ScanFile, find_scans, take_census
from faceblind.errors import ScanError
from faceblind.formats import save
from faceblind.formats.unread import Unread
from faceblind.scan import Scan

SCAN = np.random.default_rng(0).integers(0, 900, (30, 30, 30)).astype(np.int16)
MASK = np.zeros((30, 30, 30), np.uint8)
MASK[13:17, 13:17, 13:17] = 1


def put(root, name, voxels=SCAN):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save(Scan(voxels, np.diag([3.0, 3.0, 3.0, 1.0])), path)
    return path


@pytest.fixture
def folder(tmp_path):
    """One scan of each kind of place and name."""
    put(tmp_path, "sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz")
    put(tmp_path, "sub-1/ses-a/anat/sub-1_ses-a_FLAIR.nii.gz")
    put(tmp_path, "sub-1/ses-a/anat/sub-1_ses-a_mask.nii.gz", MASK)
    put(tmp_path, "derivatives/tool/sub-1_T1w.nii.gz")
    put(tmp_path, "sub-1/.old/sub-1_T1w.nii.gz")
    (tmp_path / "sub-1" / "IM1").write_bytes(bytes(128) + b"DICM" + bytes(100))
    (tmp_path / "README").write_text("Heads.")
    return tmp_path


def names(scans):
    return [(f.participant_id, f.session, f.suffix) for f in scans]


def test_scans_are_sorted_and_all_else_is_counted(folder):
    census = take_census(folder)
    assert census.folder == folder
    assert names(census.scans) == [("sub-1", "a", "FLAIR"), ("sub-1", "b", "T1w")]
    assert (census.masks, census.skipped) == (1, 1)
    (unread,) = census.unread
    assert unread.path == folder / "sub-1" / "IM1"
    assert unread.what.startswith("DICOM")
    assert unread.may_be_scan


def test_a_gate_looks_everywhere(folder):
    census = take_census(folder, everywhere=True)
    assert names(census.scans) == names(take_census(folder).scans)
    left_out = {one.path.relative_to(folder).as_posix(): one for one in census.unread}
    assert set(left_out) == {
        "derivatives/tool/sub-1_T1w.nii.gz", "sub-1/.old/sub-1_T1w.nii.gz", "sub-1/IM1"
    }  # fmt: skip
    what = left_out["derivatives/tool/sub-1_T1w.nii.gz"]
    assert what.what == "a scan in the folder 'derivatives', which is left out"
    assert not what.may_be_scan
    assert left_out["sub-1/.old/sub-1_T1w.nii.gz"].what == "a scan that is hidden"


def test_an_image_that_is_named_a_mask_is_a_scan(folder):
    put(folder, "sub-2/anat/sub-2_mask.nii.gz")
    broken = folder / "sub-3_mask.nii.gz"
    broken.write_bytes(b"torn")
    census = take_census(folder)
    assert names(census.scans)[-1] == ("sub-2", None, None)
    (torn,) = [one for one in census.unread if one.path == broken]
    assert torn.what.startswith("named a mask, but: ")
    assert str(folder) not in torn.what
    # What cannot be read may be a mask.
    assert census.masks == 2


def test_the_outline_of_a_head_is_no_harmless_mask(tmp_path):
    axis = np.linspace(-1.0, 1.0, 60)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    outline = ((x / 0.6) ** 2 + (y / 0.75) ** 2 + (z / 0.9) ** 2 < 1).astype(np.uint8)
    path = tmp_path / "sub-1_mask.nii.gz"
    save(Scan(outline, np.diag([4.0, 4.0, 4.0, 1.0])), path)
    census = take_census(tmp_path)
    assert census.scans == ()
    assert census.unread == (Unread(path, OUTLINE),)
    assert census.masks == 1


def test_left_out_images_are_told_in_one_line_and_loudly_where_a_face_may_be_missed(folder, caplog):
    with caplog.at_level(logging.INFO, "faceblind"):
        take_census(folder).log()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message == (
        "Images that are left out: 1 in skipped folders, 1 masks or labels, "
        "1 of formats that are not read"
    )
    caplog.clear()
    (folder / "sub-1" / "IM1").unlink()
    with caplog.at_level(logging.INFO, "faceblind"):
        find_scans(folder)
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert record.message.endswith("1 in skipped folders, 1 masks or labels")


def test_a_folder_of_scans_alone_is_not_talked_about(tmp_path, caplog):
    put(tmp_path, "sub-1_T1w.nii.gz")
    with caplog.at_level(logging.INFO, "faceblind"):
        assert len(find_scans(tmp_path)) == 1
    assert caplog.records == []


def test_a_folder_without_scans_says_what_else_it_holds(tmp_path):
    (tmp_path / "note.mif").write_bytes(b"mrtrix image\n")
    with pytest.raises(ScanError, match=r"holds no scan .*not read: note\.mif .*check the path"):
        find_scans(tmp_path)
    (tmp_path / "IM1").write_bytes(bytes(128) + b"DICM" + bytes(100))
    with pytest.raises(ScanError, match="holds DICOM files, which are not read; convert them"):
        find_scans(tmp_path)
    empty = Census(tmp_path, (), (), 0, 0)
    with pytest.raises(ScanError, match=r"holds no scan \([^)]*\.nii\.gz[^)]*\); check the path"):
        empty.require_scans()


def test_required_scans_are_a_list_of_their_own(tmp_path):
    one = ScanFile(tmp_path / "a.nii", "sub-a", None, None)
    census = Census(tmp_path, (one,), (), 0, 0)
    census.require_scans().clear()
    assert census.require_scans() == [one]


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(ScanError, match="no such folder"):
        take_census(tmp_path / "absent")
    with pytest.raises(ScanError, match="not a folder"):
        take_census(put(tmp_path, "a.nii.gz"))
