"""Matching against the slow, obvious computation and against what must never happen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.identification import metrics
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.match import Scores, fit_centre, match


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def embeddings(
    vectors: NDArray[np.float64], person: list[str], kind: str, recogniser: str = "toy"
) -> Embeddings:
    return Embeddings(
        vectors=unit(vectors).astype(np.float32),
        person=np.array(person, dtype=str),
        kind=np.full(len(person), kind),
        recogniser=recogniser,
    )


def people(
    n: int = 12, seed: int = 0, offset: float = 3.0, signal: float = 1.0, noise: float = 0.7
) -> tuple[Embeddings, Embeddings]:
    """Photographs and renders of `n` persons, the renders shifted by a common offset."""
    rng = np.random.default_rng(seed)
    faces = rng.normal(size=(n, 32)) * signal
    labels = [f"p{i:02d}" for i in range(n)]
    photos = np.repeat(faces, 3, axis=0) + noise * rng.normal(size=(3 * n, 32))
    renders = np.repeat(faces, 6, axis=0) + noise * rng.normal(size=(6 * n, 32))
    renders += offset * rng.normal(size=32)
    return (
        embeddings(photos, [label for label in labels for _ in range(3)], "photograph"),
        embeddings(renders, [label for label in labels for _ in range(6)], "render"),
    )


def rank1(scores: Scores) -> float:
    mates = metrics.mate_indices(scores.probe_persons, scores.gallery_persons)
    return metrics.rank_hits(scores.values, mates, 1) / len(mates)


def select(source: Embeddings, rows: NDArray[np.int64]) -> Embeddings:
    return Embeddings(
        vectors=source.vectors[rows],
        person=source.person[rows],
        kind=source.kind[rows],
        recogniser=source.recogniser,
    )


def test_nearest_is_the_best_cosine_of_all_pairs() -> None:
    photos, renders = people(5)
    scores = match(photos, renders, "nearest")
    for p, probe in enumerate(scores.probe_persons):
        for g, person in enumerate(scores.gallery_persons):
            one = photos.vectors[photos.person == probe].astype(float)
            other = renders.vectors[renders.person == person].astype(float)
            pairs = one @ other.T
            assert scores.values[p, g] == pytest.approx(pairs.max(), abs=1e-6)


def test_centred_mean_by_hand() -> None:
    photos, renders = people(4)
    scores = match(photos, renders, "centred", "mean")

    def person_vectors(side: Embeddings) -> NDArray[np.float64]:
        vectors = side.vectors.astype(float)
        labels = sorted(set(side.person))
        centre = np.mean([vectors[side.person == one].mean(axis=0) for one in labels], axis=0)
        centred = unit(vectors - centre)
        return unit(np.array([centred[side.person == one].mean(axis=0) for one in labels]))

    expected = person_vectors(photos) @ person_vectors(renders).T
    assert scores.values == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("matching", "fusion"),
    [("centred", "mean"), ("centred", "top"), ("centred", "best"), ("nearest", "best")],
)
def test_swapping_sides_transposes_and_renames(matching: str, fusion: str) -> None:
    photos, renders = people()
    there = match(photos, renders, matching, fusion)  # type: ignore[arg-type]
    back = match(renders, photos, matching, fusion)  # type: ignore[arg-type]
    assert (there.direction, back.direction) == ("photo-to-scan", "scan-to-photo")
    assert np.array_equal(there.values, back.values.T)


def test_order_of_pictures_does_not_matter() -> None:
    photos, renders = people()
    rng = np.random.default_rng(3)
    shuffled = select(renders, rng.permutation(len(renders.person)))
    first, second = match(photos, renders), match(photos, shuffled)
    assert np.array_equal(first.values, second.values)
    assert first.gallery_persons.tolist() == second.gallery_persons.tolist()


def test_centring_beats_a_domain_offset() -> None:
    photos, renders = people(30, offset=4.0, noise=1.3)
    assert rank1(match(photos, renders, "centred")) >= 0.9
    assert rank1(match(photos, renders, "centred")) > rank1(match(photos, renders, "nearest"))


@pytest.mark.parametrize("fusion", ["mean", "top", "best"])
def test_pictures_without_identity_give_chance(fusion: str) -> None:
    rates = []
    for seed in range(60):
        photos, renders = people(10, seed=seed, signal=0.0)
        rates.append(rank1(match(photos, renders, "centred", fusion)))  # type: ignore[arg-type]
    # Standard error about 0.012.
    assert np.mean(rates) == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize("matching", ["centred", "nearest"])
def test_same_picture_of_everybody_gives_chance(matching: str) -> None:
    """Refacing everybody with one face must not leave ranks to rounding noise."""
    photos, renders = people(8)
    rng = np.random.default_rng(0)
    noise = 1e-7 * rng.normal(size=renders.vectors.shape)
    blank = embeddings(np.ones_like(renders.vectors) + noise, list(renders.person), "render")
    scores = match(photos, blank, matching)  # type: ignore[arg-type]
    mates = np.arange(8)
    for k in (1, 5):
        assert metrics.rank_hits(scores.values, mates, k) == pytest.approx(k)


def test_scan_to_scan() -> None:
    _, first = people(10, seed=1)
    scores = match(first, first)
    assert scores.direction == "scan-to-scan"
    assert rank1(scores) == 1.0


def test_a_person_with_many_pictures_does_not_pull_the_centre() -> None:
    photos, _ = people(6)
    rows = np.concatenate([np.arange(len(photos.person)), np.tile([0, 1, 2], 10)])
    assert fit_centre(select(photos, rows)) == pytest.approx(fit_centre(photos), abs=1e-6)


def test_given_centres_allow_a_single_person() -> None:
    photos, renders = people(20)
    one = select(photos, np.flatnonzero(photos.person == "p03"))
    with pytest.raises(FaceblindError, match="two or more persons among the probes"):
        match(one, renders)
    scores = match(one, renders, centres=(fit_centre(photos), fit_centre(renders)))
    everybody = match(photos, renders)
    assert scores.values == pytest.approx(everybody.values[[3]], abs=1e-6)
    with pytest.raises(FaceblindError, match="centre of shape"):
        match(one, renders, centres=(np.zeros(3), fit_centre(renders)))


def test_settings_name_nobody() -> None:
    photos, renders = people()
    settings = match(photos, renders).settings
    assert settings["pictures_per_probe"] == [3, 3]
    assert settings["pictures_per_gallery_person"] == [6, 6]
    assert "p00" not in repr(settings)


def test_refusals() -> None:
    photos, renders = people(4)
    none = np.array([], dtype=np.int64)
    with pytest.raises(FaceblindError, match="probes hold no picture"):
        match(select(photos, none), renders)
    with pytest.raises(FaceblindError, match="gallery hold no picture"):
        match(photos, select(renders, none))
    short = embeddings(renders.vectors[:, :16].astype(float), list(renders.person), "render")
    with pytest.raises(FaceblindError, match="32 dimensions, the gallery 16"):
        match(photos, short)
    other = embeddings(renders.vectors.astype(float), list(renders.person), "render", "other")
    with pytest.raises(FaceblindError, match="toy, the gallery from other"):
        match(photos, other)
    strangers = embeddings(renders.vectors.astype(float), ["x"] * 24, "render")
    with pytest.raises(FaceblindError, match="no person is in both"):
        match(photos, strangers)
    with pytest.raises(FaceblindError, match="cannot search photographs with photographs"):
        match(photos, photos)
    with pytest.raises(FaceblindError, match="expected one of adapted, centred, nearest"):
        match(photos, renders, "closest")  # type: ignore[arg-type]
    with pytest.raises(FaceblindError, match="always 'best'"):
        match(photos, renders, "nearest", "mean")
    with pytest.raises(FaceblindError, match="expected one of mean, top, best"):
        match(photos, renders, "centred", "median")  # type: ignore[arg-type]
    mixed = Embeddings(
        vectors=photos.vectors,
        person=photos.person,
        kind=np.array(["photograph", "render"] * 6),
        recogniser="toy",
    )
    with pytest.raises(FaceblindError, match="mix photograph and render"):
        match(mixed, renders)
