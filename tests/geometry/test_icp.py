"""The robust closest-point solver: derivatives, pairs, and transforms that are known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from faceblind.geometry import icp
from faceblind.geometry.points import thin
from faceblind.geometry.triangles import vertex_normals
from faceblind.head.template import load_template


def target(
    points: np.ndarray,
    normals: np.ndarray,
    usable: np.ndarray | None = None,
    low: float = -200.0,
    high: float = 200.0,
    voxel_mm: float = 2.0,
) -> icp.Target:
    """Skin in a cubic field of view from `low` to `high` mm."""
    to_index = np.diag([1 / voxel_mm] * 3 + [1.0])
    to_index[:3, 3] = -low / voxel_mm
    shape = np.full(3, round((high - low) / voxel_mm) + 1)
    usable = np.ones(len(points), bool) if usable is None else usable
    points, normals = points.astype(float), normals.astype(float)
    return icp.Target(points, normals, usable, cKDTree(points), to_index, shape)


def pose_of(degrees: tuple[float, ...], shift: tuple[float, ...]) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(np.deg2rad(degrees)).as_matrix()
    pose[:3, 3] = shift
    return pose


def moved(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
    return points @ pose[:3, :3].T + pose[:3, 3]


def test_rigid_update_turns_about_its_centre() -> None:
    centre = np.array([10.0, -20.0, 30.0])
    update = icp.rigid_update(np.array([0, 0, np.pi / 2, 1.0, 2.0, 3.0]), centre)
    np.testing.assert_allclose(
        moved(centre[None], update)[0], centre + np.array([1, 2, 3]), atol=1e-12
    )
    beside = centre + np.array([1, 0, 0])
    np.testing.assert_allclose(
        moved(beside[None], update)[0], centre + np.array([1, 3, 3]), atol=1e-12
    )
    assert np.linalg.det(update) == pytest.approx(1)


def test_rigid_derivatives_match_finite_differences() -> None:
    rng = np.random.default_rng(0)
    points, normals = rng.normal(0, 80, (50, 3)), rng.normal(size=(50, 3))
    on_plane = points + rng.normal(0, 5, (50, 3))
    centre = points.mean(axis=0)

    def distance(step: np.ndarray) -> np.ndarray:
        gap = moved(points, icp.rigid_update(step, centre)) - on_plane
        return np.einsum("ij,ij->i", gap, normals)

    jacobian = icp._skew_columns(points - centre, normals)
    size = 1e-6
    for k in range(6):
        step = np.zeros(6)
        step[k] = size
        slope = (distance(step) - distance(-step)) / (2 * size)
        np.testing.assert_allclose(jacobian[:, k], slope, rtol=1e-5, atol=1e-4)


def test_solve_is_the_weighted_ridge_minimum() -> None:
    rng = np.random.default_rng(1)
    jacobian, residual, weights = rng.normal(size=(30, 4)), rng.normal(size=30), rng.random(30)
    prior, centre = rng.random(4), rng.normal(size=4)
    step = icp._solve(jacobian, residual, weights, prior, centre)

    def cost(x: np.ndarray) -> float:
        fit = weights * (jacobian @ x + residual) ** 2
        return float(fit.sum() + (prior * (x + centre) ** 2).sum())

    for k in range(4):
        aside = np.zeros(4)
        aside[k] = 1e-3
        assert cost(step) < min(cost(step + aside), cost(step - aside))


def test_pairs_say_how_far_and_on_which_side() -> None:
    plane = np.stack(np.meshgrid(*[np.arange(-20.0, 21.0)] * 2, [0.0]), axis=-1).reshape(-1, 3)
    up = np.tile([0.0, 0.0, 1.0], (len(plane), 1))
    points = np.array([[0.0, 0.0, 3.0], [1.0, 2.0, -2.0], [0.0, 0.0, 0.0]])
    normals = np.array([[0.0, 0.0, 1.0], [0.0, 0.6, 0.8], [0.0, 0.0, -1.0]])
    pairs = icp.pair(target(plane, up), points, normals)
    np.testing.assert_allclose(pairs.residual, [3, -2, 0])
    np.testing.assert_allclose(pairs.distance, [3, 2, 0])
    np.testing.assert_allclose(pairs.agreement, [1, 0.8, 0])
    assert pairs.seen.all()
    weights = icp.robust_weights(pairs, 3.0)
    np.testing.assert_allclose(weights, [0.25, 0.64 / (1 + 4 / 9) ** 2, 0])


def test_caps_and_what_lies_outside_the_field_of_view_are_unseen() -> None:
    points = np.array([[0.0, 0.0, 0.0], [40.0, 0.0, 0.0]])
    normals = np.tile([1.0, 0.0, 0.0], (2, 1))
    skin = target(points, normals, usable=np.array([True, False]), low=-50, high=50)
    asked = np.array([[1.0, 0, 0], [39.0, 0, 0], [-48.5, 0, 0], [-46.0, 0, 0], [0, 60.0, 0]])
    pairs = icp.pair(skin, asked, np.tile([1.0, 0.0, 0.0], (5, 1)))
    np.testing.assert_array_equal(pairs.seen, [True, False, False, True, False])
    assert (icp.robust_weights(pairs, 5.0)[~pairs.seen] == 0).all()


def test_rigid_fit_finds_a_known_pose() -> None:
    template = load_template()
    pose = pose_of((12, -9, 7), (8, -6, 9))
    skin = target(moved(template.points, pose), template.normals @ pose[:3, :3].T)
    keep = thin(template.points, 6.0)
    found = icp.fit_rigid(
        skin, template.points[keep].astype(float), template.normals[keep].astype(float),
        np.ones(len(keep)), np.eye(4), (25.0,) * 6 + (15.0,) * 6 + (5.0,) * 6,
    )  # fmt: skip
    gap = moved(template.points, found) - moved(template.points, pose)
    assert np.linalg.norm(gap, axis=1).max() < 0.05


def test_rigid_fit_outvotes_clutter() -> None:
    template = load_template()
    pose = pose_of((4, 3, -5), (3, 4, -2))
    shell = trimesh.creation.icosphere(subdivisions=4, radius=40)
    shell.apply_translation([110, 0, 40])
    skin = target(
        np.concatenate([moved(template.points, pose), shell.vertices]),
        np.concatenate([template.normals @ pose[:3, :3].T, shell.vertex_normals]),
    )
    keep = thin(template.points, 6.0)
    found = icp.fit_rigid(
        skin, template.points[keep].astype(float), template.normals[keep].astype(float),
        np.ones(len(keep)), np.eye(4), (20.0,) * 5 + (8.0,) * 5 + (3.0,) * 5,
    )  # fmt: skip
    gap = moved(template.points, found) - moved(template.points, pose)
    assert np.linalg.norm(gap, axis=1).max() < 0.5


def test_rigid_fit_without_any_pair_stays_where_it_was() -> None:
    points, normals = np.zeros((10, 3)), np.tile([0.0, 0.0, 1.0], (10, 1))
    start = pose_of((1, 2, 3), (4, 5, 6))
    skin = target(points, normals)
    found = icp.fit_rigid(skin, points, -normals, np.ones(10), start, (5.0, 5.0))
    np.testing.assert_array_equal(found, start)


def test_shape_fit_finds_pose_and_coefficients() -> None:
    template = load_template()
    truth = np.random.default_rng(2).normal(0, 1, len(template.modes))
    pose = pose_of((6, -4, 5), (4, 3, -5))
    shaped = template.shape(truth)
    skin = target(moved(shaped, pose), vertex_normals(shaped, template.faces) @ pose[:3, :3].T)
    keep = thin(template.points, 4.0)
    found, shape = icp.fit_shape(
        skin, template.points[keep].astype(float), template.normals[keep].astype(float),
        template.modes[:, keep].astype(float), np.ones(len(keep)), np.eye(4),
        (15.0,) * 6 + (6.0,) * 8 + (3.0,) * 8, 1.0,
    )  # fmt: skip
    gap = moved(template.shape(shape), found) - moved(shaped, pose)
    assert np.median(np.linalg.norm(gap, axis=1)) < 0.3
    np.testing.assert_allclose(shape[:6], truth[:6], atol=0.1)


def test_shape_fit_without_evidence_keeps_to_the_average() -> None:
    template = load_template()
    keep = thin(template.points, 8.0)
    points, normals = template.points[keep].astype(float), template.normals[keep].astype(float)
    shaped = template.shape(np.full(4, 1.5))[keep]
    _, shape = icp.fit_shape(
        target(shaped, normals), points, normals, template.modes[:, keep].astype(float),
        np.ones(len(keep)), np.eye(4), (5.0,) * 6, 1e4,
    )  # fmt: skip
    assert np.abs(shape).max() < 0.01


def test_affine_fit_is_exact() -> None:
    rng = np.random.default_rng(3)
    points = rng.normal(0, 60, (40, 3))
    affine = np.eye(4)
    affine[:3] = rng.normal(size=(3, 4))
    np.testing.assert_allclose(icp.fit_affine(points, moved(points, affine)), affine, atol=1e-9)


def test_laid_on_undoes_a_turn_and_a_shift_and_heeds_the_weights() -> None:
    points = np.random.default_rng(3).normal(0, 40, (50, 3)).astype(np.float32)
    target = moved(points, pose_of((50, -100, 20), (10, -5, 80)))
    weights = np.ones(50, np.float32)
    np.testing.assert_allclose(icp.registered_rigidly(points, target, weights), target, atol=1e-4)
    target[:5] += 30
    weights[:5] = 0
    placed = icp.registered_rigidly(points, target, weights)
    np.testing.assert_allclose(placed[5:], target[5:], atol=1e-4)


def test_laid_on_never_mirrors() -> None:
    points = np.random.default_rng(4).normal(0, 40, (50, 3))
    placed = icp.registered_rigidly(points, points * [-1, 1, 1], np.ones(50))
    volume = np.linalg.det((placed - placed.mean(axis=0))[:3])
    assert np.sign(volume) == np.sign(np.linalg.det((points - points.mean(axis=0))[:3]))
