"""Tails and larger galleries against worlds whose distributions are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from faceblind.identification.extreme_values import (
    Tail,
    fit_tail,
    rank1_in,
    resampled_rank1,
)
from faceblind.identification.searches import Searches

SIZES = [1000, 2000, 10**4, 10**6, 10**8]


def world(rng: np.random.Generator, people: int, noise: float, dimensions: int) -> Searches:
    """Two noisy vectors of each person, compared by their cosine; nobody stands out."""
    person = rng.normal(size=(people, dimensions))
    sides = [person + noise * rng.normal(size=person.shape) for _ in range(2)]
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides]
    labels = np.array([f"p{i}" for i in range(people)])
    return Searches(unit[0] @ unit[1].T, np.arange(people), labels, labels)


def truth(noise: float, dimensions: int) -> NDArray[np.float64]:
    """Rank-1 rates of that world: strangers' cosines are distributed as a known beta."""
    rng = np.random.default_rng(0)
    own = np.concatenate([np.diag(world(rng, 500, noise, dimensions).values) for _ in range(40)])
    half = (dimensions - 1) / 2
    above = stats.beta.sf((1 + own) / 2, half, half)
    return np.array([np.exp((size - 1) * np.log1p(-above)).mean() for size in SIZES])


@given(st.floats(-0.9, 0.9), st.floats(0.1, 10), st.floats(-2, 2))
def test_the_tail_is_a_generalised_pareto(shape: float, scale: float, start: float) -> None:
    values = start + np.linspace(0, 5, 20)
    # SciPy is wrong by up to 60 % for shapes so small that their inverse overflows.
    known = shape if abs(shape) > 1e-12 else 0.0
    expected = 0.02 * stats.genpareto.sf(values - start, known, scale=scale)
    found = Tail(start, 0.02, shape, scale).exceeded(values)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("shape", [-0.4, 0.0, 0.3])
def test_a_known_tail_is_fitted(shape: float) -> None:
    scores = stats.genpareto.rvs(shape, scale=2.0, size=400_000, random_state=3)
    tail = fit_tail(scores)
    assert tail is not None
    assert tail.share == pytest.approx(0.02, abs=1e-4)
    assert tail.shape == pytest.approx(shape, abs=0.05)
    # Above a threshold u the scale is scale + shape * u.
    assert tail.scale == pytest.approx(2.0 + shape * tail.threshold, rel=0.06)


def test_too_few_or_equal_scores_have_no_tail() -> None:
    assert fit_tail(np.array([])) is None
    assert fit_tail(np.arange(900.0)) is None
    assert fit_tail(np.arange(1100.0)) is not None
    assert fit_tail(np.ones(5000)) is None
    labels = np.array([f"p{i}" for i in range(60)])
    assert rank1_in(Searches(np.ones((60, 60)), np.arange(60), labels, labels), SIZES) is None


@pytest.mark.parametrize(("noise", "dimensions"), [(0.6, 16), (0.8, 32), (0.35, 8)])
def test_larger_galleries_of_a_known_world(noise: float, dimensions: int) -> None:
    rng = np.random.default_rng(9)
    expected = truth(noise, dimensions)
    found = np.mean([rank1_in(world(rng, 400, noise, dimensions), SIZES) for _ in range(4)], axis=0)
    assert found[:3] == pytest.approx(expected[:3], abs=0.06)
    assert found[3:] == pytest.approx(expected[3:], abs=0.2)


def test_from_84_people_to_the_measured_rate_at_2000() -> None:
    rng = np.random.default_rng(2)
    large = world(rng, 2000, 0.6, 16).values
    measured = np.mean(large.argmax(axis=1) == np.arange(2000))
    inside = 0
    for trial in range(12):
        few = world(rng, 84, 0.6, 16)
        low, high = np.quantile(resampled_rank1(few, [2000], 60, trial)[:, 0], (0.025, 0.975))
        inside += low <= measured <= high
    assert inside >= 10


def test_shifting_and_stretching_a_probe_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    searches = world(rng, 90, 0.5, 12)
    changed = searches.values * rng.uniform(0.5, 3, (90, 1)) + rng.normal(size=(90, 1))
    again = Searches(changed, searches.mates, searches.probe_persons, searches.gallery_persons)
    assert rank1_in(again, SIZES) == pytest.approx(rank1_in(searches, SIZES), abs=1e-9)


def test_rates_fall_with_the_gallery_and_distractors_may_stay() -> None:
    searches = world(np.random.default_rng(6), 90, 0.6, 12)
    half = Searches(
        searches.values[:50], np.arange(50), searches.probe_persons[:50], searches.gallery_persons
    )
    rates = rank1_in(half, SIZES)
    assert np.all(np.diff(rates) < 0)
    assert 0 < rates[-1] < rates[0] < 1
    samples = resampled_rank1(half, SIZES, 20, 1)
    assert samples.shape == (20, 5)
    assert samples[:, 0].min() < rates[0] < samples[:, 0].max()
    assert np.array_equal(samples, resampled_rank1(half, SIZES, 20, 1))
