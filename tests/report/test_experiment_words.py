from __future__ import annotations

from dataclasses import replace

import pytest

from faceblind.identification.intervals import Rate
from faceblind.report import experiment_words as words


def test_the_answer_has_the_rate_its_interval_chance_and_the_articles_figure(result):
    said = words.answer(
        replace(result, rank1=Rate.of(70, 84), chance_rank1=1 / 84, gallery_size=84)
    )
    assert said == (
        "70 of 84 people were found by their photographs: their own scan was the first guess among "
        "84 (83 %, 95 % interval 74–90 %). Guessing would find 1 %; the article of 2019 found 70 "
        "of 84 (83 %, 74–90 %)."
    )


@pytest.mark.parametrize("direction", ["photo-to-scan", "scan-to-photo", "scan-to-scan"])
def test_every_direction_has_its_words(result, direction):
    other = replace(result, direction=direction)
    assert "the first guess" in words.answer(other)
    assert f"({direction};" in words.methods(other)
    is_articles = direction == "photo-to-scan"
    assert any("not the article's" in one for one in words.cautions(other)) is not is_articles


def test_warnings_come_with_the_material(study_of):
    few = replace(study_of(people=4), note="In-silico.")
    said = words.cautions(few)
    assert said[0] == "In-silico."
    assert "The gallery holds 4: within rank 5, 10 guessing finds as many." in said
    assert any(one.startswith("Fewer than 20 people") for one in said)
    assert "In-silico." in words.limits(few)


def test_what_few_people_cannot_tell_is_said(study_of):
    few, many = words.not_tested(study_of(people=4)), words.not_tested(study_of(people=120))
    assert "People who are not in the gallery (open set): needs 20 people." in few
    assert not any("open set" in one for one in many)
    assert "DIR at 0.1 % FPIR: needs 1,000 people." in many
    assert "The other direction (scan-to-photo)." in few


def test_methods_tell_settings_and_failures(result):
    text = words.methods(result)
    for part in (
        "faceblind 0.0.test (numpy 2.0)", "closed set of 30 people", "31 mated searches",
        "9 directions under 9 lights", "5 pictures per probe and 81 per gallery person",
        "sface-0ba9fbfa01b5 with centred matching", "1 of 31 people could not be enrolled",
        "Wilson's, 95 %",
    ):  # fmt: skip
        assert part in text, part


def test_adapted_matching_is_explained_and_cited(result):
    adapted = replace(result, matching="adapted", recogniser="sface-map-0123")
    assert "learnt from synthetic people" in words.methods(adapted)
    assert "learnt from synthetic people" not in words.methods(result)
    cited = words.citations(adapted)
    assert all(key in cited for key in ("hatch2006", "auckenthaler2000", "zhong2021"))
    assert "hatch2006" not in words.citations(result)


def test_only_what_is_used_is_cited(result, study_of):
    assert "rocher2025" in words.citations(result)
    few = words.citations(study_of(people=4))
    assert "rocher2025" not in few
    assert {"schwarz2019", "wilson1927", "zhong2021"} <= set(few.replace("{", ",").split(","))
    assert "zhong2021" not in words.citations(replace(result, recogniser="own-abc"))


def test_prior_knowledge_only_where_it_was_computed(result):
    assert words.prior_knowledge(replace(result, prior_knowledge=None)) == ()
    (said,) = words.prior_knowledge(result)
    assert "of 31 people" in said
    assert "age within 5 years" in said
