"""The league's rows: who is ranked first, what is counted, and what is kept private."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faceblind.workflows.benchmark_result import (
    COLUMNS,
    PUBLISHED_ROWS,
    SEARCHES,
    MethodRun,
    PublishedRow,
)

PHOTO, ORIGINAL, PROTECTED = SEARCHES


@pytest.fixture(scope="module")
def league(script):
    """Made-up results of 24 people and one who could not be enrolled."""
    return script("bench/example_results.py").benchmark()


def test_costs_name_nobody():
    run = MethodRun("tool", "1", "ab", 10, 7, 2.0, 1.5, 300.0, 12, 3, 1, (("sub-1", "why"),))
    assert run.failed == 3
    assert run.costs() == {
        "scans": 10, "protected": 7, "failed": 3, "wall_s": 2.0, "cpu_s": 1.5, "peak_mb": 300.0,
        "brain_voxels_changed": 12, "brain_scans_changed": 3,
    }  # fmt: skip
    assert "sub-1" not in repr(run)


@pytest.mark.parametrize(
    ("rates", "told"), [((0.28, 0.38), "28–38 %"), ((0.3, 0.3), "30 %"), ((0.276, 0.284), "28 %")]
)
def test_published_rates_as_text(rates, told):
    row = PublishedRow("x", "MRI", PHOTO, "r", 84, rates, "who")
    assert row.told() == told
    assert row.row()["rank1_published"] == told
    assert row.row()["source"] == "published"


def test_published_rows_are_rates_of_real_people():
    assert len(PUBLISHED_ROWS) == 10
    for row in PUBLISHED_ROWS:
        assert 0 < row.rank1[0] <= row.rank1[1] <= 1
        assert row.people >= 30
        assert row.citation
        assert row.search in (PHOTO, "scan-to-scan")


def test_the_strongest_attack_finds_most_and_then_most_of_five(league):
    first = league.strongest("deface", PHOTO)
    rank1, rank5 = first.result.rank1, first.result.rank5
    weaker = replace(first.result, rank1=replace(rank1, rate=rank1.rate - 0.01))
    closer = replace(first.result, rank5=replace(rank5, rate=rank5.rate + 0.01))
    results = {"a": weaker, "b": first.result, "c": closer, "d": first.result}
    attacks = tuple(replace(first, matching=n, result=result) for n, result in results.items())
    assert replace(league, attacks=attacks).strongest("deface", PHOTO).matching == "c"
    assert replace(league, attacks=attacks[:2]).strongest("deface", PHOTO).matching == "b"
    assert league.strongest("intact", ORIGINAL) is None


def test_methods_are_ranked_by_photographs_first(league):
    names = [method.name for method in league.ranked()]
    assert names[-1] == "intact"
    rates = [league.strongest(name, PHOTO).result.rank1.rate for name in names]
    assert rates == sorted(rates)
    without = replace(league, attacks=tuple(a for a in league.attacks if a.method != names[0]))
    # What was not attacked comes last, whatever it costs.
    assert without.ranked()[-1].name == names[0]


def test_the_league_has_the_strongest_attack_of_each_search(league):
    rows = {row["method"]: row for row in league.league()}
    assert rows["intact"][ORIGINAL] is None
    assert rows["deface"][PHOTO] == league.strongest("deface", PHOTO).result.rank1
    assert (rows["slowtool"]["failed"], rows["slowtool"]["brain_voxels_changed"]) == (1, 912)
    assert rows["reface"]["version"] == "0.1"


def test_all_rows_have_known_columns_and_no_names(league):
    rows = league.rows()
    assert len(rows) == len(league.attacks) + len(PUBLISHED_ROWS)
    assert all(set(row) <= set(COLUMNS) for row in rows)
    assert not any("sub-" in str(value) for row in rows for value in row.values())
    attack = league.attacks[0]
    assert rows[0]["people"] == len(attack.result.ranks) == 25
    assert rows[0]["rank1_found"] == round(attack.result.rank1.hits, 6)
    assert rows[0]["failed_to_enrol"] == 1


def test_a_method_without_attacks_keeps_a_row(league):
    rest = replace(league, attacks=tuple(a for a in league.attacks if a.method != "slowtool"))
    (row,) = [row for row in rest.rows() if row.get("method") == "slowtool"]
    assert (row["scans"], row["failed"], row["wall_s"]) == (48, 1, 45.0)
    assert "rank1" not in row


def test_the_summary_is_public_and_persons_are_not(league):
    summary = league.summary()
    assert "sub-" not in str(summary)
    assert summary["league"][-1]["method"] == "intact"
    assert summary["league"][-1][ORIGINAL] is None
    assert set(summary["league"][0][PHOTO]) >= {"rate", "low", "high"}
    assert summary["not_run"] == [{"method": "mede", "why": "works on folders"}]
    intact, *others = summary["methods"]
    assert intact["sha256"] is None
    assert others[0]["sha256"] == "ab" * 32
    persons = league.person_rows()
    assert len(persons) == 25 * len(league.attacks)
    assert persons[0]["participant_id"].startswith("sub-")
    assert list(league.failures()) == [
        {
            "method": "slowtool",
            "scan": "sub-lost_T1w.nii.gz",
            "why": "slowtool: was stopped after 1200 s",
        }
    ]
