from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine

from faceblind.geometry.icp import rigid_update
from faceblind.head.brain_cover import template_fields
from faceblind.head.registration import Levels
from faceblind.head.template_information import contents, information
from faceblind.scan import Scan


def average_head(grey: tuple[float, ...]) -> Scan:
    """The average head's own classes as a scan in template mm, one grey each."""
    fields = template_fields()
    values = np.take(np.asarray(grey, np.float32), np.clip(fields.inside, 0, len(grey) - 1))
    noise = np.random.default_rng(0).normal(0.0, 2.0, values.shape)
    return Scan((values + noise).astype(np.float32), fields.affine)


def test_places_lie_where_their_class_is() -> None:
    places, classes = contents()
    fields = template_fields()
    index = np.rint(apply_affine(np.linalg.inv(fields.affine), places)).astype(int)
    assert np.array_equal(fields.inside[tuple(index.T)], classes)
    assert len(np.unique(classes)) > 1


def test_the_right_place_tells_most_in_any_contrast() -> None:
    for grey in ((0.0, 40.0, 90.0, 140.0, 60.0), (0.0, 120.0, 30.0, 70.0, 150.0)):
        levels = Levels.of(average_head(grey), 2.0)
        here = information(levels, np.eye(4))
        turned = rigid_update(np.array([0.15, 0.0, 0.0, 0.0, 8.0, 0.0]), np.zeros(3))
        assert here > information(levels, turned) + 0.02


def test_a_scan_that_holds_too_little_of_the_head_tells_nothing() -> None:
    levels = Levels.of(average_head((0.0, 40.0, 90.0, 140.0, 60.0)), 2.0)
    far = np.eye(4)
    far[0, 3] = 400.0
    assert information(levels, far) == 1.0
