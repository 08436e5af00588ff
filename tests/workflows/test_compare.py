"""Two finished experiments on the same people: counts, what is refused, and what stays private."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import faceblind
from faceblind.errors import FaceblindError, OutputError, TableError
from faceblind.identification.match import Scores
from faceblind.identification.result import evaluate
from faceblind.system.outputs import prepare_output, private_dir
from faceblind.system.tables import write_tsv
from faceblind.workflows.compare import compare
from faceblind.workflows.result_outputs import write_result

PEOPLE = [f"sub-{i:02d}" for i in range(20)]


def finished(
    folder: Path, ranks: list[int], people: list[str], make_scores: Any, **options: Any
) -> Path:
    """The folder of a study in which each person's mate has this rank."""
    n = len(people)
    values = np.zeros((n, n))
    for i, rank in enumerate(ranks):
        values[i, (i + 1 + np.arange(rank - 1)) % n] = 2
        values[i, i] = 1
    root = prepare_output(folder, options.pop("verb", "study"))
    private = private_dir(root / "private")
    scores: Scores = make_scores(values, people, people)
    write_result(root, private, evaluate(scores, **options))
    pictures = [
        {"participant_id": p, "file": f"/data/{p}.jpg", "view": "front", "flags": ""}
        for p in people
    ]
    write_tsv(private / "photographs.tsv", pictures)
    return folder


@pytest.fixture
def before(tmp_path: Path, make_scores: Any) -> Path:
    """17 of 20 people at rank 1, three at rank 3."""
    return finished(tmp_path / "before", [1] * 17 + [3] * 3, PEOPLE, make_scores)


@pytest.fixture
def after(tmp_path: Path, make_scores: Any) -> Path:
    """Five of the 17 are still at rank 1; one of the three is now."""
    ranks = [1] * 5 + [7] * 12 + [1] + [12] * 2
    return finished(
        tmp_path / "after", ranks, PEOPLE, make_scores, settings={"series": "FLAIR"}, note="Toys."
    )


def test_counts_and_figures(before: Path, after: Path) -> None:
    result = compare(before, after)
    assert [one.rank for one in result.differences] == [1, 5, 10]
    first, fifth, tenth = result.differences
    assert (first.both, first.only_a, first.only_b, first.neither) == (5, 12, 1, 2)
    assert first.p_value == pytest.approx(2 * 14 / 2**13)
    assert (fifth.a.hits, fifth.b.hits) == (20, 6)
    assert (tenth.a.hits, tenth.b.hits) == (20, 18)
    assert result.unlike == {"series": [None, "FLAIR"]}
    assert result.notes == ("Toys.",)
    assert result.summary()["people"] == 20


def test_written_files_and_privacy(before: Path, after: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = faceblind.compare(before, after, out)
    written = json.loads((out / "compare.json").read_text())
    assert written["differences"][0]["found_in_a_only"] == 12
    assert written == json.loads(json.dumps(result.summary()))
    lines = (out / "compare.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:6] == ["rank", "people", "a_hits", "a_rate", "a_low", "a_high"]
    assert [line.split("\t")[0] for line in lines[1:]] == ["1", "5", "10"]
    assert stat.S_IMODE((out / "private").stat().st_mode) == 0o700
    changes = (out / "private" / "changes.tsv").read_text().splitlines()
    assert changes[0] == "participant_id\trank_a\trank_b"
    assert changes[1] == "sub-00\t1\t1"
    assert changes[-1] == "sub-19\t3\t12"
    for path in out.iterdir():
        assert path.is_dir() or "sub-" not in path.read_text()
    faceblind.compare(before, after, out)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(OutputError, match="holds other files"):
        faceblind.compare(before, after, tmp_path / "taken")


def test_names_are_kept_and_must_be_names(before: Path, after: Path) -> None:
    names = ("before protection", "after reface")
    assert compare(before, after).summary()["names"] == ["study A", "study B"]
    assert compare(before, after, names=names).summary()["names"] == list(names)
    for wrong in (" ", "a\nb", 61 * "x"):
        with pytest.raises(FaceblindError, match="one line of at most 60 characters"):
            compare(before, after, names=("before", wrong))


def test_a_study_and_itself(before: Path) -> None:
    (first, *_) = compare(before, before).differences
    assert (first.difference, first.p_value, first.only_a, first.only_b) == (0, 1, 0, 0)
    assert first.low < 0 < first.high


def test_people_of_one_study_are_counted_and_left_out(
    before: Path, tmp_path: Path, make_scores: Any
) -> None:
    fewer = finished(tmp_path / "fewer", [1] * 8, [*PEOPLE[:7], "sub-new"], make_scores)
    result = compare(before, fewer)
    assert (len(result.people), result.only_in_a, result.only_in_b) == (7, 13, 1)
    assert [one.rank for one in result.differences] == [1, 5]  # ten are more than the gallery
    assert result.unlike["gallery_size"] == [20, 8]


def test_failures_to_enrol_are_misses(before: Path, tmp_path: Path, make_scores: Any) -> None:
    lost = dict.fromkeys(PEOPLE[10:], "no face")
    half = finished(tmp_path / "half", [1] * 10, PEOPLE[:10], make_scores, failed=lost)
    table = before / "private" / "photographs.tsv"
    shutil.copy(table, half / "private" / "photographs.tsv")
    (first, *_) = compare(before, half).differences
    assert (first.both, first.only_a, first.only_b, first.neither) == (10, 7, 0, 3)


def test_what_cannot_be_compared(
    before: Path, after: Path, tmp_path: Path, make_scores: Any
) -> None:
    with pytest.raises(TableError, match="no results of 'faceblind study'"):
        compare(before, tmp_path)
    others = finished(tmp_path / "others", [1, 1], ["sub-x", "sub-y"], make_scores)
    with pytest.raises(TableError, match="nobody in common"):
        compare(before, others)
    table = after / "private" / "photographs.tsv"
    text = table.read_text()
    table.write_text(text.replace("/data/sub-03.jpg", "/data/other.jpg"))
    with pytest.raises(TableError, match="1 of 20 people have other photographs"):
        compare(before, after)
    table.write_text(text.replace("/data/", "/moved/"))
    assert len(compare(before, after).people) == 20
    summary = json.loads((after / "summary.json").read_text()) | {"direction": "scan-to-scan"}
    (after / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(TableError, match="searches scan-to-scan, the other photo-to-scan"):
        compare(before, after)
    (after / "private" / "ranks.tsv").unlink()
    with pytest.raises(FaceblindError, match=r"ranks\.tsv cannot be read"):
        compare(before, after)
