"""The scanner's edges are told from a mask's."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.attacks.edge_sharpness import find_edges
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin
from faceblind.scan import Scan

TO_TEMPLATE = np.eye(4)
TO_TEMPLATE[2, 3] = 40.0


def ball(edge_mm: float = 1.5, wiped: bool = False) -> tuple[Scan, np.ndarray]:
    """A ball of 80 mm as a scanner sees it, and how far each voxel lies within; its middle is 0."""
    axes = [np.arange(-100.0, 101.0, 2.0)] * 3
    x, y, z = np.meshgrid(*axes, indexing="ij")
    inside = 80.0 - np.sqrt(x * x + y * y + z * z)
    signal = 100.0 / (1.0 + np.exp(-inside / (0.6 * edge_mm)))
    noise = np.abs(np.random.default_rng(0).normal(0.0, 2.0, signal.shape))
    voxels = np.where(inside > 0, signal, 0.0) if wiped else signal + noise
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -100.0
    return Scan(voxels.astype(np.float32), affine), y


def edges_of(scan: Scan):
    head = find_head(scan)
    skin = find_skin(scan, head)
    return skin, find_edges(skin, scan, head, TO_TEMPLATE)


def test_a_cut_is_told_from_skin_on_one_head():
    scan, forward = ball()
    noise = np.abs(np.random.default_rng(1).normal(0.0, 2.0, forward.shape)).astype(np.float32)
    cut = Scan(np.where(forward > 50.0, noise, scan.voxels), scan.affine)
    skin, edges = edges_of(cut)
    on_cut = (skin.points[:, 1] > 47.0) & (np.linalg.norm(skin.points, axis=1) < 74.0)
    assert on_cut.sum() > 1000
    assert edges.natural[on_cut].mean() < 0.02
    # Averages reach over the rim by some millimetres.
    assert edges.natural[skin.points[:, 1] < 40.0].mean() > 0.98


@pytest.mark.parametrize("edge_mm", [1.0, 3.0])
def test_what_the_scanner_saw_is_natural_however_sharp(edge_mm):
    skin, edges = edges_of(ball(edge_mm)[0])
    assert edges.scalp_tail > 0.1
    assert edges.natural[~skin.edge].mean() > 0.98


def test_bone_that_a_cut_lays_open_is_no_skin():
    """What lies outside it is brighter than air."""
    scan, forward = ball()
    bone = (forward > 50.0) & (scan.voxels > 50.0)
    noise = np.random.default_rng(2).normal(25.0, 2.0, forward.shape).astype(np.float32)
    skin, edges = edges_of(Scan(np.where(bone, noise, scan.voxels), scan.affine))
    behind = (skin.points[:, 1] > 42.0) & (np.linalg.norm(skin.points, axis=1) < 72.0)
    assert behind.sum() > 500
    assert edges.natural[behind].mean() < 0.1


def test_wiped_air_has_no_edges_to_tell():
    assert edges_of(ball(wiped=True)[0])[1] is None


def fat_under_dark_skin(skin_mm: float = 6.0) -> tuple[Scan, np.ndarray]:
    """The ball with an outermost layer a third as bright as what lies below, as in T2w scans."""
    scan, forward = ball()
    index = np.indices(scan.voxels.shape).reshape(3, -1).T
    inside = 80.0 - np.linalg.norm(scan.world(index), axis=1).reshape(scan.voxels.shape)
    return Scan(np.where(inside < skin_mm, 0.33, 1.0) * scan.voxels, scan.affine), forward


def test_a_cut_is_told_from_skin_that_is_far_darker_than_its_fat():
    scan, forward = fat_under_dark_skin()
    noise = np.abs(np.random.default_rng(1).normal(0.0, 0.6, forward.shape)).astype(np.float32)
    cut = Scan(np.where(forward > 50.0, noise, scan.voxels).astype(np.float32), scan.affine)
    skin, edges = edges_of(cut)
    assert edges is not None
    on_cut = (skin.points[:, 1] > 47.0) & (np.linalg.norm(skin.points, axis=1) < 66.0)
    assert on_cut.sum() > 1000
    assert edges.natural[on_cut].mean() < 0.02
    assert edges.natural[skin.points[:, 1] < 40.0].mean() > 0.9
