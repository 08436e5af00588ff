"""Ranks as an attacker counts them."""

from __future__ import annotations

import numpy as np

from faceblind.head.template import load_template
from faceblind.identification.ranking import rank_among_originals
from faceblind.identification.scan_match import ScanFeatures
from faceblind.identification.surface_match import Shape, kept_vertices


def features_of(seed: int) -> ScanFeatures:
    template, rng = load_template(), np.random.default_rng(seed)
    vector = rng.normal(size=(1, 16))
    points = template.shape(rng.normal(size=len(template.modes)))[kept_vertices()]
    return ScanFeatures(
        (vector / np.linalg.norm(vector)).astype(np.float32),
        Shape(points.astype(np.float32), np.ones(len(points), np.float32)),
    )


def test_a_copy_under_another_label_hides_nobody():
    people = {f"sub-{k:02}": features_of(k) for k in range(12)}
    people |= {"sub-copy1": people["sub-03"], "sub-copy2": people["sub-03"]}
    found = rank_among_originals({p: {"as-is": one} for p, one in people.items()}, people, "x")
    assert {person: link.rank for person, link in found.items()} == dict.fromkeys(people, 1.0)
    assert found["sub-03"].lead == 0
    assert found["sub-04"].lead > 0.5


def test_a_link_tells_how_many_faces_of_the_scan_were_tried():
    people = {f"sub-{k:02}": features_of(k) for k in range(12)}
    scans = {p: {"as-is": one, "completed": one} for p, one in people.items()}
    scans["sub-03"] |= {"raised": features_of(99)}
    found = rank_among_originals(scans, people, "x")
    assert {found[p].tried for p in people if p != "sub-03"} == {2}
    assert found["sub-03"].tried == 3
