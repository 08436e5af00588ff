"""The cut meets the forehead and spares what lies deep, by a motion first and a lift then."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy.spatial.transform import Rotation

from faceblind.geometry.icp import fit_affine
from faceblind.geometry.triangles import vertex_normals
from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import Cover, template_fields
from faceblind.head.skin import Skin
from faceblind.head.template import REGIONS, load_template
from faceblind.protect import cut_fit
from faceblind.protect.cut_fit import CutFit, fit_cut
from faceblind.protect.cut_lift import (
    FADE_LOW_MM,
    FADE_MM,
    LIFT_MM,
    SINK_MM,
    USUAL_LIFT_MM,
    lift_at,
)
from faceblind.protect.placement import ANCHOR, place, placement_of

UNMOVED = placement_of(np.ones(3), np.eye(3), ANCHOR)
"""Scan and template are one."""


def cut_at(points, fit: CutFit):
    where = apply_affine(fit.scan_to_cut, points)
    return template_fields().at("cut", where) - lift_at(where, fit.lift_mm)


def made_of(points, normals, cover_mm: float) -> tuple[Cover, Skin]:
    template = load_template()
    skin = Skin(
        points.astype(np.float32), template.faces, normals.astype(np.float32),
        np.zeros(len(points), bool),
    )  # fmt: skip
    over = (points[:, 2] > 5) & (points[:, 1] > 5)
    return Cover(points[over], normals[over], np.full(int(over.sum()), cover_mm)), skin


def head(bulge_mm=None) -> tuple[np.ndarray, np.ndarray]:
    """The template's own head, vertices moved along their normals."""
    template = load_template()
    points, normals = template.points.astype(np.float64), template.normals.astype(np.float64)
    return (points if bulge_mm is None else points + bulge_mm[:, None] * normals), normals


def high_floor(cover: Cover, fit: CutFit):
    floor = cover.floor(np.eye(4))
    height = apply_affine(fit.scan_to_cut, floor)[:, 2]
    near = template_fields().at("brain", floor) > -cut_fit.NEAR_BRAIN_MM
    return floor[near & (height > FADE_LOW_MM + FADE_MM)]


def motion_of(fit: CutFit) -> tuple[np.ndarray, np.ndarray]:
    """Millimetres and degrees by which the cut has moved in the template's frame."""
    move = np.linalg.inv(fit.scan_to_cut)
    middle = cut_fit._MIDDLE
    turn = Rotation.from_matrix(move[:3, :3]).as_rotvec(degrees=True)
    return move[:3, :3] @ middle + move[:3, 3] - middle, turn


@pytest.mark.parametrize("bulge", [-5.0, 0.0, 4.0])
def test_the_cut_meets_the_forehead_and_spares_what_lies_deep(bulge):
    """A forehead that is flatter or fuller than the template's, brain from 9 mm below skin."""
    template = load_template()
    away = np.exp(-(((template.points[:, 2] - 62) / 40) ** 2) / 2) * (template.points[:, 1] > 0)
    points, normals = head(bulge * away)
    cover, skin = made_of(points, normals, 9.0)
    fit = fit_cut(cover, skin, "cut", UNMOVED)
    assert np.array_equal(fit.lift_mm, np.round(fit.lift_mm))
    assert -SINK_MM <= fit.lift_mm.min() <= fit.lift_mm.max() <= LIFT_MM
    assert (cut_at(high_floor(cover, fit), fit) > 0.5).mean() < 0.01
    here = (points[:, 2] > 40) & (points[:, 2] < 84) & template.region("face", "brow")
    assert (cut_at(points[here], fit) > 0).mean() > 0.97
    # By a motion or by a lift: the cut follows the forehead, at the places of the average one.
    plain = fit_cut(*made_of(*head(), 9.0), "cut", UNMOVED)
    deeper = (cut_at(head()[0][here], fit) - cut_at(head()[0][here], plain)).mean()
    if bulge < 0:
        assert deeper >= 2
    if bulge > 0:
        assert deeper <= -2
    features = points[template.region("eyes", "nose", "mouth", "chin")]
    assert (cut_at(features, fit) > 0).mean() > 0.995


@pytest.mark.parametrize(
    ("shift", "turn"), [((0.0, -4.0, 0.0), (0.0, 0.0, 0.0)), ((0.0, 3.0, -2.0), (-6.0, 0.0, 0.0))]
)
def test_a_head_that_lies_elsewhere_moves_the_cut_and_does_not_change_its_shape(
    shift, turn, monkeypatch
):
    """The same head, placed by a motion that its placement does not know."""
    template = load_template()
    points, normals = head(np.full(len(template.points), 3.0))
    there = fit_cut(*made_of(points, normals, 8.0), "cut", UNMOVED)
    rotation = Rotation.from_rotvec(turn, degrees=True).as_matrix()
    middle = cut_fit._MIDDLE
    moved = (points - middle) @ rotation.T + middle + shift
    cover, skin = made_of(moved, normals @ rotation.T, 8.0)
    fit = fit_cut(cover, skin, "cut", UNMOVED)
    assert (cut_at(high_floor(cover, fit), fit) > 0.5).mean() < 0.01
    forehead = (points[:, 2] > 20) & (points[:, 2] < 84) & template.region("face", "brow")
    assert (cut_at(moved[forehead], fit) > 0).mean() > 0.97
    monkeypatch.setattr(cut_fit, "_ROUNDS", 0)
    unmoved = fit_cut(cover, skin, "cut", UNMOVED)
    differs, differed = (np.abs(f.lift_mm - there.lift_mm).mean() for f in (fit, unmoved))
    assert differs < 0.5
    assert differs < 0.5 * differed


def test_motions_are_whole_millimetres_and_degrees(monkeypatch):
    monkeypatch.setattr(cut_fit, "_ROUNDS", 1)
    points, normals = head(np.full(len(load_template().points), 3.0))
    fit = fit_cut(*made_of(points + np.array([0.0, -3.7, 0.4]), normals, 8.0), "cut", UNMOVED)
    shift, turn = motion_of(fit)
    assert np.abs(shift).max() >= 1
    np.testing.assert_allclose(shift, np.round(shift), atol=1e-6)
    np.testing.assert_allclose(turn, np.round(turn), atol=1e-6)


def test_the_cut_has_one_size_that_many_share():
    sizes = set()
    for scales in ([0.97, 1.03, 1.0], [1.03, 1.0, 0.98], [0.96, 1.04, 1.0]):
        placement = placement_of(np.array(scales), np.eye(3), ANCHOR)
        fit = fit_cut(*made_of(*head(), 8.0), "cut", placement)
        linear = fit.scan_to_cut[:3, :3]
        size = np.cbrt(np.linalg.det(linear))
        np.testing.assert_allclose(linear @ linear.T, size**2 * np.eye(3), atol=1e-9)
        sizes.add(round(float(size), 6))
    assert sizes == {1.0}


def test_without_a_forehead_the_cut_stays_and_its_lift_is_the_usual_one():
    none = np.zeros((0, 3))
    skin = Skin(none, np.zeros((0, 3), np.int32), none, np.zeros(0, bool))
    fit = fit_cut(Cover(none, none, np.zeros(0)), skin, "cut", UNMOVED)
    assert np.array_equal(fit.lift_mm, USUAL_LIFT_MM)
    np.testing.assert_allclose(fit.scan_to_cut, np.eye(4), atol=1e-12)


def test_skin_of_which_nothing_is_meant_to_go_moves_nothing():
    """Only the back of the head shows beside the floor: there is nothing to gain by a motion."""
    points, normals = head()
    cover, skin = made_of(points, normals, 12.0)
    behind = Skin(skin.points, skin.faces, skin.normals, points[:, 1] > -5.0)
    fit = fit_cut(cover, behind, "cut", UNMOVED)
    assert (cut_at(high_floor(cover, fit), fit) > 0.5).mean() < 0.01
    assert np.abs(np.array(motion_of(fit))).max() < 1.5


def test_people_who_could_share_a_cut_do():
    """Foreheads that differ by a millimetre or so, brain from 8 mm: mostly one lift."""
    template = load_template()
    lifts = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        waves = np.sin(
            template.points @ rng.normal(0, 0.03, (3, 3)) + rng.uniform(0, 6, 3)
        ).mean(axis=1)  # fmt: skip
        points, normals = head(3.0 + 1.5 * waves)
        fit = fit_cut(*made_of(points, normals, 8.0), "cut", UNMOVED)
        lifts.append(fit.lift_mm)
        forehead = points[(points[:, 2] > 40) & (points[:, 2] < 84) & template.region("face")]
        assert (cut_at(forehead, fit) > 0).mean() > 0.97
    assert np.mean([lift == USUAL_LIFT_MM for lift in lifts]) > 0.7
    assert np.std(lifts, axis=0).mean() < 0.5


def test_a_hole_in_the_skin_does_not_lift_the_cut():
    """Walls of a dark hole face inwards: what lies "under" them is in front of the forehead."""
    points, normals = head()
    cover, skin = made_of(points, normals, 6.0)
    hole = np.linalg.norm(cover.points - [-8.0, 82.0, 56.0], axis=1) < 12.0
    assert hole.sum() > 20
    walls = Cover(
        cover.points,
        np.where(hole[:, None], [0.0, -1.0, 0.0], cover.normals),
        np.where(hole, 1.0, cover.depth_mm),
    )
    floor = walls.points[hole] + [0.0, 1.0, 0.0]
    assert (template_fields().at("brain", floor) > -cut_fit.NEAR_BRAIN_MM).any()
    open_ = Cover(cover.points[~hole], cover.normals[~hole], cover.depth_mm[~hole])
    found, without = (fit_cut(one, skin, "cut", UNMOVED) for one in (walls, open_))
    assert np.array_equal(found.lift_mm, without.lift_mm)
    np.testing.assert_allclose(found.scan_to_cut, without.scan_to_cut)


def test_the_usual_lift_gives_way_where_the_middle_of_the_forehead_would_stay(monkeypatch):
    template = load_template()
    rng = np.random.default_rng(148)
    shape = np.clip(rng.normal(0, 1.5, len(template.modes)), -3, 3)
    points = template.shape(shape).astype(np.float64)
    normals = vertex_normals(points.astype(np.float32), template.faces).astype(np.float64)
    full = dict.fromkeys(REGIONS, 1.0)
    placement = place(
        Alignment(
            fit_affine(points, template.points), np.eye(4), shape, 0.5, 1.0, full, full, template
        )
    )
    cover, skin = made_of(points, normals, 6.5)
    even = fit_cut(cover, skin, "cut", placement)
    monkeypatch.setattr(cut_fit, "_MOST_IN_MIDDLE", 12)
    found = fit_cut(cover, skin, "cut", placement)

    def left(fit: CutFit) -> int:
        where = apply_affine(fit.scan_to_cut, points)
        middle = template.region("face") & (np.abs(where[:, 0]) < 25) & (where[:, 2] > 40)
        return int((cut_at(points[middle], fit) < 0).sum())

    assert left(even) > 20
    assert left(found) < 0.4 * left(even)
    assert (cut_at(high_floor(cover, found), found) > 0.5).mean() < 0.01


def test_the_floor_counts_where_no_skin_is_seen():
    """Hair hides the skin's points as edge: the brain is spared all the same."""
    points, normals = head()
    cover, skin = made_of(points, normals, 2.0)
    skin = Skin(skin.points, skin.faces, skin.normals, np.ones(len(points), bool))
    fit = fit_cut(cover, skin, "cut", UNMOVED)
    assert (cut_at(high_floor(cover, fit), fit) > 0.5).mean() < 0.02


def test_a_floor_that_no_lift_spares_gives_the_highest_lift(monkeypatch):
    """A programme that is not solved never gives a deeper cut."""
    failed = type("Failed", (), {"success": False, "x": None})()
    monkeypatch.setattr(cut_fit, "linprog", lambda *_, **__: failed)
    fit = fit_cut(*made_of(*head(), 8.0), "cut", UNMOVED)
    assert (fit.lift_mm == LIFT_MM).all()
    np.testing.assert_allclose(fit.scan_to_cut, np.eye(4), atol=1e-12)


def test_a_cover_that_is_not_believed_lifts_the_cut_less():
    """A patch of the temples where noise was read as a thin cover."""
    cover, skin = made_of(*head(), 9.0)
    across, _, height = cover.points.T
    noisy = (np.abs(np.abs(across) - 45.0) < 14.0) & (np.abs(height - 45.0) < 14.0)
    cover = Cover(cover.points, cover.normals, np.where(noisy, -3.0, cover.depth_mm))
    brain = np.array([[0.0, -20.0, 60.0]])

    def lift_there(believes_cover: bool) -> float:
        fit = fit_cut(cover, skin, "cut", UNMOVED, brain, believes_cover=believes_cover)
        where = apply_affine(fit.scan_to_cut, cover.points[noisy])
        return float(lift_at(where, fit.lift_mm).max())

    believed, not_believed = lift_there(True), lift_there(False)
    assert believed > LIFT_MM + 8.0, (believed, not_believed)
    assert not_believed < LIFT_MM + 5.0
