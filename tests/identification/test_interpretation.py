"""What is added to a result: the same figures that the parts give, and nothing about few people."""

from __future__ import annotations

import json

import numpy as np
import pytest

from faceblind.identification.interpretation import Traits, interpret
from faceblind.identification.match import Scores
from faceblind.identification.result import evaluate

PEOPLE = [f"sub-{i:03d}" for i in range(110)]


@pytest.fixture
def scores(make_scores) -> Scores:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(110, 110)) + 3 * np.eye(110)
    return make_scores(values, PEOPLE, PEOPLE)


def test_parts_agree_with_the_result(scores: Scores) -> None:
    traits = {p: Traits(20 + i % 60, "FM"[i % 2], contrast="T1w") for i, p in enumerate(PEOPLE)}
    result = interpret(evaluate(scores), scores, traits)
    assert result.open_set.table[-1].dir.hits == result.rank1.hits
    assert result.gallery_scaling.smaller[-1].rates[0].hits == pytest.approx(result.rank1.hits)
    by_sex = next(trait for trait in result.subgroups if trait.name == "sex")
    assert sum(group.rate.hits for group in by_sex.groups) == result.rank1.hits
    assert [trait.name for trait in result.subgroups] == ["age", "sex", "contrast"]
    assert result.prior_knowledge.rank1.hits > result.rank1.hits
    assert result.prior_knowledge.gallery_median < 20


def test_failures_are_misses_of_every_part(scores: Scores) -> None:
    lost = {f"sub-9{i:02d}": "no face" for i in range(30)}
    traits = {p: Traits(sex="F") for p in PEOPLE} | {p: Traits(sex="M") for p in lost}
    result = interpret(evaluate(scores, failed=lost), scores, traits)
    assert result.open_set.mated_searches == 140
    assert result.open_set.nonmated_searches == 110
    assert result.gallery_scaling.smaller[-1].rates[0].rate == pytest.approx(result.rank1.rate)
    (by_sex,) = result.subgroups
    assert [(group.label, group.rate.hits > 0) for group in by_sex.groups] == [
        ("F", True), ("M", False),
    ]  # fmt: skip
    assert by_sex.verdict == "differs"
    assert result.prior_knowledge is None  # all whose score is known are women


def test_nobody_is_named(scores: Scores) -> None:
    traits = {p: Traits(50.0, "F", "a", "b", "c") for p in PEOPLE}
    text = json.dumps(interpret(evaluate(scores), scores, traits).summary())
    assert "sub-0" not in text
    assert "sub-1" not in text


def test_few_people_stay_as_they_are(make_scores) -> None:
    few = make_scores(np.eye(19), PEOPLE[:19], PEOPLE[:19])
    result = evaluate(few)
    assert interpret(result, few) is result


def test_without_traits_there_are_no_groups(scores: Scores) -> None:
    result = interpret(evaluate(scores), scores)
    assert result.subgroups == ()
    assert result.prior_knowledge is None
    assert result.open_set is not None


def test_it_says_the_same_again(scores: Scores) -> None:
    traits = {p: Traits(20 + i % 60, "FM"[i % 2]) for i, p in enumerate(PEOPLE)}
    first, second = (interpret(evaluate(scores), scores, traits).summary() for _ in range(2))
    assert first == second
