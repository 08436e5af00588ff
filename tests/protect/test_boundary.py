"""The boundary at single places is that of the whole formula, looked up everywhere."""

from __future__ import annotations

import numpy as np

from faceblind.head.brain_cover import template_fields
from faceblind.protect.boundary import ROOM_FROM_BRAIN_MM, boundary_at
from faceblind.protect.brain_margin import EARS_FRONT_MM, brain_margin
from faceblind.protect.placement import face_share


def test_places_that_need_no_look_up_get_the_same_values():
    random = np.random.default_rng(6)
    where = random.uniform([-90, -110, -130], [90, 120, 110], (20_000, 3))
    in_cut, on_face = where + random.normal(size=(2, 1, 3)) * 5.0
    fields = template_fields()
    brain = fields.at("brain", where).astype(np.float64)
    unmoved = np.minimum(fields.at("cut", where), EARS_FRONT_MM - where[:, 1])
    inside = np.maximum(fields.at("cut", in_cut), unmoved)
    inside = np.minimum(inside, -brain_margin(where[:, 2]) - brain)
    limits = [-ROOM_FROM_BRAIN_MM - brain, 40.0 * (face_share(on_face) - 0.5), -on_face[:, 2]]
    room = np.minimum.reduce([fields.at("cut", on_face), *limits])
    found = boundary_at(where, in_cut, on_face)
    np.testing.assert_allclose(found, np.maximum(inside, room), atol=1e-4)
    # Each of the limits decides somewhere.
    assert (room > inside).mean() > 0.02
    assert (unmoved > fields.at("cut", in_cut)).mean() > 0.02
