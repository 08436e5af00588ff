from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from faceblind.report.experiment_charts import (
    beside_article,
    cmc_chart,
    open_set_chart,
    rank_histogram,
    scaling_chart,
    subgroup_chart,
)


def columns(chart) -> dict[str, list]:
    names = chart.table.columns
    return {name: [row[k].plain for row in chart.table.rows] for k, name in enumerate(names)}


def texts(chart) -> list[str]:
    return [element.text or "" for element in ET.fromstring(chart.drawing.svg).iter("text")]


def test_the_cmc_is_the_results_with_its_intervals(result):
    found = columns(cmc_chart(result))
    assert found["rank"] == list(range(1, 31))
    assert found["rate"] == pytest.approx(result.cmc, abs=1e-6)
    assert found["rate"][0] == pytest.approx(result.rank1.rate, abs=1e-6)
    assert found["95 % low"][0] == pytest.approx(result.rank1.low, abs=1e-6)
    assert found["chance"][:2] == pytest.approx([1 / 30, 2 / 30], abs=1e-6)
    assert "article (84 people)" in texts(cmc_chart(result))
    assert "article (84 people)" not in texts(cmc_chart(replace(result, direction="scan-to-scan")))


def test_a_large_gallery_keeps_its_ends(study_of):
    found = columns(cmc_chart(study_of(people=700)))
    assert len(found["rank"]) < 260
    assert found["rank"][:20] == list(range(1, 21))
    assert found["rank"][-1] == 700


def test_the_histogram_counts_everybody_once(result, study_of):
    for study in (result, study_of(people=4), study_of(people=120, strength=0.05)):
        found = columns(rank_histogram(study))
        assert sum(found["people"]) == pytest.approx(len(study.ranks))
        assert found["people"][0] == pytest.approx(study.rank1.hits)
        assert found["rank"][-1] == "no face"
        assert found["people"][-1] == 1
        within_five = sum(found["people"][:2])
        assert within_five == pytest.approx(study.rank5.hits)


def test_the_article_stands_beside_the_answer(result):
    found = columns(beside_article(result))
    assert found["study"] == ["this study", "Schwarz et al. 2019"]
    assert found["found"] == [result.rank1.hits, 70]
    assert found["95 % high"][1] == pytest.approx(0.898, abs=1e-3)


def test_open_set_and_scaling_have_all_rows(study_of):
    result = study_of(people=120, strength=0.25)
    found = columns(open_set_chart(result.open_set))
    assert found["DIR"] == pytest.approx([p.dir.rate for p in result.open_set.table], abs=1e-6)
    assert found["FNIR"] == pytest.approx([p.fnir for p in result.open_set.table], abs=1e-6)
    found = columns(scaling_chart(result.gallery_scaling))
    assert len(found["gallery"]) == len(result.gallery_scaling.rows())
    assert set(found["by"]) == {"sub-galleries", "extreme values", "pitman yor"}
    assert 10**6 in found["gallery"]


def test_groups_are_shown_with_their_test(result):
    found = columns(subgroup_chart(result))
    assert found["trait"][-1] == "sex"
    assert found["group"][-1] == "F"
    assert found["people"][-1] == 30
    assert found["verdict"][-1] == "too few to say"
    assert subgroup_chart(replace(result, subgroups=())) is None


def test_a_group_may_have_any_name(study_of):
    chart = subgroup_chart(study_of(group="$<b>x</b>\x00"))
    assert any("$<b>x</b>" in text for text in texts(chart))
