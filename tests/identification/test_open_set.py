"""Open-set figures against a slow oracle, hand tables and a world of known rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from faceblind.errors import FaceblindError
from faceblind.identification.open_set import open_set, searches_needed, threshold_at
from faceblind.identification.searches import LEAST, Searches


def of_scores(values: object, failed: int = 0) -> Searches:
    """Searches of everybody in their own gallery."""
    scores = np.array(values, dtype=float)
    labels = np.array([f"p{i}" for i in range(len(scores))])
    lost = tuple(f"lost{i}" for i in range(failed))
    return Searches(scores, np.arange(len(scores)), labels, labels, lost)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_figures_of_a_slow_oracle(data: st.DataObject) -> None:
    """Each search made by hand; whole scores, so that many are tied."""
    n = data.draw(st.integers(20, 26))
    cells = st.lists(st.integers(0, 6), min_size=n, max_size=n)
    values = np.array(data.draw(st.lists(cells, min_size=n, max_size=n)), float)
    failed = data.draw(st.integers(0, 3))
    found = open_set(of_scores(values, failed))
    assert (found.mated_searches, found.nonmated_searches) == (n + failed, n)
    for point in found.table:
        alarms = sum(
            any(values[i, j] > point.threshold for j in range(n) if j != i) for i in range(n)
        )
        assert alarms <= point.wanted_fpir * n + 1e-9
        assert point.fpir.hits == alarms
        hits = 0.0
        for i in range(n):
            top = max(values[i])
            if values[i, i] == top and top > point.threshold:
                hits += 1 / sum(values[i] == top)
        assert point.dir.hits == pytest.approx(hits)
        assert point.dir.n == n + failed
        assert point.dir.low <= point.dir.rate <= point.dir.high


def test_the_threshold_is_the_lowest_that_is_allowed() -> None:
    best = np.arange(100.0)
    assert threshold_at(best, 0.01) == 98.0
    assert threshold_at(best, 0.05) == 94.0
    assert threshold_at(best, 1.0) == LEAST
    assert threshold_at(np.zeros(100), 0.5) == 0.0


def test_rates_that_few_searches_do_not_allow_are_named() -> None:
    rng = np.random.default_rng(0)
    found = open_set(of_scores(rng.normal(size=(99, 99))))
    assert found.points == ()
    assert found.too_few == (0.01, 0.001)
    found = open_set(of_scores(rng.normal(size=(100, 100))))
    assert [point.wanted_fpir for point in found.points] == [0.01]
    assert found.too_few == (0.001,)
    assert found.as_dict()["too_few"] == [{"fpir": 0.001, "searches_needed": 1000}]
    assert [row["fpir"] for row in found.rows()] == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
    with pytest.raises(FaceblindError, match="needs 1000 non-mated searches, got 100"):
        threshold_at(np.zeros(100), 0.001)
    assert [searches_needed(fpir) for fpir in (0.01, 0.001, 0.005, 1.0)] == [100, 1000, 200, 1]


def test_few_people_have_no_open_set() -> None:
    assert open_set(of_scores(np.eye(19))) is None
    assert open_set(of_scores(np.eye(20))) is not None


def test_strangers_are_non_mated_searches_only() -> None:
    """A hundred people found at score 2; ten strangers who are taken for one of them at score 3."""
    values = np.vstack([2 * np.eye(100), np.zeros((10, 100))])
    values[100:, 0] = 3
    probes = np.array([f"p{i}" for i in range(110)])
    mates = np.append(np.arange(100), np.full(10, -1))
    found = open_set(Searches(values, mates, probes, probes[:100]))
    assert (found.mated_searches, found.nonmated_searches) == (100, 110)
    rates = {point.wanted_fpir: point.dir.rate for point in found.table}
    assert rates[0.05] == 0.0  # only the strangers' threshold keeps 5 of 110 false positives out
    assert rates[0.1] == 1.0
    assert found.table[-1].fpir.hits == 110


def test_perfect_scores_are_found_without_false_positives() -> None:
    found = open_set(of_scores(np.eye(100) + 0.1))
    (point,) = found.points
    assert (point.threshold, point.fpir.hits, point.dir.hits) == (0.1, 0, 100)
    assert point.dir.low == pytest.approx(0.963, abs=1e-3)  # Wilson, not the bootstrap's 1.0
    assert point.fnir == 0.0


def test_constant_scores_find_nobody() -> None:
    found = open_set(of_scores(np.ones((100, 100))))
    assert found.points[0].dir.hits == 0
    assert found.table[-1].dir.hits == pytest.approx(1.0)  # with everything returned: chance


def test_rates_of_a_world_whose_truth_is_known() -> None:
    """Isotropic vectors: the score of strangers is distributed as a known beta."""
    dimensions, n, noise = 16, 400, 0.45
    rng = np.random.default_rng(5)
    person = rng.normal(size=(n, dimensions))
    sides = [person + noise * rng.normal(size=person.shape) for _ in range(2)]
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides]
    scores = unit[0] @ unit[1].T
    half = (dimensions - 1) / 2
    threshold = 2 * beta.ppf(0.99 ** (1 / (n - 1)), half, half) - 1
    mated = np.diag(scores)
    first = beta.cdf((1 + mated) / 2, half, half) ** (n - 1)
    truth = float(np.mean((mated > threshold) * first))
    (point,) = open_set(of_scores(scores)).points
    assert point.threshold == pytest.approx(threshold, abs=0.05)
    assert point.dir.low < truth < point.dir.high
    assert point.dir.high - point.dir.low < 0.35
