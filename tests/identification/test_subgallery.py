"""Expectations over sub-galleries against every sub-gallery in turn."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceblind.errors import FaceblindError
from faceblind.identification import metrics, subgallery


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_sub_gallery_in_turn(data: st.DataObject) -> None:
    gallery = data.draw(st.integers(1, 7))
    size, k = data.draw(st.integers(1, gallery)), data.draw(st.integers(1, 4))
    row = np.array(data.draw(st.lists(st.integers(0, 3), min_size=gallery, max_size=gallery)))
    better, equal, _ = metrics.counts(row[None], [0])
    hits = [
        metrics.hit_probabilities(row[None, [0, *others]], [0], k)[0]
        for others in combinations(range(1, gallery), size - 1)
    ]
    found = subgallery.hit_probabilities(better, equal, gallery, size, k)
    assert found == pytest.approx([np.mean(hits)], abs=1e-9)


def test_the_whole_gallery_is_the_measured_rate() -> None:
    scores = np.random.default_rng(1).integers(0, 30, (60, 60))
    better, equal, _ = metrics.counts(scores, np.arange(60))
    for k in (1, 5, 10):
        found = subgallery.hit_probabilities(better, equal, 60, 60, k)
        assert found == pytest.approx(metrics.hit_probabilities(scores, np.arange(60), k), abs=1e-9)


def test_a_gallery_of_one_finds_everybody_and_larger_ones_fewer() -> None:
    better = np.array([0, 3, 999])
    rates = [
        subgallery.hit_probabilities(better, [0, 0, 0], 1000, size)
        for size in (1, 2, 10, 100, 1000)
    ]
    assert rates[0].tolist() == [1, 1, 1]
    assert np.all(np.diff(np.array(rates), axis=0) <= 1e-12)
    assert rates[1] == pytest.approx([1, 1 - 3 / 999, 0], abs=1e-9)
    assert rates[-1] == pytest.approx([1, 0, 0], abs=1e-9)


def test_sizes_of_the_table() -> None:
    assert subgallery.sizes_up_to(1) == ()
    assert subgallery.sizes_up_to(4) == (2, 3, 4)
    sizes = subgallery.sizes_up_to(1000)
    assert (sizes[0], sizes[-1], len(sizes)) == (2, 1000, 12)
    assert list(sizes) == sorted(set(sizes))


@pytest.mark.parametrize(("gallery", "size", "k"), [(5, 6, 1), (5, 0, 1), (5, 2, 0)])
def test_impossible_sub_galleries_are_refused(gallery: int, size: int, k: int) -> None:
    with pytest.raises(FaceblindError, match="sub-gallery"):
        subgallery.hit_table(gallery, size, k)
