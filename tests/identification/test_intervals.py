"""Intervals against published and hand-computed values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from faceblind.errors import FaceblindError
from faceblind.identification.intervals import Rate, wilson_interval


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (70, 84, 73.9, 89.8),
        (80, 84, 88.4, 98.1),
        (0, 20, 0.0, 16.1),
        (0, 84, 0.0, 4.4),
        (0, 182, 0.0, 2.1),
        (20, 20, 83.9, 100.0),
    ],
)
def test_wilson_hand_table(hits: int, n: int, low: float, high: float) -> None:
    found = wilson_interval(hits, n)
    assert [round(100 * end, 1) for end in found] == [low, high]


@given(st.integers(1, 300), st.data())
def test_wilson_equals_scipy(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    expected = binomtest(hits, n).proportion_ci(0.9, method="wilson")
    assert wilson_interval(hits, n, 0.9) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(st.integers(1, 200), st.floats(0, 1))
def test_wilson_holds_the_rate_and_mirrors(n: int, share: float) -> None:
    hits = min(share * n, n)
    low, high = wilson_interval(hits, n)
    assert 0 <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= 1
    mirrored = wilson_interval(n - hits, n)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_no_trials_tell_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(FaceblindError, match="no trial"):
        Rate.of(0, 0)


@pytest.mark.parametrize(("hits", "n"), [(-1, 5), (6, 5), (float("nan"), 5)])
def test_impossible_counts_are_refused(hits: float, n: int) -> None:
    with pytest.raises(FaceblindError, match="0 <= hits <= n"):
        wilson_interval(hits, n)


def test_confidence_out_of_range_is_refused() -> None:
    with pytest.raises(FaceblindError, match="confidence"):
        wilson_interval(1, 2, confidence=95)


def test_rate_as_dict_keeps_whole_hits_whole() -> None:
    whole = Rate.of(70.0, 84).as_dict()
    assert list(whole) == ["hits", "n", "rate", "low", "high"]
    assert whole["hits"] == 70
    assert isinstance(whole["hits"], int)
    assert whole["rate"] == 0.833333
    assert Rate.of(2.5, 4).as_dict()["hits"] == 2.5
