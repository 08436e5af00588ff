"""Adaptation finds planted directions, and standardised scores equal the slow computation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.identification import metrics
from faceblind.identification.adaptation import (
    PRIOR_PEOPLE,
    Adaptation,
    adaptation_of,
    fit_adaptation,
    shipped,
    standardised,
)
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.match import match
from faceblind.recognition.registry import get_recogniser

SIZE = 60
NUISANCES = 4


def unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def world(seed: int = 0) -> NDArray[np.float64]:
    """(NUISANCES, SIZE) orthonormal directions in which photographs and renders differ."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(SIZE, NUISANCES)))[0].T


def cohort(count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(count, SIZE) mean renders and photographs: one face, an offset, and the nuisances."""
    rng = np.random.default_rng(seed)
    faces, offset = rng.normal(size=(count, SIZE)), np.full(SIZE, 2.0)
    noise = [6 * rng.normal(size=(count, NUISANCES)) @ world() for _ in range(2)]
    return unit(faces + offset + noise[0]), unit(faces - offset + noise[1])


def sides(count: int, seed: int) -> tuple[Embeddings, Embeddings]:
    renders, photographs = cohort(count, seed)
    people = [f"p{number:03d}" for number in range(count)]
    return (
        Embeddings.of_people(
            {p: v[None].astype(np.float32) for p, v in zip(people, photographs, strict=True)},
            "photograph",
            "toy",
        ),
        Embeddings.of_people(
            {p: v[None].astype(np.float32) for p, v in zip(people, renders, strict=True)},
            "render",
            "toy",
        ),
    )


@pytest.fixture(scope="module")
def fit() -> Adaptation:
    pairs = [cohort(80, 1), cohort(60, 2)]
    return fit_adaptation([r for r, _ in pairs], [p for _, p in pairs])


def test_the_planted_directions_are_damped_and_no_others(fit: Adaptation) -> None:
    kept = np.linalg.norm(fit.damped(world()), axis=1)
    assert kept.max() < 0.35
    rng = np.random.default_rng(5)
    other = rng.normal(size=(50, SIZE))
    other = unit(other - other @ world().T @ world())
    assert np.linalg.norm(fit.damped(other), axis=1).min() > 0.75


def test_new_people_are_found_where_the_plain_recipe_fails(fit: Adaptation) -> None:
    probes, gallery = sides(60, 9)

    def rank1(values: NDArray[np.float64]) -> float:
        return metrics.rank_hits(values, np.arange(60), 1) / 60

    plain = rank1(match(probes, gallery, "centred").values)
    adapted = rank1(match(probes, gallery, "adapted", adaptation=fit).values)
    assert plain < 0.7
    assert adapted > 0.95


def test_swapping_the_sides_transposes_the_scores(fit: Adaptation) -> None:
    probes, gallery = sides(12, 3)
    one = match(probes, gallery, "adapted", adaptation=fit)
    other = match(gallery, probes, "adapted", adaptation=fit)
    np.testing.assert_allclose(one.values, other.values.T, atol=1e-6)
    assert one.fusion == "mean"
    assert one.direction == "photo-to-scan"


def test_a_person_alone_can_be_scored(fit: Adaptation) -> None:
    probes, gallery = sides(1, 3)
    scores = match(probes, gallery, "adapted", adaptation=fit)
    assert scores.values.shape == (1, 1)
    assert scores.values[0, 0] > 1


def test_what_has_no_adaptation_is_refused(fit: Adaptation) -> None:
    probes, gallery = sides(5, 3)
    with pytest.raises(FaceblindError, match="'adapted' compares photographs with renders"):
        match(probes, gallery, "adapted")
    with pytest.raises(FaceblindError, match="choose 'centred'"):
        match(gallery, gallery, "adapted", adaptation=fit)
    with pytest.raises(FaceblindError, match="'adapted' matching is always 'mean'"):
        match(probes, gallery, "adapted", "top", adaptation=fit)


def test_a_fit_of_other_shapes_or_too_few_is_refused() -> None:
    renders, photographs = cohort(12, 0)
    with pytest.raises(FaceblindError, match="not of the same people"):
        fit_adaptation([renders], [photographs[:-1]])
    with pytest.raises(FaceblindError, match="ten people or more, got 9"):
        fit_adaptation([renders[:9]], [photographs[:9]])
    with pytest.raises(FaceblindError, match="do not fit together"):
        Adaptation(np.zeros(4), np.zeros(4), np.zeros((2, 5)), np.zeros(2), 1.0)


def test_the_shipped_fit_belongs_to_the_shipped_recogniser() -> None:
    fit = adaptation_of(get_recogniser("sface-map").identity)
    assert fit is shipped()
    assert fit.render_centre.shape == (64 * 49,)
    assert len(fit.damping) >= 400
    np.testing.assert_allclose(fit.axes @ fit.axes.T, np.eye(len(fit.axes)), atol=5e-3)
    assert (np.diff(fit.damping) <= 1e-6).all()
    assert adaptation_of(get_recogniser("sface").identity) is None


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000), st.floats(0.01, 1))
def test_standardised_equals_the_slow_computation(
    probes: int, gallery: int, seed: int, spread: float
) -> None:
    table = np.random.default_rng(seed).normal(size=(probes, gallery))

    def along(values: NDArray[np.float64], value: float) -> float:
        mean = sum(values) / (len(values) + PRIOR_PEOPLE)
        squares = sum((one - mean) ** 2 for one in values) + PRIOR_PEOPLE * spread**2
        return float((value - mean) / np.sqrt(squares / (len(values) + PRIOR_PEOPLE)))

    expected = [
        [(along(table[p], table[p, g]) + along(table[:, g], table[p, g])) / 2
         for g in range(gallery)]
        for p in range(probes)
    ]  # fmt: skip
    np.testing.assert_allclose(standardised(table, spread), expected, atol=1e-12)
