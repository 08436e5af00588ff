"""One way in and one way out for all formats, by the ending of the name."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.datasets.census import find_scans
from faceblind.datasets.sidecar import sidecar_path
from faceblind.errors import OutputError, ScanError
from faceblind.formats import load, same_format, save
from faceblind.formats.names import ENDINGS, is_scan_name
from faceblind.scan import Scan
from faceblind.system.outputs import check_target, make_folders, prepare_output, remove_empty

SCAN = Scan(np.arange(1000, dtype=np.int16).reshape(10, 10, 10), np.diag([8.0, 8, 8, 1]))


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_goes_out_and_comes_in(tmp_path, ending):
    path = tmp_path / f"sub-1_T1w{ending}"
    save(SCAN, path)
    scan = load(path)
    np.testing.assert_array_equal(scan.voxels, SCAN.voxels)
    np.testing.assert_allclose(scan.affine, SCAN.affine, atol=1e-4)
    assert scan.modality == "T1w"
    assert [found.participant_id for found in find_scans(tmp_path)] == ["sub-1"]
    assert sidecar_path(path).name == "sub-1_T1w.json"
    assert is_scan_name(str(path).upper())


def test_formats_are_told_apart():
    assert same_format("a.nii", "b.NII.GZ")
    assert same_format("a.mgz", "b.mgh")
    assert not same_format("a.mgz", "b.nii.gz")
    assert not same_format("a.txt", "b.txt")


def test_unknown_endings_are_refused(tmp_path):
    with pytest.raises(OutputError, match="must end in"):
        save(SCAN, tmp_path / "a.img")
    (tmp_path / "a.img").write_bytes(b"x")
    with pytest.raises(ScanError, match="not a format"):
        load(tmp_path / "a.img")


def test_a_folder_that_cannot_be_written_to_is_seen_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("faceblind.system.outputs.os.access", lambda *_: False)
    with pytest.raises(OutputError, match="its folder cannot be written to"):
        check_target(tmp_path / "a.nii", overwrite=True)


def test_a_second_run_into_one_folder_outlives_what_the_first_tidies_up(tmp_path):
    root = prepare_output(tmp_path / "out", "deface")
    folders = [root / "sub-1" / "anat", root / "sub-2" / "anat"]
    for _ in ("first", "second"):
        make_folders(folders)
    save(SCAN, folders[1] / "a.nii")
    remove_empty(folders, root)
    assert [path.name for path in root.glob("sub-*")] == ["sub-2"]
    remove_empty(folders, root)
    save(SCAN, folders[0] / "a.nii")
    remove_empty(folders, root)
    assert sorted(path.parent for path in root.rglob("*.nii")) == folders
    with pytest.raises(OutputError, match="does not exist; create it first"):
        save(SCAN, tmp_path / "elsewhere" / "a.nii")
