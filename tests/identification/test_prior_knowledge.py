"""Searches among people who fit an age and a sex, against a search by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceblind.identification.prior_knowledge import with_prior_knowledge
from faceblind.identification.searches import Searches


def of_scores(values: object, failed: tuple[str, ...] = ()) -> Searches:
    scores = np.array(values, dtype=float)
    labels = np.array([f"p{i}" for i in range(len(scores))])
    return Searches(scores, np.arange(len(scores)), labels, labels, failed)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_search_by_hand(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 6))
    cells = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    values = np.array(data.draw(st.lists(cells, min_size=n, max_size=n)), float)
    ages = data.draw(st.lists(st.sampled_from([None, 20, 25, 26, 40]), min_size=n, max_size=n))
    sexes = data.draw(st.lists(st.sampled_from([None, "F", "M"]), min_size=n, max_size=n))

    def fits(i: int, j: int) -> bool:
        near = ages[i] is None or ages[j] is None or abs(ages[i] - ages[j]) <= 5
        return near and (sexes[i] is None or sexes[j] is None or sexes[i] == sexes[j])

    galleries = [[j for j in range(n) if fits(i, j)] for i in range(n)]
    found = with_prior_knowledge(of_scores(values), (ages, ages), (sexes, sexes))
    if all(len(gallery) == n for gallery in galleries):
        assert found is None
        return
    hits = 0.0
    for i, gallery in enumerate(galleries):
        best = max(values[i, j] for j in gallery)
        if values[i, i] == best:
            hits += 1 / sum(values[i, j] == best for j in gallery)
    assert found.rank1.hits == pytest.approx(hits)
    assert found.chance == pytest.approx(np.mean([1 / len(gallery) for gallery in galleries]))
    assert found.gallery_median == np.median([len(gallery) for gallery in galleries])


def test_knowledge_helps_and_failures_stay_misses() -> None:
    values = np.array([[1, 2, 0], [2, 1, 0], [0, 0, 1]])
    ages, sexes = [30.0, 31.0, 30.0], ["F", "M", "M"]
    found = with_prior_knowledge(of_scores(values, ("lost",)), (ages, ages), (sexes, sexes))
    assert (found.rank1.hits, found.rank1.n) == (3, 4)
    assert found.chance == pytest.approx((1 + 1 / 2 + 1 / 2) / 4)
    assert found.as_dict()["known"] == "sex, and age within 5 years"


def test_nobody_ruled_out_is_no_knowledge() -> None:
    nothing = [None, None]
    assert (
        with_prior_knowledge(of_scores(np.eye(2)), (nothing, nothing), (nothing, nothing)) is None
    )
    strangers = Searches(np.eye(2), np.array([-1, -1]), np.array(["x", "y"]), np.array(["a", "b"]))
    sexes = (["F", "M"], ["M", "F"])
    assert with_prior_knowledge(strangers, (nothing, nothing), sexes) is None
