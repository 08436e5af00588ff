"""Fused scores equal what is computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.identification.fusion import fuse, person_means, unit


def test_top_is_the_mean_of_the_best_tenth() -> None:
    rng = np.random.default_rng(1)
    probes, gallery = unit(rng.normal(size=(5, 8))), unit(rng.normal(size=(12, 8)))
    counts = np.array([5]), np.array([8, 4])
    found = fuse(probes, counts[0], gallery, counts[1], "top")
    pairs = probes @ gallery.T
    first = np.sort(pairs[:, :8].ravel())[-4:].mean()
    second = np.sort(pairs[:, 8:].ravel())[-2:].mean()
    assert found == pytest.approx(np.array([[first, second]]))


def test_best_is_the_greatest_and_mean_the_cosine_of_means() -> None:
    rng = np.random.default_rng(2)
    probes, gallery = unit(rng.normal(size=(3, 8))), unit(rng.normal(size=(6, 8)))
    counts = np.array([3]), np.array([2, 4])
    pairs = probes @ gallery.T
    best = fuse(probes, counts[0], gallery, counts[1], "best")
    assert best == pytest.approx(np.array([[pairs[:, :2].max(), pairs[:, 2:].max()]]))
    one = probes.mean(axis=0) / np.linalg.norm(probes.mean(axis=0))
    others = [gallery[:2].mean(axis=0), gallery[2:].mean(axis=0)]
    cosines = [one @ (other / np.linalg.norm(other)) for other in others]
    assert fuse(probes, counts[0], gallery, counts[1], "mean")[0] == pytest.approx(cosines)


def test_person_means_and_vectors_of_no_length() -> None:
    vectors = np.array([[1.0, 0], [3, 2], [5, 5]])
    np.testing.assert_allclose(person_means(vectors, np.array([2, 1])), [[2, 1], [5, 5]])
    np.testing.assert_array_equal(unit(np.array([[1e-6, 0], [0, 2.0]])), [[0, 0], [0, 1]])


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(FaceblindError, match="expected one of mean, top, best"):
        fuse(np.ones((1, 2)), np.array([1]), np.ones((1, 2)), np.array([1]), "sum")  # type: ignore[arg-type]
