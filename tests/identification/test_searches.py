"""Which searches an experiment holds: mated, non-mated, and those that could not be made."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.identification.searches import LEAST, Searches


def test_probes_of_the_gallery_are_mated_and_strangers_are_not(make_scores) -> None:
    values = [[5, 1, 2], [3, 4, 0], [7, 8, 9]]
    scores = make_scores(values, ["a", "b", "stranger"], ["a", "b", "x"])
    searches = Searches.of(scores, ["a", "b", "c"])
    assert searches.mated.tolist() == [True, True, False]
    assert (searches.mated_count, searches.gallery_size, searches.failed) == (3, 3, ("c",))
    assert searches.mate_scores().tolist() == [5, 4, LEAST]
    assert searches.best_others().tolist() == [2, 3, 9]


def test_a_mated_probe_that_is_not_asked_for_is_left_out(make_scores) -> None:
    scores = make_scores(np.eye(3), ["a", "b", "c"], ["a", "b", "c"])
    searches = Searches.of(scores, ["a", "c"])
    assert searches.probe_persons.tolist() == ["a", "c"]
    assert searches.mates.tolist() == [0, 2]
    assert searches.failed == ()


def test_a_person_missing_from_the_gallery_has_failed(make_scores) -> None:
    """Who is asked for and has a probe only is a mated search that could not be made."""
    scores = make_scores([[1, 0], [0, 1]], ["a", "b"], ["a", "x"])
    searches = Searches.of(scores, ["a", "b"])
    assert searches.probe_persons.tolist() == ["a"]
    assert searches.failed == ("b",)


def test_a_gallery_of_the_mate_alone_leaves_nobody(make_scores) -> None:
    searches = Searches.of(make_scores([[1.0]], ["a"], ["a"]), ["a"])
    assert searches.best_others().tolist() == [LEAST]


def test_shapes_must_agree() -> None:
    labels = np.array(["a", "b"])
    with pytest.raises(FaceblindError, match=r"expected \(2, 2\) scores"):
        Searches(np.zeros((2, 3)), np.zeros(2, dtype=int), labels, labels)
