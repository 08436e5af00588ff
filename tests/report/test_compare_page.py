from __future__ import annotations

from dataclasses import replace

import pytest

from faceblind.report.compare_page import compare_page, private_compare_page
from faceblind.report.html import render_page


def test_before_and_after_in_one_sentence(comparison):
    assert compare_page(comparison).answer.sentence == (
        "Study A: 70 of 84 people (83 %, 95 % interval 74–90 %) were found at the first guess; "
        "study B: 1 of 84 (1 %, 0–6 %), a difference of −82 points (95 % interval −88 to −71; "
        "p < 0.001). The article of 2019 found 70 of 84 (83 %, 74–90 %)."
    )  # fmt: skip


def test_a_page_calls_the_studies_by_their_names(comparison):
    plain = render_page(compare_page(comparison))
    assert "A is:" not in plain
    named = compare_page(replace(comparison, names=("before protection", "after <b>reface</b>")))
    assert named.answer.sentence.startswith("Before protection: 70 of 84 people (83 %")
    assert "guess; after <b>reface</b>: 1 of 84 (1 %, 0–6 %), a difference" in named.answer.sentence
    shown = render_page(named)
    assert "A is: before protection. B is: after &lt;b&gt;reface&lt;/b&gt;." in shown
    assert "<b>reface" not in shown
    assert "study A" not in shown


def test_differences_person_by_person(comparison):
    page = compare_page(comparison)
    blocks = [b for s in page.sections for b in s.blocks if getattr(b, "name", "") == "differences"]
    (first, second) = blocks[0].rows
    assert [cell.text for cell in first[4:8]] == ["1", "69", "0", "14"]
    assert first[1].value == pytest.approx(-69 / 84 * 100, abs=1e-4)
    assert second[0].text == "5"


def test_only_the_private_page_has_people(comparison):
    shared = render_page(compare_page(comparison))
    assert "sub-0" not in shared
    assert "&lt;T1w&gt;" in shared
    assert "3 people are in one study only (2 in A, 1 in B)" in shared
    page = private_compare_page(comparison)
    (table,) = page.sections[0].blocks
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert rows["sub-0000"] == ["no longer found", "1", "20"]
    assert rows["sub-0003"] == ["found in both", "1", "1"]
    assert rows["sub-0080"] == ["not found", "7", "20"]
    assert "sub-0080" in render_page(page)
