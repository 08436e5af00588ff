"""The table of galleries: exact below, two models above, failures counted everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from faceblind.identification import metrics
from faceblind.identification.gallery_scaling import gallery_scaling, resampled_curves
from faceblind.identification.searches import Searches


def world(people: int, noise: float = 0.6, seed: int = 0) -> Searches:
    """Two noisy vectors of each person, compared by their cosine."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=(people, 16))
    sides = [person + noise * rng.normal(size=person.shape) for _ in range(2)]
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides]
    labels = np.array([f"sub-{i}" for i in range(people)])
    return Searches(unit[0] @ unit[1].T, np.arange(people), labels, labels)


def test_the_table_ends_in_the_measured_rates() -> None:
    searches = world(84)
    found = gallery_scaling(searches)
    last = found.smaller[-1]
    assert last.size == 84
    for k, rate in zip((1, 5, 10), last.rates, strict=True):
        assert rate.hits == pytest.approx(
            metrics.rank_hits(searches.values, searches.mates, k), abs=1e-6
        )
    rank1 = [one.rates[0].rate for one in found.smaller]
    assert rank1 == sorted(rank1, reverse=True)


def test_models_start_where_the_gallery_ends() -> None:
    found = gallery_scaling(world(84), (50, 84, 85, 1000, 10**8))
    assert [one.size for one in found.larger] == [85, 1000, 10**8]
    measured = found.smaller[-1].rates[0].rate
    assert found.larger[0].extreme_values.rate == pytest.approx(measured, abs=0.05)
    assert found.larger[0].pitman_yor.rate == pytest.approx(measured, abs=0.05)
    for one in found.larger:
        for model in (one.extreme_values, one.pitman_yor):
            assert 0 <= one.low <= model.low <= model.rate <= model.high <= one.high <= 1


def test_the_range_holds_the_truth_at_2000() -> None:
    large = world(2000, seed=50).values
    measured = np.mean(large.argmax(axis=1) == np.arange(2000))
    inside = 0
    for seed in range(10):
        (one,) = gallery_scaling(world(84, seed=seed), (2000,), seed).larger
        inside += one.low <= measured <= one.high
    assert inside >= 9


def test_failures_are_misses_in_every_gallery() -> None:
    searches = world(84)
    whole, lossy = (
        gallery_scaling(one, (1000,))
        for one in (searches, replace(searches, failed=tuple(f"x{i}" for i in range(84))))
    )
    for before, after in zip(whole.smaller, lossy.smaller, strict=True):
        assert after.rates[0].rate == pytest.approx(before.rates[0].rate / 2)
    for model in ("extreme_values", "pitman_yor"):
        before, after = (getattr(one.larger[0], model).rate for one in (whole, lossy))
        assert after == pytest.approx(before / 2, abs=1e-6)


def test_everybody_found_is_not_certain() -> None:
    found = gallery_scaling(world(84, noise=0.1), (1000,))
    assert found.smaller[-1].rates[0].rate == 1
    assert found.larger[0].extreme_values.rate > 0.95
    assert found.larger[0].low < 0.96


def test_few_people_and_scores_without_a_tail() -> None:
    assert gallery_scaling(world(19)) is None
    labels = np.array([f"sub-{i}" for i in range(40)])
    constant = gallery_scaling(Searches(np.ones((40, 40)), np.arange(40), labels, labels))
    assert constant.larger == ()
    assert constant.smaller[-1].rates[0].rate == pytest.approx(1 / 40)


def test_samples_of_persons_scatter_about_the_measured_curve() -> None:
    rng = np.random.default_rng(1)
    found = rng.uniform(size=(100, 3)) < (0.9, 0.5, 0.1)
    samples = resampled_curves(found.astype(float), 2000, 3)
    assert samples.mean(axis=0) == pytest.approx(found.mean(axis=0), abs=0.005)
    assert samples.std(axis=0) == pytest.approx(found.std(axis=0) / 10, rel=0.1)
    assert np.array_equal(samples, resampled_curves(found.astype(float), 2000, 3))


def test_what_is_written_names_nobody() -> None:
    found = gallery_scaling(world(84), (1000, 2000))
    rows = found.rows()
    assert {row["by"] for row in rows} == {"sub-galleries", "extreme_values", "pitman_yor"}
    assert len(rows) == 3 * len(found.smaller) + 2 * 2
    content = found.as_dict()
    assert [one["gallery_size"] for one in content["rank1_in_larger_galleries"]] == [1000, 2000]
    assert "sub-" not in str(content).replace("sub-galleries", "") + str(rows[-1])
