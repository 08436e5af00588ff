"""Paired comparisons against hand tables, a sign test by enumeration, and simulated truth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblind.errors import FaceblindError
from faceblind.identification import metrics
from faceblind.identification.paired import (
    bootstrap_difference,
    compare_paired,
    hit_probability,
    mcnemar_exact,
)


def test_hand_table() -> None:
    a = np.repeat([1, 1, 0, 0], [5, 12, 1, 2])
    b = np.repeat([1, 0, 1, 0], [5, 12, 1, 2])
    found = compare_paired(a, b, rank=1)
    assert (found.both, found.only_a, found.only_b, found.neither) == (5, 12, 1, 2)
    assert (found.a.hits, found.b.hits, found.a.n) == (17, 6, 20)
    assert found.difference == pytest.approx(-11 / 20)
    assert found.p_value == pytest.approx(2 * (1 + 13) / 2**13)
    assert -0.8 < found.low < found.difference < found.high < -0.2
    assert found.row()["people"] == 20
    assert found.as_dict()["found_in_a_only"] == 12


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (3, 0), (4, 4), (2, 7), (1, 8)])
def test_mcnemar_is_a_sign_test(only_a: int, only_b: int) -> None:
    pairs = only_a + only_b
    far = abs(only_a - only_b)
    signs = [abs(sum(deal)) for deal in product((-1, 1), repeat=pairs)]
    expected = np.mean([sign >= far for sign in signs])
    assert mcnemar_exact(only_a, only_b) == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_swapping_the_studies_swaps_the_answer(people: list[tuple[bool, bool]]) -> None:
    a, b = np.array(people, dtype=float).T
    there, back = compare_paired(a, b, 1), compare_paired(b, a, 1)
    assert there.p_value == back.p_value
    assert there.difference == pytest.approx(-back.difference)
    assert (there.only_a, there.only_b) == (back.only_b, back.only_a)
    assert there.both + there.only_a + there.only_b + there.neither == len(people)
    assert there.low <= there.difference + 2 / len(people)
    assert there.low < there.high


def test_no_change_is_not_certain() -> None:
    found = compare_paired(np.ones(40), np.ones(40), 1)
    assert (found.difference, found.p_value) == (0, 1)
    assert -0.15 < found.low < 0 < found.high < 0.15


def test_the_interval_covers_a_known_difference() -> None:
    rng = np.random.default_rng(8)
    inside = []
    for trial in range(300):
        change = rng.choice([-1.0, 0.0, 1.0], size=84, p=[0.3, 0.65, 0.05])
        low, high = bootstrap_difference(change, trial)
        inside.append(low <= -0.25 <= high)
    assert 0.92 <= np.mean(inside) <= 0.98


def test_ranks_and_ties_give_back_the_probabilities() -> None:
    scores = np.random.default_rng(0).integers(0, 5, (40, 40))
    mates = np.arange(40)
    ranks = metrics.expected_ranks(scores, mates)
    _, tied, _ = metrics.counts(scores, mates)
    for k in (1, 5, 10):
        assert hit_probability(ranks, tied, k) == pytest.approx(
            metrics.hit_probabilities(scores, mates, k)
        )
    assert hit_probability([np.inf], [0], 10).tolist() == [0.0]


def test_ties_count_where_they_are_more_likely_found() -> None:
    found = compare_paired([1.0, 1.0, 1.0], [0.5, 0.4, 2 / 3], 1)
    assert (found.both, found.only_a) == (1, 2)
    assert found.b.hits == pytest.approx(0.5 + 0.4 + 2 / 3)


def test_other_people_are_refused() -> None:
    with pytest.raises(FaceblindError, match="same people"):
        compare_paired([1, 0], [1], 1)
