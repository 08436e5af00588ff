"""Lists of candidates become ranks; who is not in a list is a miss, however short the list."""

from __future__ import annotations

import math

import numpy as np
import pytest

from faceblind.identification.candidates import NOT_RETURNED, scores_of_candidates
from faceblind.identification.interpretation import interpret
from faceblind.identification.result import evaluate

GALLERY = {"a": 36, "b": 36, "c": 35}


def test_the_score_is_the_mean_confidence_with_nothing_for_a_list_without_the_person() -> None:
    scores = scores_of_candidates({"b": [{"b": 0.8, "a": 0.2}, {"b": 0.6}]}, GALLERY, "x-1")
    np.testing.assert_allclose(scores.values, [[0.1, 0.7, NOT_RETURNED]])
    assert scores.returned is not None
    assert scores.returned.tolist() == [[True, True, False]]
    assert (scores.matching, scores.recogniser) == ("service", "x-1")
    assert scores.settings["pictures_per_gallery_person"] == [35, 36]
    assert not scores.complete


def test_a_mate_that_was_not_returned_is_a_miss_at_every_rank() -> None:
    answers = {"a": [{"a": 0.9}], "b": [{"a": 0.3, "b": 0.2}], "c": [{"a": 0.4}]}
    result = evaluate(scores_of_candidates(answers, GALLERY, "x"))
    assert [one.rank for one in result.ranks] == [1, 2, math.inf]
    # Five are more than the gallery holds: even so nobody is found who was not returned.
    assert (result.rank1.hits, result.rank5.hits, result.rank1.n) == (1, 2, 3)
    assert result.cmc[-1] == pytest.approx(2 / 3)
    assert result.not_found.hits == 1
    assert result.failed_to_enrol == 0


def test_empty_lists_find_nobody_not_even_by_chance() -> None:
    result = evaluate(scores_of_candidates({person: [{}] for person in "abc"}, GALLERY, "x"))
    assert result.rank10.hits == 0
    assert all(math.isinf(one.rank) and not one.failure for one in result.ranks)


def test_figures_beyond_the_gallery_need_all_scores() -> None:
    people = {f"{k:02}": 1 for k in range(24)}
    full = {p: [{q: 0.9 if p == q else 0.1 for q in people}] for p in people}
    scores = scores_of_candidates(full, people, "x")
    assert scores.complete
    assert interpret(evaluate(scores), scores).gallery_scaling is not None
    full["00"][0].pop("01")
    scores = scores_of_candidates(full, people, "x")
    assert interpret(evaluate(scores), scores).gallery_scaling is None
