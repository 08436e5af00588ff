"""The study from Python: the same figures whatever the order, and nothing written too early."""

from __future__ import annotations

import json
import shutil
import stat
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import faceblind
from faceblind.datasets.census import ScanFile
from faceblind.errors import ConsentError, FaceblindError, TableError
from faceblind.formats import nifti
from faceblind.scan import Scan
from faceblind.workflows.features import PhotoFeatures
from faceblind.workflows.study import study
from faceblind.workflows.study_material import IN_SILICO

module = import_module("faceblind.workflows.study")

QUIET = {"n_jobs": 1, "show_progress": False}


@pytest.fixture
def again(studied: Any, tmp_path: Path) -> Path:
    """A copy of the finished study's folder, cache included."""
    return Path(shutil.copytree(studied.out, tmp_path / "again"))


@pytest.fixture
def people(four_people: Path, tmp_path: Path) -> Path:
    """A copy of the volunteers that may be spoilt."""
    return Path(shutil.copytree(four_people, tmp_path / "people"))


def summary(out: Path) -> dict[str, Any]:
    return json.loads((out / "summary.json").read_text())


def edit(table: Path, old: str, new: str) -> None:
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new))


def test_result_agrees_with_what_is_written(studied: Any, again: Path) -> None:
    people = studied.people
    result = faceblind.study(people / "scans", people / "photos.tsv", again, **QUIET)
    assert result.summary() == summary(studied.out)
    assert result.persons == ("sub-0001", "sub-0002", "sub-0003", "sub-0004")
    assert result.cmc[-1] == 1.0
    assert all(np.isfinite(entry.rank) for entry in result.ranks)
    assert result.note == IN_SILICO


def test_a_second_run_computes_nothing_and_says_the_same(
    studied: Any, again: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("computed again")

    for name in ("reconstruct_head", "read_photo", "_embed"):
        monkeypatch.setattr(f"faceblind.workflows.features.{name}", never)
    people = studied.people
    result = study(people / "scans", people / "photos.tsv", again, **QUIET)
    assert result.failed_to_enrol == 0
    for name in ("summary.json", "cmc.tsv", "private/ranks.tsv", "private/photographs.tsv"):
        assert (again / name).read_bytes() == (studied.out / name).read_bytes(), name


@pytest.mark.parametrize("direction", ["photo-to-scan", "scan-to-photo"])
@pytest.mark.parametrize("matching", ["centred", "nearest"])
def test_every_way_of_matching_finds_people(
    studied: Any, studied_with_sface: Path, tmp_path: Path, direction: Any, matching: Any
) -> None:
    people, out = studied.people, tmp_path / "again"
    shutil.copytree(studied_with_sface, out)
    result = study(
        people / "scans", people / "photos.tsv", out, direction=direction, matching=matching,
        **QUIET,
    )  # fmt: skip
    assert (result.direction, result.matching) == (direction, matching)
    written = summary(out)
    assert (written["direction"], written["matching"]) == (direction, matching)
    # Guessing finds 1 of 4; two coarse heads may look the same, three may not.
    assert result.rank1.hits >= 3
    assert result.gallery_size == 4


def test_another_person_s_scan_is_not_found_at_rank_one(
    studied: Any, again: Path, people: Path
) -> None:
    """Identities that are swapped are errors: nothing but the pictures decides."""
    edit(people / "photos.tsv", "\tsub-0001\t", "\tsub-x\t")
    edit(people / "photos.tsv", "\tsub-0002\t", "\tsub-0001\t")
    edit(people / "photos.tsv", "\tsub-x\t", "\tsub-0002\t")
    right = study(studied.people / "scans", studied.people / "photos.tsv", again, **QUIET)
    swapped = study(people / "scans", people / "photos.tsv", again, **QUIET)
    found = {entry.person for entry in right.ranks if entry.rank == 1}
    still = {entry.person for entry in swapped.ranks if entry.rank == 1}
    assert {"sub-0001", "sub-0002"} & found
    assert not found & still & {"sub-0001", "sub-0002"}
    assert {"sub-0003", "sub-0004"} & found <= still


def test_people_without_photographs_stay_in_the_gallery(
    studied: Any, again: Path, people: Path
) -> None:
    lines = (people / "photos.tsv").read_text().splitlines()
    kept = [line for line in lines if "sub-0004" not in line]
    (people / "photos.tsv").write_text("\n".join(kept) + "\n")
    result = study(people / "scans", people / "photos.tsv", again, **QUIET)
    assert result.persons == ("sub-0001", "sub-0002", "sub-0003")
    assert result.gallery_size == 4
    assert result.rank1.n == 3
    assert result.failed_to_enrol == 0


def test_a_person_whose_pictures_all_fail_is_a_miss(again: Path, people: Path) -> None:
    for path in (people / "photos").glob("sub-0002_*.jpg"):
        path.write_bytes(b"no picture")
    result = study(people / "scans", people / "photos.tsv", again, **QUIET)
    assert result.failed_to_enrol == 1
    assert result.rank1.n == 4
    assert result.rank1.hits <= 3
    (failed,) = [entry for entry in result.ranks if entry.failure]
    assert failed.person == "sub-0002"
    assert np.isinf(failed.rank)


def test_one_bad_picture_of_five_costs_nobody(again: Path, people: Path) -> None:
    (people / "photos" / "sub-0002_left.jpg").write_bytes(b"no picture")
    result = study(people / "scans", people / "photos.tsv", again, **QUIET)
    assert result.failed_to_enrol == 0
    flags = (again / "private" / "photographs.tsv").read_text().splitlines()
    (bad,) = [line for line in flags if "sub-0002_left" in line]
    assert bad.endswith("\tfailed")


def test_when_every_scan_fails_all_are_misses(
    again: Path, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise FaceblindError("no magnet")

    monkeypatch.setattr(module, "scan_embeddings", fails)
    result = study(people / "scans", people / "photos.tsv", again, **QUIET)
    assert (result.failed_to_enrol, result.gallery_size, result.rank1.hits) == (4, 0, 0)
    assert {entry.failure for entry in result.ranks} == {"no magnet"}


@pytest.mark.parametrize("answer", ["no", "", "Yes?"])
def test_without_consent_nothing_is_read_or_written(
    people: Path, tmp_path: Path, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("went on without consent")

    monkeypatch.setattr(module, "find_people", never)
    edit(people / "photos.tsv", "sub-0003\tup\tyes", f"sub-0003\tup\t{answer}")
    with pytest.raises(ConsentError, match="consent") as caught:
        study(people / "scans", people / "photos.tsv", tmp_path / "out", **QUIET)
    assert "sub-0003_up.jpg" in str(caught.value) or "line" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_no_common_person_is_refused(people: Path, tmp_path: Path) -> None:
    edit(people / "photos.tsv", "\tsub-", "\tsub-9")
    with pytest.raises(TableError, match="no participant_id matches a scan"):
        study(people / "scans", people / "photos.tsv", tmp_path / "out", **QUIET)
    assert not (tmp_path / "out").exists()


def test_the_inputs_are_not_written_over(people: Path) -> None:
    with pytest.raises(FaceblindError):
        study(people / "scans", people / "photos.tsv", people / "scans", **QUIET)
    with pytest.raises(FaceblindError):
        study(people / "scans", people / "photos.tsv", people, **QUIET)


def test_ages_and_sexes_are_summed_up(studied: Any, again: Path, tmp_path: Path) -> None:
    table = tmp_path / "participants.tsv"
    table.write_text(
        "participant_id\tage\tsex\nsub-0001\t40\tF\nsub-0002\t50\tM\nsub-0003\t90\tF\n"
        "sub-0099\t20\tM\n"
    )
    people = studied.people
    result = study(people / "scans", people / "photos.tsv", again, participants=table, **QUIET)
    cohort = result.settings["cohort"]
    assert {key: cohort[key] for key in ("age_years", "sex")} == {
        "age_years": [40, 50, 90],
        "sex": {"F": 2, "M": 1},
    }
    described = json.loads((people / "cohort.json").read_text())
    assert cohort["preset"] == described["preset"]


@pytest.mark.slow
def test_saved_faces_are_private(studied: Any, again: Path, people: Path) -> None:
    for name in ("sub-0003", "sub-0004"):
        shutil.rmtree(people / "scans" / name)
    study(people / "scans", people / "photos.tsv", again, save_faces=True, **QUIET)
    faces = again / "private" / "faces"
    assert stat.S_IMODE(faces.stat().st_mode) == 0o700
    assert sorted(path.name for path in faces.iterdir()) == ["sub-0001", "sub-0002"]
    assert sorted(path.name for path in (faces / "sub-0001").iterdir()) == [
        "as-is.ply", "as-is.png", "completed.ply", "completed.png",
    ]  # fmt: skip


@pytest.mark.slow
def test_fresh_runs_agree_whatever_the_number_of_jobs(studied: Any, tmp_path: Path) -> None:
    people = studied.people
    study(people / "scans", people / "photos.tsv", tmp_path / "new", n_jobs=2, show_progress=False)
    for name in ("summary.json", "cmc.tsv", "private/ranks.tsv", "private/photographs.tsv"):
        assert (tmp_path / "new" / name).read_bytes() == (studied.out / name).read_bytes(), name


def test_nobody_left_on_both_sides_is_a_table_of_misses() -> None:
    rows = np.eye(4, dtype=np.float32)
    scans, photos = {"sub-1": rows[:1], "sub-2": rows[1:2]}, {"sub-3": rows[2:3]}
    photos["sub-4"] = rows[3:]
    scores = module._match(scans, photos, "photo-to-scan", "centred", "stub")
    assert scores.values.shape == (0, 0)


def test_faces_that_cannot_be_saved_are_counted_and_not_named(tmp_path: Path, caplog: Any) -> None:
    file = ScanFile(tmp_path / "sub-1_T1w.nii.gz", "sub-1", None, "T1w")
    module._save_faces([file], tmp_path / "private", 1, False)
    assert "The faces of 1 people could not be saved" in caplog.text
    assert "sub-1" not in caplog.text


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """120 people by name only: what a recogniser would make of them is drawn at random."""
    rng = np.random.default_rng(6)
    folder = tmp_path / "crowd"
    (folder / "scans").mkdir(parents=True)
    names = [f"sub-{i:03d}" for i in range(120)]
    person = {name: rng.normal(size=24) for name in names}

    def vectors(path: Path, pictures: int) -> Any:
        who = person[path.name[:7]] + 0.9 * rng.normal(size=(pictures, 24))
        return (who / np.linalg.norm(who, axis=1, keepdims=True)).astype(np.float32)

    def of_photograph(path: Path, *args: object) -> PhotoFeatures:
        return PhotoFeatures(vectors(path, 1), ())

    monkeypatch.setattr(module, "scan_embeddings", lambda path, *args: vectors(path, 1))
    monkeypatch.setattr(module, "photo_embeddings", of_photograph)
    scan = Scan(np.arange(64, dtype=np.int16).reshape(4, 4, 4), np.eye(4))
    rows, people = [], []
    for i, name in enumerate(names):
        suffix = "T1w" if i % 2 else "FLAIR"
        nifti.save(scan, folder / "scans" / f"{name}_{suffix}.nii.gz")
        (folder / f"{name}_front.jpg").touch()
        rows.append(f"{name}_front.jpg\t{name}\tfront\tyes")
        people.append(f"{name}\t{20 + i % 60}\t{'FM'[i // 60]}\t{'ab'[i % 2]}")
    header = "file\tparticipant_id\tview\tconsent"
    (folder / "photos.tsv").write_text("\n".join([header, *rows]) + "\n")
    header = "participant_id\tage\tsex\tancestry"
    (folder / "participants.tsv").write_text("\n".join([header, *people]) + "\n")
    return folder


def test_a_crowd_gets_figures_beyond_its_gallery(crowd: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = study(crowd / "scans", crowd / "photos.tsv", out, matching="centred", **QUIET)
    written = summary(out)
    assert written == json.loads(json.dumps(result.summary()))
    assert 0.3 < written["rank1"]["rate"] < 0.98
    (point,) = written["open_set"]["dir_at_fpir"]
    assert point["fpir"] == 0.01
    assert point["dir"]["rate"] < written["rank1"]["rate"]
    assert written["open_set"]["too_few"] == [{"fpir": 0.001, "searches_needed": 1000}]
    sizes = written["gallery_scaling"]["rank1_in_larger_galleries"]
    assert [one["gallery_size"] for one in sizes] == [10**k for k in range(3, 9)]
    assert sizes[0]["extreme_values"]["rate"] < written["rank1"]["rate"]
    assert written["prior_knowledge"]["rank1"]["rate"] > written["rank1"]["rate"]
    groups = {trait["trait"]: sorted(trait["groups"]) for trait in written["subgroups"]}
    assert groups["sex"] == ["F", "M"]
    assert groups["ancestry"] == ["a", "b"]
    assert groups["contrast"] == ["FLAIR", "T1w"]
    assert {path.name for path in out.iterdir() if path.is_file()} == {
        ".faceblind.json", "summary.json", "cmc.tsv", "open_set.tsv", "gallery_scaling.tsv",
        "subgroups.tsv",
    }  # fmt: skip
    public = [path for path in out.iterdir() if path.is_file()]
    assert not any(label in path.read_text() for path in public for label in result.persons)


def test_a_crowd_is_compared_with_itself_in_another_session(crowd: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        study(crowd / "scans", crowd / "photos.tsv", tmp_path / name, matching="centred", **QUIET)
    result = faceblind.compare(tmp_path / "first", tmp_path / "second")
    first = result.differences[0]
    assert first.both + first.only_a + first.only_b + first.neither == 120
    assert first.only_a + first.only_b > 0  # other pictures are drawn each time
    assert first.low < 0.1
    assert first.high > -0.1
    assert first.p_value > 0.001
