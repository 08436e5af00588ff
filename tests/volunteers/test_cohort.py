import hashlib
import json
from dataclasses import replace

import cv2
import nibabel as nib
import numpy as np
import pytest

from faceblind.errors import FaceblindError, OutputError
from faceblind.volunteers import cohort
from faceblind.volunteers.cohort import make_volunteers, series_name
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.presets import PRESETS, Preset, preset

SERIES = ("T1w", "axFLAIR")


def digests(root):
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for folder in ("scans", "photos", "truth")
        for p in sorted((root / folder).rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="session")
def quick(coarse, small):
    return Preset("quick", "1", "coarse and small", scanner=coarse, camera=small)


@pytest.fixture(scope="module")
def made(tmp_path_factory, quick):
    root = tmp_path_factory.mktemp("people") / "out"
    result = make_volunteers(root, 2, 4, 1, preset=quick, protocols=SERIES, show_progress=False)
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


def test_the_preset_is_recorded(made, quick):
    root, _ = made
    note = json.loads((root / "cohort.json").read_text())
    assert note["preset"] == {"name": "quick", "version": "1", "fingerprint": quick.fingerprint}
    assert note["settings"]["protocols"] == list(SERIES)


def test_truth_fits_the_scans(made):
    root, _ = made
    for name in ("sub-0001", "sub-0002"):
        for series in ("T1w", "acq-axial_FLAIR"):
            scan = nib.load(root / "scans" / name / "anat" / f"{name}_{series}.nii.gz")
            truth = root / "truth" / name / series
            assert scan.get_data_dtype() == np.int16
            masks = [nib.load(truth / f"{kind}.nii.gz") for kind in ("brain", "face", "ears")]
            for mask in masks:
                assert mask.shape == scan.shape
                assert np.allclose(mask.affine, scan.affine)
            brain, face, ears = (np.asarray(mask.dataobj) for mask in masks)
            assert not (brain & (face | ears)).any()
            marks = (truth / "landmarks.tsv").read_text().splitlines()
            assert marks[0] == "name\tx\ty\tz"
            assert any(line.startswith("pronasale\t") for line in marks)
            for matrix in (np.loadtxt(truth / f"{kind}.txt") for kind in ("pose", "to_first")):
                assert np.allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-6)
        first = np.loadtxt(root / "truth" / name / "T1w" / "to_first.txt")
        assert np.array_equal(first, np.eye(4))


def test_finished_volunteers_are_kept_and_a_half_one_is_redone(made, quick):
    root, _ = made
    before = digests(root)
    (root / "photos" / "sub-0002_left.jpg").unlink()
    again = make_volunteers(root, 2, 4, 1, preset=quick, protocols=SERIES, show_progress=False)
    assert (again.made, again.kept) == (1, 1)
    assert digests(root) == before


def test_an_empty_file_and_a_damaged_mark_are_made_again(made, quick):
    root, _ = made
    before = digests(root)
    (root / "photos" / "sub-0001_up.jpg").write_bytes(b"")
    (root / "truth" / "sub-0002" / "finished.json").write_text("[1, 2")
    again = make_volunteers(root, 2, 4, 1, preset=quick, protocols=SERIES, show_progress=False)
    assert (again.made, again.kept) == (2, 0)
    assert digests(root) == before


def test_series_of_an_earlier_cohort_do_not_stay_beside_those_of_another(tmp_path, quick):
    root = tmp_path / "x"
    series = ("T1w", "axFLAIR")
    make_volunteers(root, 1, 4, 1, preset=quick, protocols=series, show_progress=False)
    own = root / "scans" / "sub-0001" / "anat" / "notes.txt"
    own.write_text("mine")
    make_volunteers(root, 1, 5, 1, preset=quick, protocols="T1w", force=True, show_progress=False)
    scans = sorted(p.name for p in (root / "scans").rglob("*") if p.is_file())
    assert scans == ["notes.txt", "sub-0001_T1w.nii.gz"]
    assert [p.name for p in (root / "truth" / "sub-0001").iterdir() if p.is_dir()] == ["T1w"]


@pytest.mark.parametrize("note", ["", "{}", "[]", '{"settings": {}, "n": "many"}'])
def test_a_damaged_note_is_refused_in_one_line(tmp_path, note):
    (tmp_path / "cohort.json").write_text(note)
    with pytest.raises(OutputError, match=r"cohort\.json: is damaged or no cohort's; delete this"):
        make_volunteers(tmp_path, 1, force=True)


def test_people_depend_on_neither_number_nor_workers(made, tmp_path, quick):
    root, _ = made
    make_volunteers(tmp_path / "b", 1, 4, 2, preset=quick, protocols=SERIES, show_progress=False)
    before, after = digests(root), digests(tmp_path / "b")
    assert all(before[path] == digest for path, digest in after.items())


def test_another_cohort_is_not_overwritten(made, quick):
    root, _ = made
    with pytest.raises(OutputError, match="another seed"):
        make_volunteers(root, 2, 5, 1, preset=quick, protocols=SERIES, show_progress=False)
    with pytest.raises(OutputError, match="more than 1"):
        make_volunteers(root, 1, 4, 1, preset=quick, protocols=SERIES, show_progress=False)


def test_refusals(tmp_path):
    with pytest.raises(FaceblindError, match="n >= 1"):
        make_volunteers(tmp_path / "x", 0)
    with pytest.raises(FaceblindError, match="n-jobs: expected 1 or more, or -1"):
        make_volunteers(tmp_path / "jobs", 1, n_jobs=0)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "scans").write_text("mine")
    with pytest.raises(OutputError, match=r"scans: cannot be made \(File exists\)"):
        make_volunteers(tmp_path / "taken", 1, force=True)
    for wrong in ({"n": 1.5}, {"n": float("nan")}, {"n": 1, "seed": -1}, {"n": 1, "seed": 0.5}):
        with pytest.raises(FaceblindError, match="whole numbers"):
            make_volunteers(tmp_path / "x", **wrong)
    assert not (tmp_path / "x").exists()
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "other.txt").write_text("mine")
    with pytest.raises(OutputError, match="other files"):
        make_volunteers(tmp_path / "y", 1)


def test_unknown_series_and_presets_are_refused(tmp_path):
    with pytest.raises(FaceblindError, match=r"different series out of T1w.*got T9w"):
        make_volunteers(tmp_path / "x", 1, protocols=("T9w",))
    with pytest.raises(FaceblindError, match="different series"):
        make_volunteers(tmp_path / "x", 1, protocols=("T1w", "T1w"))
    with pytest.raises(FaceblindError, match="got none"):
        make_volunteers(tmp_path / "x", 1, protocols=())
    with pytest.raises(FaceblindError, match="hard: no such preset; choose one of plain"):
        make_volunteers(tmp_path / "x", 1, preset="hard")
    assert not (tmp_path / "x").exists()


def test_series_are_named_as_bids_names_them():
    assert series_name("T1w") == "T1w"
    assert series_name("axFLAIR") == "acq-axial_FLAIR"


def test_the_reference_cohort_is_frozen():
    chosen = preset("article")
    # Published figures name them: a change of any setting needs a new version.
    assert (chosen.version, chosen.fingerprint) == ("1", "0894903eb4e7")


@pytest.mark.parametrize("name", PRESETS)
def test_a_fingerprint_covers_every_setting(name):
    chosen = preset(name)
    assert chosen.fingerprint == preset(name).fingerprint
    other = replace(chosen, camera=replace(chosen.camera, noise=chosen.camera.noise + 1))
    assert other.fingerprint != chosen.fingerprint
    renamed = replace(chosen, name="other")
    assert renamed.fingerprint == chosen.fingerprint


def test_failures_are_named_after_the_others_are_done(tmp_path, monkeypatch, quick):
    whole = cohort.scan_session

    def fails(person, protocols, settings):
        if person.index == 0:
            raise FaceblindError("no magnet")
        return whole(person, protocols, settings)

    monkeypatch.setattr(cohort, "scan_session", fails)
    with pytest.raises(FaceblindError, match="1 of 2 volunteers failed, first sub-0001: no magnet"):
        make_volunteers(tmp_path / "z", 2, 4, 1, preset=quick, show_progress=False)
    assert "sub-0002" in (tmp_path / "z" / "participants.tsv").read_text()
    assert "sub-0001" not in (tmp_path / "z" / "participants.tsv").read_text()


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch, quick):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cohort, "_write_scan", full)
    words = r"first sub-0001: its files cannot be written \(No space left on device\); run again"
    with pytest.raises(FaceblindError, match=words):
        make_volunteers(tmp_path / "z", 1, 4, 1, preset=quick, show_progress=False)


def test_the_tables_say_what_the_people_are(made):
    root, _ = made
    rows = [line.split("\t") for line in (root / "participants.tsv").read_text().splitlines()[1:]]
    people = [sample_person(4, index) for index in range(2)]
    assert rows == [[p.name, str(p.age), p.sex] for p in people]
