"""The study's result: counting rules, keys, privacy of the summary and the printed table."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.identification.result import ARTICLE, evaluate

KEYS = [
    "direction",
    "recogniser",
    "persons",
    "gallery_size",
    "rank1",
    "rank5",
    "rank10",
    "failed_to_enrol",
    "chance_rank1",
    "versions",
    "settings",
]


def test_the_articles_figures_come_out(article_scores) -> None:
    result = evaluate(article_scores)
    assert (result.rank1.hits, result.rank5.hits, result.not_found.hits) == (70, 80, 4)
    assert result.rank1 == ARTICLE.rank1
    assert result.not_found == ARTICLE.not_found
    assert result.rank10.hits == 80
    assert result.chance_rank1 == pytest.approx(1 / 84)
    assert [entry.rank for entry in result.ranks[68:72]] == [1, 1, 3, 3]


def test_summary_has_the_agreed_keys_and_no_label(article_scores) -> None:
    result = evaluate(article_scores, failed={"sub-secret": "no face"}, versions={"x": "1"})
    summary = result.summary()
    assert list(summary)[: len(KEYS)] == KEYS
    assert summary["persons"] == 85
    assert summary["gallery_size"] == 84
    assert isinstance(summary["persons"], int)
    assert list(summary["rank1"]) == ["hits", "n", "rate", "low", "high"]
    text = json.dumps(summary, allow_nan=False)
    assert "sub-" not in text
    assert "secret" not in text


def test_failures_count_as_misses(make_scores) -> None:
    scores = make_scores([[1, 0], [0, 1]], ["a", "b"], ["a", "b"])
    result = evaluate(scores, failed={"c": "no face in any photograph", "d": "not a head"})
    assert result.rank1.as_dict() == {
        "hits": 2,
        "n": 4,
        "rate": 0.5,
        "low": pytest.approx(0.15, abs=0.005),
        "high": pytest.approx(0.85, abs=0.005),
    }
    assert result.failed_to_enrol == 2
    assert result.not_found.hits == 2
    assert result.ranks[2].rank == math.inf
    assert result.ranks[2].failure == "no face in any photograph"
    assert result.cmc == (0.5, 0.5)


def test_one_side_missing_is_a_failure(make_scores) -> None:
    scores = make_scores([[1, 0], [0, 1]], ["a", "b"], ["a", "x"])
    result = evaluate(scores, persons=["a", "b"])
    assert result.failed_to_enrol == 1
    assert result.rank1.hits == 1
    assert result.rank1.n == 2
    assert result.gallery_size == 2


def test_a_failed_picture_of_an_enrolled_person_is_no_failure(make_scores) -> None:
    scores = make_scores([[1, 0], [0, 1]], ["a", "b"], ["a", "b"])
    result = evaluate(scores, failed={"a": "one photograph of five has no face"})
    assert result.failed_to_enrol == 0
    assert result.rank1.hits == 2
    assert result.ranks[0].failure == ""


def test_distractors_and_unmated_probes(make_scores) -> None:
    scores = make_scores([[1, 0, 2], [0, 1, 0], [0, 0, 1]], ["a", "b", "z"], ["a", "b", "x"])
    result = evaluate(scores)
    assert result.persons == ("a", "b")
    assert result.gallery_size == 3
    assert result.rank1.hits == 1


def test_nobody_enrolled_is_a_rate_of_zero(make_scores) -> None:
    result = evaluate(make_scores([], [], []), persons=["a", "b"], failed={"a": "blank scan"})
    assert result.rank1.hits == 0
    assert result.failed_to_enrol == 2
    assert result.cmc == ()
    assert result.chance_rank1 == 0.0
    assert [entry.failure for entry in result.ranks] == ["blank scan", "no usable face"]
    with pytest.raises(FaceblindError, match="nobody"):
        evaluate(make_scores([], [], []))


def test_ties_are_shared_out(make_scores) -> None:
    labels = ["a", "b", "c", "d"]
    result = evaluate(make_scores(np.zeros((4, 4)), labels, labels))
    assert result.rank1.hits == 1.0
    assert result.ranks[0].rank == 2.5
    assert result.ranks[0].tied == 3
    assert result.trivial_ranks == (5, 10)


def test_rows(make_scores) -> None:
    scores = make_scores([[1, 0.5], [0.75, 0.25]], ["a", "b"], ["a", "b"])
    result = evaluate(scores)
    assert result.cmc_rows() == [
        {"rank": 1, "rate": 0.5, "chance": 0.5},
        {"rank": 2, "rate": 1.0, "chance": 1.0},
    ]
    assert result.rank_rows()[1] == {
        "participant_id": "b",
        "rank": 2.0,
        "tied": 0,
        "mate_score": 0.25,
        "best_other_score": 0.75,
        "failure": "",
    }
