"""The cut meets the forehead and spares what lies deep."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from faceblind.head.brain import Cover, template_fields
from faceblind.head.skin import Skin
from faceblind.head.template import load_template
from faceblind.protect.lift import (
    FADE_LOW_MM,
    FADE_MM,
    LIFT_MM,
    SINK_MM,
    USUAL_LIFT_MM,
    fitting_lift,
    lift_at,
    lift_on_grid,
)


def cut_at(where, lift):
    return template_fields().at("cut", where) - lift_at(where, lift)


@pytest.mark.parametrize("bulge", [-5.0, 0.0, 4.0])
def test_the_cut_meets_the_forehead_and_spares_what_lies_deep(bulge):
    """The template's own head, its forehead flatter or fuller, with brain from 9 mm below skin."""
    template = load_template()
    points, normals = template.points.astype(np.float64), template.normals.astype(np.float64)
    away = np.exp(-(((points[:, 2] - 62) / 40) ** 2) / 2) * (points[:, 1] > 0)
    points = points + bulge * away[:, None] * normals
    skin = Skin(
        points.astype(np.float32), template.faces, template.normals, np.zeros(len(points), bool)
    )
    over = (points[:, 2] > 5) & (points[:, 1] > 5)
    cover = Cover(points[over], normals[over], np.full(int(over.sum()), 9.0))
    lift = fitting_lift(cover, skin, "cut", np.eye(4))
    assert np.array_equal(lift, np.round(lift))
    assert -SINK_MM <= lift.min() <= lift.max() <= LIFT_MM
    floor = cover.floor(np.eye(4))
    floor = floor[
        (floor[:, 2] > FADE_LOW_MM + FADE_MM) & (template_fields().at("brain", floor) > -13)
    ]
    assert (cut_at(floor, lift) > 0.5).mean() < 0.01
    forehead = points[(points[:, 2] > 40) & (points[:, 2] < 84) & template.region("face", "brow")]
    assert (cut_at(forehead, lift) > 0).mean() > 0.97
    if bulge < 0:
        assert lift.min() <= -2
    if bulge > 0:
        assert lift.max() >= 2


def test_without_a_forehead_the_lift_is_the_usual_one():
    none = np.zeros((0, 3))
    skin = Skin(none, np.zeros((0, 3), np.int32), none, np.zeros(0, bool))
    lift = fitting_lift(Cover(none, none, np.zeros(0)), skin, "cut", np.eye(4))
    assert np.array_equal(lift, USUAL_LIFT_MM)


def test_people_who_could_share_a_cut_do():
    """Foreheads that differ by a millimetre or so, brain from 8 mm: mostly one lift."""
    template = load_template()
    lifts = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        points, normals = template.points.astype(np.float64), template.normals.astype(np.float64)
        waves = np.sin(points @ rng.normal(0, 0.03, (3, 3)) + rng.uniform(0, 6, 3)).mean(axis=1)
        points = points + (3.0 + 1.5 * waves)[:, None] * normals
        skin = Skin(
            points.astype(np.float32), template.faces, template.normals, np.zeros(len(points), bool)
        )
        over = (points[:, 2] > 5) & (points[:, 1] > 5)
        cover = Cover(points[over], normals[over], np.full(int(over.sum()), 8.0))
        lifts.append(fitting_lift(cover, skin, "cut", np.eye(4)))
        forehead = points[(points[:, 2] > 40) & (points[:, 2] < 84) & template.region("face")]
        assert (cut_at(forehead, lifts[-1]) > 0).mean() > 0.97
    shared = np.mean([lift == USUAL_LIFT_MM for lift in lifts])
    assert shared > 0.7
    assert np.std(lifts, axis=0).mean() < 0.5


def test_the_floor_counts_where_no_skin_is_seen():
    """Hair hides the skin's points as edge: the brain is spared all the same."""
    template = load_template()
    points, normals = template.points.astype(np.float64), template.normals.astype(np.float64)
    over = (points[:, 2] > 5) & (points[:, 1] > 5)
    cover = Cover(points[over], normals[over], np.full(int(over.sum()), 2.0))
    skin = Skin(template.points, template.faces, template.normals, np.ones(len(points), bool))
    lift = fitting_lift(cover, skin, "cut", np.eye(4))
    floor = cover.floor(np.eye(4))
    high = (floor[:, 2] > FADE_LOW_MM + FADE_MM) & (template_fields().at("brain", floor) > -13)
    assert lift.min() >= 0
    assert (cut_at(floor[high], lift) > 0.5).mean() < 0.02


def test_the_field_is_the_same_left_and_right_and_fades_below_the_brow():
    rng = np.random.default_rng(0)
    lift = rng.integers(-6, 11, (3, 5)).astype(float)
    where = np.column_stack(
        [rng.uniform(-80, 80, 50), np.full(50, 60.0), rng.uniform(-60, 110, 50)]
    )
    there = lift_at(where, lift)
    np.testing.assert_allclose(lift_at(where * [-1, 1, 1], lift), there)
    assert not there[where[:, 2] < FADE_LOW_MM].any()
    np.testing.assert_allclose(lift_at(np.array([[40.0, 60.0, 52.0]]), lift), lift[1, 2])


def test_a_grid_holds_the_same_as_its_places():
    rng = np.random.default_rng(1)
    lift = rng.integers(-6, 11, (3, 5)).astype(float)
    affine = np.eye(4)
    affine[:3, :3] = 9.0 * Rotation.from_rotvec([0.1, -0.2, 0.05]).as_matrix()
    affine[:3, 3] = [-100.0, -90.0, -80.0]
    shape = (20, 21, 22)
    index = np.indices(shape).reshape(3, -1).T
    where = index @ affine[:3, :3].T + affine[:3, 3]
    found = lift_on_grid(affine, shape, lift)
    np.testing.assert_allclose(found.ravel(), lift_at(where, lift), atol=0.03)
    assert not lift_on_grid(affine, shape, np.zeros((3, 5))).any()
