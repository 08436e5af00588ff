from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceblind.review.kappa import cohen_kappa


def of_table(table: list[list[int]]):
    first = [i for i, row in enumerate(table) for n in row for _ in range(n)]
    second = [j for row in table for j, n in enumerate(row) for _ in range(n)]
    return cohen_kappa(first, second)


def test_known_values():
    """Two worked tables: 20/5/10/15 gives 0.4; Fleiss (1981), 100 diagnoses, gives 0.676."""
    small = of_table([[20, 5], [10, 15]])
    assert small.items == 50
    assert small.observed == pytest.approx(0.7)
    assert small.kappa == pytest.approx(0.4)
    fleiss = of_table([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    assert fleiss.kappa == pytest.approx(0.676, abs=5e-4)
    assert (fleiss.kappa - fleiss.low) / 1.959964 == pytest.approx(0.0877, abs=2e-3)


def test_the_interval_holds_its_level():
    """True kappa 0.5 by construction; 95 % of intervals of 200 items must cover it."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        first = rng.integers(0, 2, 200)
        second = np.where(rng.random(200) < 0.5, first, rng.integers(0, 2, 200))
        found = cohen_kappa(first.tolist(), second.tolist())
        covered += found.low <= 0.5 <= found.high
    assert 0.91 <= covered / 400 <= 0.985


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=40))
def test_the_slow_definition_agrees(pairs):
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = cohen_kappa(first, second)
    n = len(pairs)
    if not n:
        assert found.items == 0
        assert math.isnan(found.kappa)
        return
    observed = sum(a == b for a, b in pairs) / n
    chance = sum(a == b for a in first for b in second) / n**2
    assert found.observed == pytest.approx(observed)
    if chance == 1:
        assert math.isnan(found.kappa)
    else:
        assert found.kappa == pytest.approx((observed - chance) / (1 - chance))
        assert math.isnan(found.low) or -1 <= found.low <= found.kappa <= found.high <= 1


def test_raters_change_places_and_lengths_must_agree():
    a, b = list("aabbcab"), list("abbbcca")
    assert cohen_kappa(a, b).kappa == pytest.approx(cohen_kappa(b, a).kappa)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        cohen_kappa([1], [1, 2])
