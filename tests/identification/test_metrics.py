"""Metrics against hand tables and an oracle that enumerates every order of ties."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.identification import metrics

HAND = np.array(
    [
        [0.9, 0.1, 0.2, 0.3],  # mate 0 alone on top
        [0.5, 0.5, 0.1, 0.0],  # mate 1 tied for the top with one other
        [0.7, 0.8, 0.6, 0.9],  # mate 2 last
        [0.4, 0.4, 0.4, 0.4],  # mate 3 tied with everybody
    ]
)
MATES = np.arange(4)


def test_hand_table() -> None:
    assert metrics.expected_ranks(HAND, MATES).tolist() == [1.0, 1.5, 4.0, 2.5]
    assert metrics.hit_probabilities(HAND, MATES, 1).tolist() == [1.0, 0.5, 0.0, 0.25]
    assert metrics.rank_hits(HAND, MATES, 1) == 1.75
    assert metrics.rank_hits(HAND, MATES, 2) == 2.5
    assert metrics.cmc(HAND, MATES).tolist() == [1.75 / 4, 2.5 / 4, 2.75 / 4, 1.0]


def test_persons_not_enrolled_are_misses() -> None:
    mates = np.array([0, metrics.NO_MATE, 2, 3])
    assert metrics.expected_ranks(HAND, mates)[1] == np.inf
    assert metrics.hit_probabilities(HAND, mates, 4)[1] == 0.0
    mated = mates != metrics.NO_MATE
    assert metrics.cmc(HAND[mated], mates[mated], searches=5)[-1] == pytest.approx(3 / 5)


def test_an_open_set_has_no_cmc() -> None:
    with pytest.raises(FaceblindError, match="1 of 4 probes have no mate"):
        metrics.cmc(HAND, [0, metrics.NO_MATE, 2, 3])


@pytest.mark.parametrize("gallery", [1, 3, 10])
def test_constant_scores_give_chance(gallery: int) -> None:
    scores = np.zeros((gallery, gallery))
    chance = [metrics.chance_rate(k, gallery) for k in range(1, gallery + 1)]
    assert metrics.cmc(scores, np.arange(gallery)) == pytest.approx(chance)


def _oracle(row: NDArray[np.float64], mate: int) -> NDArray[np.float64]:
    """Share of all G! candidate orders, stably sorted by score, that put the mate at each rank."""
    size = len(row)
    counts = np.zeros(size)
    for order in permutations(range(size)):
        candidates = sorted(order, key=lambda column: -row[column])
        counts[candidates.index(mate)] += 1
    return counts / counts.sum()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_brute_force_oracle(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 5))
    row = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)), float)
    mate = data.draw(st.integers(0, size - 1))
    shares = _oracle(row, mate)
    scores, mates = row[None], np.array([mate])
    expected = (shares * np.arange(1, size + 1)).sum()
    assert metrics.expected_ranks(scores, mates)[0] == pytest.approx(expected)
    assert metrics.cmc(scores, mates) == pytest.approx(shares.cumsum())
    for k in range(1, size + 1):
        found = metrics.hit_probabilities(scores, mates, k)[0]
        assert found == pytest.approx(shares[:k].sum())


def test_shuffled_identities_give_chance() -> None:
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(20, 20)) + 5 * np.eye(20)
    assert metrics.rank_hits(scores, np.arange(20), 1) == 20
    hits = [metrics.rank_hits(scores, rng.permutation(20), 5) / 20 for _ in range(2000)]
    # Standard error of the mean is about 0.002; a fixed mate on top of each row costs nothing.
    assert np.mean(hits) == pytest.approx(metrics.chance_rate(5, 20), abs=0.01)


@given(st.integers(1, 6), st.integers(1, 6), st.data())
def test_cmc_rises_and_agrees_with_hits(probes: int, gallery: int, data: st.DataObject) -> None:
    cells = st.lists(st.integers(0, 3), min_size=gallery, max_size=gallery)
    scores = np.array(data.draw(st.lists(cells, min_size=probes, max_size=probes)), float)
    column = st.integers(0, gallery - 1)
    mates = np.array(data.draw(st.lists(column, min_size=probes, max_size=probes)))
    curve = metrics.cmc(scores, mates)
    assert (np.diff(curve) >= -1e-12).all()
    for k in range(1, gallery + 1):
        assert curve[k - 1] * probes == pytest.approx(metrics.rank_hits(scores, mates, k))


def test_ranks_do_not_depend_on_gallery_order() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 4, (30, 30)).astype(float)
    order = rng.permutation(30)
    moved = np.argsort(order)
    assert np.array_equal(
        metrics.expected_ranks(scores, np.arange(30)),
        metrics.expected_ranks(scores[:, order], moved),
    )


def test_mate_indices() -> None:
    found = metrics.mate_indices(["b", "x", "a"], ["a", "b"])
    assert found.tolist() == [1, metrics.NO_MATE, 0]
    with pytest.raises(FaceblindError, match="occurs twice"):
        metrics.mate_indices(["a"], ["a", "a"])


def test_chance_rate() -> None:
    assert metrics.chance_rate(1, 84) == pytest.approx(0.0119, abs=1e-4)
    assert metrics.chance_rate(10, 4) == 1.0
    assert metrics.chance_rate(1, 0) == 0.0


def test_refusals() -> None:
    with pytest.raises(FaceblindError, match="NaN"):
        metrics.expected_ranks([[np.nan, 1.0]], [0])
    with pytest.raises(FaceblindError, match="outside the gallery"):
        metrics.expected_ranks([[0.0, 1.0]], [2])
    with pytest.raises(FaceblindError, match=r"\(P, G\)"):
        metrics.expected_ranks([[0.0, 1.0]], [0, 1])
    with pytest.raises(FaceblindError, match="rank"):
        metrics.rank_hits([[0.0, 1.0]], [0], 0)
    with pytest.raises(FaceblindError, match="searches"):
        metrics.cmc([[0.0, 1.0]], [0], searches=0)
