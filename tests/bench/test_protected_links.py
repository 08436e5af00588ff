"""The bench of protected scans links who is on both sides, by series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faceblind.head.template import load_template
from faceblind.identification.scan_match import ScanFeatures
from faceblind.identification.surface_match import Shape, kept_vertices


@pytest.fixture(scope="module")
def links(script):
    with pytest.MonkeyPatch.context() as patch:
        # The bench's scripts import one another by name.
        patch.syspath_prepend(str(Path(__file__).parents[2] / "bench"))
        return script("bench/protected_links.py")


def features(links, identity: int, noise: float) -> dict[str, ScanFeatures]:
    """Of a person; `noise` tells two scans apart."""
    person, scan = np.random.default_rng(identity), np.random.default_rng([identity, 1])
    vectors = person.normal(size=(9, 32)) + noise * scan.normal(size=(9, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    points = load_template().points[kept_vertices()]
    points = points + person.normal(size=points.shape) + noise * scan.normal(size=points.shape)
    shape = Shape(points.astype(np.float32), np.ones(len(points), np.float32))
    return dict.fromkeys(links.VARIANTS, ScanFeatures(vectors.astype(np.float32), shape))


def side(links, people, first: int, noise: float):
    """Both series of some people, those of person n by the random numbers of `first` + n."""
    return {
        (f"sub-{n}", series): features(links, first + n, noise)
        for n in people
        for series in links.SERIES
    }


def test_the_same_people_are_linked_and_others_are_not(links):
    intact, other = side(links, range(6), 0, 0.1), side(links, range(6), 100, 0.1)
    rows = links.linked(intact, intact, ("intact", "intact"), 6)
    assert [row[2:4] for row in rows] == [
        (variant, matching) for variant in links.VARIANTS for matching in links.MATCHINGS
    ]
    assert {row[4] for row in rows} == {6}
    strangers = links.linked(intact, other, ("refaced", "intact"), 6)
    assert max(row[4] for row in strangers) <= 3


def test_who_lacks_a_series_is_not_searched(links):
    probes, gallery = side(links, range(6), 0, 0.1), side(links, range(6), 0, 0.1)
    del probes["sub-3", "FLAIR"], gallery["sub-5", "T1w"]
    rows = links.linked(probes, gallery, ("refaced", "refaced"), 6)
    assert {row[6:8] for row in rows} == {(4, 6)}


def test_what_was_described_is_read_again(links, tmp_path):
    file = links.kept_at(tmp_path, "refaced", "sub-1", "T1w")
    file.parent.mkdir(parents=True)
    one = features(links, 1, 0.0)
    links.keep(file, one)
    # An empty file stands for a scan in which nothing was found.
    links.kept_at(tmp_path, "refaced", "sub-1", "FLAIR").touch()
    found = links.of_state(tmp_path, "refaced", ["sub-1"])
    assert list(found) == [("sub-1", "T1w")]
    assert np.array_equal(found["sub-1", "T1w"]["as-is"].vectors, one["as-is"].vectors)
