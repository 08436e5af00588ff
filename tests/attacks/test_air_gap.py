from __future__ import annotations

import numpy as np
import pytest
from nibabel.affines import apply_affine

from faceblind.attacks.air_gap import gap_share
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin
from faceblind.scan import Scan

CENTRE, RADIUS = np.array([0.0, 0.0, 20.0]), 85.0
"""Of a ball in template mm, whose forehead is where a head has one."""


def ball(gap_mm: float, *, gap: float = 10.0, bone: float | None = None) -> float:
    """`gap_share` of a ball with a shell of 8 mm in front, `gap_mm` away from it."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -120.0
    index = np.stack(np.meshgrid(*[np.arange(120)] * 3, indexing="ij"), axis=-1)
    away = apply_affine(affine, index) - CENTRE
    depth = RADIUS - np.linalg.norm(away, axis=-1)
    values = np.where(depth > 0.0, 100.0, 10.0)
    if bone is not None:
        values[(depth > 6.0) & (depth < 12.0)] = bone
    in_front = away[..., 1] > 30.0
    shell = in_front & (depth < -gap_mm) & (depth > -gap_mm - 8.0)
    values[in_front & (depth <= 0.0) & (depth >= -gap_mm)] = gap
    values[shell] = 100.0
    # It hangs on the head at its lower rim, as a face does.
    values[in_front & (np.abs(away[..., 2] + 30.0) < 10.0) & (depth > -gap_mm - 8.0)] = 100.0
    values += np.random.default_rng(0).normal(0.0, 0.5, values.shape)
    scan = Scan(values.astype(np.float32), affine)
    head = find_head(scan)
    return gap_share(scan, head, find_skin(scan, head), np.eye(4))


def test_a_shell_that_stands_off_is_seen() -> None:
    assert ball(5.0) > 0.8


def test_a_shell_that_lies_on_the_head_is_none() -> None:
    assert ball(0.0) == 0.0


def test_bone_between_is_no_air() -> None:
    assert ball(5.0, gap=30.0) == 0.0


def test_a_scan_whose_bone_is_as_dark_as_air_tells_nothing() -> None:
    assert ball(5.0, bone=10.0) == 0.0


@pytest.mark.parametrize("by", [300.0, -300.0])
def test_too_little_in_view_tells_nothing(by: float) -> None:
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -120.0
    index = np.stack(np.meshgrid(*[np.arange(120)] * 3, indexing="ij"), axis=-1)
    near = np.linalg.norm(apply_affine(affine, index) - CENTRE, axis=-1) < RADIUS
    scan = Scan(np.where(near, 100.0, 10.0).astype(np.float32), affine)
    head = find_head(scan)
    elsewhere = np.eye(4)
    elsewhere[1, 3] = by
    assert gap_share(scan, head, find_skin(scan, head), elsewhere) == 0.0
