"""Every attack of a benchmark on features that a test has written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faceblind.errors import AlignmentError
from faceblind.head.template import load_template
from faceblind.identification.scan_match import ScanFeatures
from faceblind.identification.surface_match import Shape, kept_vertices
from faceblind.recognition.feature_map import NAME
from faceblind.workflows import benchmark_search as module
from faceblind.workflows.benchmark_search import (
    INTACT,
    LINK_MATCHINGS,
    Enrolled,
    Extraction,
    attacks_on,
    photo_matchings,
)

PEOPLE = tuple(f"sub-{k}" for k in range(1, 6))
SERIES = ("T1w", "FLAIR")
HOW = Extraction(("sface",), ("completed",), Path("cache"), 1, False)


def vector(number: int) -> np.ndarray:
    one = np.zeros(16, np.float32)
    one[number] = 1
    return one[None]


def features(number: int) -> ScanFeatures:
    kept = kept_vertices()
    return ScanFeatures(vector(number), Shape(load_template().points[kept], np.ones(len(kept))))


def side(numbers, how=HOW) -> Enrolled:
    """People whose scans and photographs show a number; a person may be left out."""
    scans = {
        (person, series): {shown: features(number) for shown in how.shown}
        for person, number in zip(PEOPLE, numbers, strict=True)
        if number is not None
        for series in SERIES
    }
    photographs = {person: vector(k) for k, person in enumerate(PEOPLE)}
    return Enrolled(scans, dict.fromkeys(how.recognisers, photographs), {})


def attacked(method, left, how=HOW, people=PEOPLE):
    persons = dict.fromkeys(SERIES, people)
    return attacks_on(method, how, SERIES, side(range(5)), left, persons)


def hits(attacks, search):
    return {a.matching: a.result.rank1.hits for a in attacks if a.search == search}


def test_only_the_map_can_be_adapted():
    assert photo_matchings("sface") == ("centred", "nearest")
    assert set(photo_matchings(NAME)) == {"adapted", "centred", "nearest"}


def test_intact_scans_are_not_searched_among_themselves():
    attacks = attacked(INTACT, side(range(5)))
    assert hits(attacks, "photo-to-scan") == {"centred": 5, "nearest": 5}
    assert hits(attacks, "original-to-protected") == {}
    found = hits(attacks, "protected-to-protected")
    assert set(found) == set(LINK_MATCHINGS)
    assert found["centred"] == found["nearest"] == 5


def test_who_keeps_the_face_is_found_and_who_lost_it_is_guessed():
    left = side([0, 1, 9, 9, 9])
    attacks = attacked("tool", left)
    for search in ("photo-to-scan", "original-to-protected"):
        # Three look like nobody: each is guessed among five.
        assert hits(attacks, search)["nearest"] == pytest.approx(2 + 3 / 5), search
    assert {a.method for a in attacks} == {"tool"}
    assert {a.face for a in attacks} == {"completed"}


def test_people_that_were_protected_and_not_enrolled_are_misses():
    left = replace(side([0, 1, 2, 3, None]), failed={"sub-5": "no usable face"})
    attacks = attacked("tool", left)
    one = next(a.result for a in attacks if a.search == "photo-to-scan")
    assert (one.rank1.hits, one.rank1.n, one.failed_to_enrol) == (4, 5, 1)
    (lost,) = [entry for entry in one.ranks if entry.failure]
    assert (lost.person, lost.failure) == ("sub-5", "no usable face")


def test_a_search_of_fewer_than_two_is_none():
    assert attacked("tool", side(range(5)), people=PEOPLE[:1]) == []


def test_nothing_left_on_a_side_is_a_table_of_misses():
    attacks = attacked("tool", side([None] * 5))
    assert {a.search for a in attacks} == {
        "photo-to-scan", "original-to-protected", "protected-to-protected"
    }  # fmt: skip
    assert {a.result.rank1.hits for a in attacks} == {0}
    assert {a.result.rank1.n for a in attacks} == {5}


def test_each_recogniser_sees_each_face():
    how = replace(HOW, variants=("completed", "as-is"))
    assert how.shown == (("sface", "completed"), ("sface", "as-is"))
    attacks = attacked("tool", side(range(5), how), how)
    assert [a.face for a in attacks].count("as-is") * 2 == len(attacks)


def test_scans_that_fail_are_named_and_the_others_kept(monkeypatch):
    def features_of(path, recognisers, variants, cache):
        assert (recognisers, variants) == (("sface",), ("completed",))
        if "lost" in path.name:
            raise AlignmentError(f"{path}: no head was found")
        return {("sface", "completed"): path.name}

    monkeypatch.setattr(module, "all_features_of_scan", features_of)
    paths = {("sub-1", "T1w"): Path("a.nii"), ("sub-2", "T1w"): Path("lost.nii")}
    found, failed = HOW.scans(paths, "toy")
    assert found == {("sub-1", "T1w"): {("sface", "completed"): "a.nii"}}
    assert set(failed) == {"sub-2"}
    assert "no head was found" in failed["sub-2"]


def test_photographs_are_embedded_by_each_recogniser(monkeypatch):
    how = replace(HOW, recognisers=("sface", "dlib"))

    def embedded(rows, settings, cache, n_jobs, show):
        return {"sub-1": vector(len(settings.recogniser))}, {f"sub-{settings.recogniser}": "x"}, []

    monkeypatch.setattr(module, "photo_features", embedded)
    found, failed = how.photographs([])
    assert found["sface"]["sub-1"][0, 5] == 1
    assert found["dlib"]["sub-1"][0, 4] == 1
    assert failed == {"sub-sface": "x", "sub-dlib": "x"}
