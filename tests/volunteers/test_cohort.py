import hashlib
import json

import cv2
import nibabel as nib
import numpy as np
import pytest

from faceblind.errors import FaceblindError, OutputError
from faceblind.volunteers import cohort
from faceblind.volunteers.cohort import make_volunteers


def digests(root):
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for folder in ("scans", "photos", "truth")
        for p in sorted((root / folder).rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory, coarse, small):
    root = tmp_path_factory.mktemp("people") / "out"
    result = make_volunteers(root, 2, 4, 1, scanner=coarse, camera=small, show_progress=False)
    return root, result


def test_layout(made):
    root, result = made
    assert result.participants == ("sub-0001", "sub-0002")
    assert (result.made, result.kept) == (2, 0)
    lines = (root / "photos.tsv").read_text().splitlines()
    assert lines[0] == "file\tparticipant_id\tview\tconsent"
    assert len(lines) == 11
    assert all(line.endswith("\tyes") for line in lines[1:])
    for line in lines[1:]:
        assert cv2.imread(str(root / line.split("\t")[0])).shape == (240, 192, 3)
    people = (root / "participants.tsv").read_text().splitlines()
    assert people[0] == "participant_id\tage\tsex"
    assert "in-silico" in (root / "README.md").read_text()
    assert "Nobody in this folder exists" in (root / "README.md").read_text()
    note = json.loads((root / "cohort.json").read_text())
    assert note["in_silico"] is True
    assert note["settings"]["seed"] == 4


def test_truth_fits_the_scan(made):
    root, _ = made
    for name in ("sub-0001", "sub-0002"):
        scan = nib.load(root / "scans" / name / "anat" / f"{name}_T1w.nii.gz")
        assert scan.get_data_dtype() == np.int16
        brain, face = (nib.load(root / "truth" / name / f"{k}.nii.gz") for k in ("brain", "face"))
        for mask in (brain, face):
            assert mask.shape == scan.shape
            assert np.allclose(mask.affine, scan.affine)
        assert not (np.asarray(brain.dataobj) & np.asarray(face.dataobj)).any()
        marks = (root / "truth" / name / "landmarks.tsv").read_text().splitlines()
        assert marks[0] == "name\tx\ty\tz"
        assert any(line.startswith("pronasale\t") for line in marks)
        pose = np.loadtxt(root / "truth" / name / "pose.txt")
        assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-6)


def test_finished_volunteers_are_kept_and_a_half_one_is_redone(made, coarse, small):
    root, _ = made
    before = digests(root)
    (root / "photos" / "sub-0002_left.jpg").unlink()
    again = make_volunteers(root, 2, 4, 1, scanner=coarse, camera=small, show_progress=False)
    assert (again.made, again.kept) == (1, 1)
    assert digests(root) == before


def test_people_depend_on_neither_number_nor_workers(made, tmp_path, coarse, small):
    root, _ = made
    make_volunteers(tmp_path / "b", 1, 4, 2, scanner=coarse, camera=small, show_progress=False)
    before, after = digests(root), digests(tmp_path / "b")
    assert all(before[path] == digest for path, digest in after.items())


def test_another_cohort_is_not_overwritten(made, coarse, small):
    root, _ = made
    with pytest.raises(OutputError, match="another seed"):
        make_volunteers(root, 2, 5, 1, scanner=coarse, camera=small, show_progress=False)
    with pytest.raises(OutputError, match="more than 1"):
        make_volunteers(root, 1, 4, 1, scanner=coarse, camera=small, show_progress=False)


def test_refusals(tmp_path):
    with pytest.raises(FaceblindError, match="n >= 1"):
        make_volunteers(tmp_path / "x", 0)
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "other.txt").write_text("mine")
    with pytest.raises(OutputError, match="other files"):
        make_volunteers(tmp_path / "y", 1)


def test_failures_are_named_after_the_others_are_done(tmp_path, monkeypatch, coarse, small):
    whole = cohort.simulate

    def fails(person, settings):
        if person.index == 0:
            raise FaceblindError("no magnet")
        return whole(person, settings)

    monkeypatch.setattr(cohort, "simulate", fails)
    with pytest.raises(FaceblindError, match="1 of 2 volunteers failed, first sub-0001: no magnet"):
        make_volunteers(tmp_path / "z", 2, 4, 1, scanner=coarse, camera=small, show_progress=False)
    assert "sub-0002" in (tmp_path / "z" / "participants.tsv").read_text()
    assert "sub-0001" not in (tmp_path / "z" / "participants.tsv").read_text()
