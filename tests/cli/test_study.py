"""The study end to end on the command line: what is printed, written, kept private and refused."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

RATE = {"hits", "n", "rate", "low", "high"}


@pytest.fixture
def people(four_people: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(four_people, tmp_path / "people"))


@pytest.fixture
def again(studied: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(studied.out, tmp_path / "again"))


@pytest.fixture
def summary(studied: Any) -> dict[str, Any]:
    return json.loads((studied.out / "summary.json").read_text())


def run(command: Command, people: Path, out: Path, *options: str) -> Any:
    return command("study", people / "scans", people / "photos.tsv", out, "-j", "1", *options)


def test_volunteers_are_what_the_study_reads(four_people: Path) -> None:
    assert len(list((four_people / "scans").rglob("*_T1w.nii.gz"))) == 4
    assert len(list((four_people / "photos").glob("*.jpg"))) == 20
    assert (four_people / "participants.tsv").read_text().count("sub-") == 4


def test_it_ends_well_and_prints_the_table_beside_the_article(studied: Any) -> None:
    done = studied.done
    assert done.code == 0, done.err
    for words in ("found at rank 1", "70 (83.3 %)", "80 (95.2 %)", "4 (4.8 %)", "In-silico"):
        assert words in done.out, words
    assert str(studied.out / "summary.json") in done.out.replace("\n", "")
    assert "Traceback" not in done.err


def test_summary_holds_the_promised_keys(summary: dict[str, Any]) -> None:
    assert {
        "direction", "recogniser", "persons", "gallery_size", "rank1", "rank5", "rank10",
        "failed_to_enrol", "chance_rank1", "versions", "settings",
    } <= set(summary)  # fmt: skip
    for key in ("rank1", "rank5", "rank10"):
        assert set(summary[key]) == RATE, key
    assert {"python", "numpy", "onnxruntime"} <= set(summary["versions"])
    assert summary["settings"]["recogniser"] == "sface-map"


def test_summary_holds_the_right_figures(summary: dict[str, Any]) -> None:
    assert summary["direction"] == "photo-to-scan"
    assert summary["recogniser"].startswith("sface-map-")
    assert (summary["persons"], summary["gallery_size"]) == (4, 4)
    assert summary["failed_to_enrol"] == 0
    assert summary["chance_rank1"] == 0.25
    rank1 = summary["rank1"]
    assert rank1["n"] == 4
    assert rank1["hits"] >= 3
    assert rank1["rate"] == rank1["hits"] / 4
    assert 0 < rank1["low"] < rank1["rate"] <= rank1["high"] <= 1
    # Wilson, 4 of 4: 1 / (1 + 1.96^2 / 4).
    assert summary["rank5"] == {"hits": 4, "n": 4, "rate": 1.0, "low": 0.510109, "high": 1.0}
    assert summary["trivial_ranks"] == [5, 10]
    assert summary["settings"]["pictures_per_gallery_person"] == [36, 36]
    assert summary["settings"]["pictures_per_probe"] == [5, 5]


def test_cmc_rises_to_one(studied: Any, summary: dict[str, Any]) -> None:
    lines = (studied.out / "cmc.tsv").read_text().splitlines()
    assert lines[0] == "rank\trate\tchance"
    rows = [[float(cell) for cell in line.split("\t")] for line in lines[1:]]
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert rows[0][1] == summary["rank1"]["rate"]
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert rows[-1][1] == 1
    assert [row[2] for row in rows] == [0.25, 0.5, 0.75, 1]


def test_ranks_per_person_are_private(studied: Any) -> None:
    private = studied.out / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    lines = (private / "ranks.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:2] == ["participant_id", "rank"]
    assert [line.split("\t")[0] for line in lines[1:]] == [f"sub-000{k}" for k in (1, 2, 3, 4)]


def test_both_reports_are_written(studied: Any) -> None:
    assert f"Report: {studied.out / 'report.html'}" in studied.done.out.replace("\n", "")
    own = studied.out / "private" / "report.html"
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    for person in ("sub-0001", "sub-0004"):
        assert person in own.read_text(encoding="utf-8")


def test_nothing_outside_private_names_anybody(studied: Any) -> None:
    public = [
        path
        for path in studied.out.rglob("*")
        if path.is_file() and "private" not in path.relative_to(studied.out).parts
    ]
    assert {path.name for path in public} == {
        "summary.json", "cmc.tsv", "report.html", ".faceblind.json",
    }  # fmt: skip
    for path in public:
        text = path.read_text()
        assert "sub-" not in text, path.name
        assert str(studied.people) not in text, path.name


def test_the_log_names_nobody(studied: Any) -> None:
    assert "sub-0" not in studied.done.err
    assert str(studied.people) not in studied.done.err


def test_a_second_run_says_the_same(command: Command, studied: Any, again: Path) -> None:
    done = run(command, studied.people, again)
    assert done.code == 0
    assert done.out.split("Results:")[0] == studied.done.out.split("Results:")[0]
    for name in ("summary.json", "cmc.tsv", "report.html"):
        assert (again / name).read_bytes() == (studied.out / name).read_bytes()


def test_the_other_direction_and_matching(
    command: Command, studied: Any, studied_with_sface: Path, tmp_path: Path
) -> None:
    again = Path(shutil.copytree(studied_with_sface, tmp_path / "again"))
    done = run(
        command, studied.people, again, "--direction", "scan-to-photo", "--matching", "nearest"
    )
    assert done.code == 0
    summary = json.loads((again / "summary.json").read_text())
    assert (summary["direction"], summary["matching"]) == ("scan-to-photo", "nearest")
    assert summary["settings"]["pictures_per_probe"] == [81, 81]
    assert "is not the article's" in done.out.replace("\n", " ")


def test_a_broken_scan_is_named_and_counted(
    command: Command, people: Path, again: Path, studied: Any
) -> None:
    path = people / "scans" / "sub-0003" / "anat" / "sub-0003_T1w.nii.gz"
    path.write_bytes(path.read_bytes()[:20_000])
    done = run(command, people, again)
    assert done.code == 1
    (line,) = [line for line in done.err.splitlines() if line.startswith("failed: ")]
    assert line.startswith("failed: sub-0003: ")
    assert "sub-0003_T1w.nii.gz" in line
    summary = json.loads((again / "summary.json").read_text())
    assert summary["failed_to_enrol"] == 1
    assert (summary["persons"], summary["gallery_size"]) == (4, 3)
    assert summary["rank1"]["n"] == 4
    assert summary["rank1"]["hits"] <= 3
    assert "sub-0003" not in (again / "summary.json").read_text()


def test_consent_cannot_be_bypassed(command: Command, people: Path, tmp_path: Path) -> None:
    table = people / "photos.tsv"
    table.write_text(table.read_text().replace("sub-0002\tleft\tyes", "sub-0002\tleft\tno"))
    for options in ((), ("--force",)):
        done = run(command, people, tmp_path / "out", *options)
        assert done.code == 1
        assert "consent" in done.err
        assert "8" in done.err  # the line of the table
        assert done.err.count("\n") == 1
        assert not (tmp_path / "out").exists()
    table.write_text("\n".join(line.rsplit("\t", 1)[0] for line in table.read_text().splitlines()))
    done = run(command, people, tmp_path / "out")
    assert done.code == 1
    assert "consent" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "word"), [(("--direction", "back"), "back"), (("--matching", "x"), "x")]
)
def test_wrong_choices_are_usage_errors(
    command: Command, people: Path, tmp_path: Path, options: tuple[str, str], word: str
) -> None:
    done = run(command, people, tmp_path / "out", *options)
    assert done.code == 2
    assert word in done.err


def test_unknown_recogniser_and_missing_folder(
    command: Command, people: Path, tmp_path: Path
) -> None:
    done = run(command, people, tmp_path / "out", "--recogniser", "nobody")
    assert done.code == 1
    assert "nobody" in done.err
    done = command("study", people / "gone", people / "photos.tsv", tmp_path / "out")
    assert done.code == 1
    assert "no such folder" in done.err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_things_needs_force(
    command: Command, studied: Any, again: Path, tmp_path: Path
) -> None:
    (again / ".faceblind.json").unlink()
    assert run(command, studied.people, again).code == 1
    assert run(command, studied.people, again, "--force").code == 0
