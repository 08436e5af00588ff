from __future__ import annotations

from faceblind.report.benchmark_page import benchmark_page, private_benchmark_page
from faceblind.report.html import render_page


def table(page, name):
    blocks = [block for section in page.sections for block in section.blocks]
    found = [getattr(block, "table", block) for block in blocks]
    return next(one for one in found if getattr(one, "name", "") == name)


def test_the_answer_has_each_own_method_and_names_the_others(league):
    sentence = benchmark_page(league).answer.sentence
    rate = league.strongest("intact", "photo-to-scan").result.rank1
    assert f"{rate.hits:g} of 25 people" in sentence
    assert sentence.index("in intact scans") < sentence.index("after deface")
    assert sentence.endswith("Beside them: slowtool.")
    assert "real people, intact (2019)" in [
        row[0].text for row in benchmark_page(league).answer.beside.table.rows
    ]


def test_the_best_method_comes_first(league):
    page = benchmark_page(league)
    names = [row[0].text for row in table(page, "league").rows]
    assert names[-1] == "intact"
    rates = [row[2].value for row in table(page, "league").rows]
    assert rates == sorted(rates)
    costs = {row[0].text: [cell.text for cell in row[1:]] for row in table(page, "costs").rows}
    assert costs["slowtool"] == ["47", "48", "45.0", "44.0", "250", "912 in 3 scans", "1"]
    assert costs["intact"][2:5] == ["n/a", "n/a", "n/a"]


def test_published_rates_and_missing_tools_are_said(league):
    page = benchmark_page(league)
    published = [[cell.text for cell in row] for row in table(page, "published").rows]
    assert ["mri_reface", "MRI", "photo-to-scan", "Microsoft Azure Face", "182", "8 %"] in [
        row[:6] for row in published
    ]
    assert all(row[6] for row in published)
    assert [cell.text for cell in table(page, "missing").rows[0]] == ["mede", "works on folders"]
    assert "slowtool: 1 of 48 scans were not protected" in render_page(page)


def test_only_the_private_page_has_people(league):
    assert "sub-" not in render_page(benchmark_page(league))
    page = private_benchmark_page(league, {"league.csv": "ab"})
    assert [cell.text for cell in table(page, "failures").rows[0]] == [
        "slowtool", "sub-lost_T1w.nii.gz", "slowtool: was stopped after 1200 s",
    ]  # fmt: skip
    assert "sub-0000" in render_page(page)
