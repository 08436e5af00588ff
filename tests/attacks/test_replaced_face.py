"""Faces that are somebody else's."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.attacks.replaced_face import ReplacedFace, shared_faces
from faceblind.head.template import load_template


@pytest.mark.parametrize(
    ("average", "texture", "suspected"),
    [(0.5, 0.2, False), (0.75, 0.02, False), (0.75, 0.15, True), (0.75, -0.15, True),
     (0.9, 0.0, True)],
)  # fmt: skip
def test_an_average_with_another_texture_is_suspected(average, texture, suspected):
    assert ReplacedFace(average, texture).suspected is suspected


def test_one_face_in_scans_of_two_people_is_a_replacement():
    rng = np.random.default_rng(0)
    template = load_template()
    few = np.flatnonzero(template.region("nose", "eyes", "mouth", "cheeks"))[::40]
    faces = [template.shape(rng.normal(size=len(template.modes)))[few] for _ in range(3)]
    # Placed by another alignment, with noise: the same face all the same.
    copy = faces[0] * [1.03, 0.99, 1.01] + [2.0, -3.0, 1.0] + rng.normal(0, 0.4, faces[0].shape)
    outlines = {"a": faces[0], "b": faces[1], "c": faces[2], "d": copy}
    everybody = dict(zip("abcd", "1234", strict=True))
    assert shared_faces(outlines, everybody) == {"a", "d"}
    # Two scans of one person share a face by right.
    assert shared_faces(outlines, everybody | {"d": "1"}) == set()


def test_a_shared_face_is_found_though_parts_are_missing():
    """A quick look must not sort out what the robust fit would have found."""
    rng = np.random.default_rng(1)
    template = load_template()
    few = np.flatnonzero(template.region("nose", "eyes", "mouth", "cheeks", "brow", "face"))[::20]
    faces = [template.shape(rng.normal(0, 1.5, len(template.modes)))[few] for _ in range(6)]
    rough, half = faces[0] + rng.normal(0, 0.5, faces[0].shape), faces[1].copy()
    rough[:: len(few) // 6] += 5.0
    rough[3] = np.nan
    half[rng.choice(len(few), len(few) // 4, replace=False)] = np.nan
    outlines = {str(k): face for k, face in enumerate([*faces, rough, half])}
    assert shared_faces(outlines, {name: name for name in outlines}) == {"0", "6", "1", "7"}
    assert shared_faces({}, {}) == set()
