"""A forehead that lies under a new face shows as a second skin, whatever the contrast of MR."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel.affines import apply_affine

from faceblind.attacks.second_skin import second_skin_share
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin
from faceblind.scan import Scan

CENTRE, RADIUS = np.array([0.0, -10.0, 20.0]), 95.0
"""Of a ball in template mm, whose forehead is where a head has one."""
SOFT, BONE, BRAIN = 100.0, 15.0, 80.0
THICK_MM = 7.0
"""Of scalp and of skull."""


def shares(
    shell_mm: float,
    *,
    between: float = BONE,
    soft: float = SOFT,
    bone: float = BONE,
    brain: float = BRAIN,
    to_template: np.ndarray | None = None,
) -> float:
    """`second_skin_share` of a ball with scalp, skull and brain, and a shell of soft tissue.

    Below the shell, which lies on the front, are 2 mm of `between`.
    """
    affine = np.diag([1.5, 1.5, 1.5, 1.0])
    affine[:3, 3] = (-130.0, -130.0, -110.0)
    index = np.stack(np.meshgrid(*[np.arange(170)] * 3, indexing="ij"), axis=-1)
    away = apply_affine(affine, index) - CENTRE
    in_front = away[..., 1] > 20.0
    depth = RADIUS - np.linalg.norm(away, axis=-1)
    values = np.select(
        [depth > 2 * THICK_MM, depth > THICK_MM, depth > 0.0], [brain, bone, soft], 5.0
    )
    if shell_mm:
        shell = in_front & (depth <= 0.0) & (depth > -2.0 - shell_mm)
        values[shell] = np.where(depth[shell] > -2.0, between, soft)
    values = values + np.random.default_rng(0).normal(0.0, 1.0, values.shape)
    scan = Scan(values.astype(np.float32), affine)
    head = find_head(scan)
    place = np.eye(4) if to_template is None else to_template
    return second_skin_share(scan, head, find_skin(scan, head), place)


def test_a_shell_on_the_forehead_is_seen() -> None:
    assert shares(7.0) > 0.9
    assert shares(7.0, between=40.0) > 0.9


@pytest.mark.parametrize(("between", "seen"), [(70.0, True), (85.0, False)])
def test_a_shell_shows_by_a_shallow_dip(between: float, seen: bool) -> None:
    # Where the new face nearly touches the skin, coarse voxels blur what lies between.
    assert (shares(7.0, between=between) > 0.9) is seen


def test_scalp_skull_and_brain_are_one_skin() -> None:
    assert shares(0.0) == 0.0
    # T2w: the brain's rim outshines the scalp.
    assert shares(0.0, brain=150.0) == 0.0


def test_a_shell_that_grows_into_the_scalp_is_no_second_skin() -> None:
    assert shares(7.0, between=SOFT) == 0.0


def test_bright_bone_tells_nothing() -> None:
    assert shares(7.0, bone=200.0, between=200.0) == 0.0


@pytest.mark.parametrize(("axis", "by"), [(1, -300.0), (2, 300.0)])
def test_too_little_in_view_tells_nothing(axis: int, by: float) -> None:
    elsewhere = np.eye(4)
    elsewhere[axis, 3] = by
    assert shares(7.0, to_template=elsewhere) == 0.0
