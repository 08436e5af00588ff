"""What the shareable page holds, and what only the private one does."""

from __future__ import annotations

from dataclasses import replace

from faceblind.report.html import render_page
from faceblind.report.page import Album, Picture
from faceblind.report.study_page import private_study_page, study_page


def titles(page) -> list[str]:
    return [section.title for section in page.sections if section.blocks]


def test_every_part_is_there(result):
    assert titles(study_page(replace(result, note="In-silico."), {"summary.json": "ab"})) == [
        "Before you read on", "Figures beside the article's", "Ranks", "Beyond this gallery",
        "Groups of people", "Failures", "What was not tested", "Methods, for a paper", "Limits",
        "Settings and hashes",
    ]  # fmt: skip


def test_parts_without_content_are_left_out(study_of):
    few = titles(study_page(study_of(people=4)))
    assert "Beyond this gallery" not in few
    assert "Groups of people" not in few
    assert "Failures" in few


def test_the_figures_are_the_command_lines(result):
    (table,) = next(s for s in study_page(result).sections if "article" in s.title).blocks
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}
    assert rows["people searched"] == ["31", "", "84", ""]
    assert rows["found at rank 1"][2:] == ["70 (83.3 %)", "74–90 %"]
    assert rows["not in first five"][2] == "4 (4.8 %)"
    assert rows["no face enrolled"][0] == "1"
    assert rows["found at rank 1"][0].startswith(f"{result.rank1.hits:g} (")


def test_the_shareable_page_names_nobody_and_quotes_no_failure(study_of):
    result = study_of(label="sub-%04d<b>")
    text = render_page(study_page(result, {"summary.json": "ab"}))
    for private in ("sub-0", "sub-lost", "private-name", "no head was found"):
        assert private not in text, private
    assert "1 of 31 people could not be searched for" in text


def test_the_private_page_has_each_person(result):
    album = Album("sub-0003", "", "", (Picture("photograph", "data:image/jpeg;base64,AA"),))
    page = private_study_page(result, albums=[album], flags={"sub-0002": "front: blurred"})
    assert page.audience == "private"
    (table,) = page.sections[0].blocks
    rows = {row[0].text: row for row in table.rows}
    assert len(rows) == 31
    assert [cell.text for cell in rows["sub-lost"]][1:3] == ["not searched", "n/a"]
    assert "no head was found" in rows["sub-lost"][-1].text
    assert rows["sub-0002"][6].text == "front: blurred"
    found = sum(row[1].text == "found" for row in table.rows)
    assert found == result.rank1.hits
    text = render_page(page)
    assert 'src="data:image/jpeg;base64,AA"' in text
    assert "Private: this page shows or names people" in text


def test_settings_versions_and_hashes_are_told(result):
    text = render_page(study_page(result, {"summary.json": "ab" * 32}))
    for part in ("sface-0ba9fbfa01b5", "version of numpy", "score_decimals", "ab" * 32):
        assert part in text, part


def test_an_experiment_with_nobody_enrolled_has_a_page(study_of):
    nobody = replace(study_of(people=4), cmc=(), gallery_size=0, chance_rank1=0.0, open_set=None)
    text = render_page(study_page(nobody))
    assert "in an empty gallery" in text
    assert "Cumulative" not in text
