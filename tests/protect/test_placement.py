"""The placement is coarse, repeatable and near enough."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.protect.placement import ANCHOR, ANGLE_STEP, SCALE_STEP, place

# A pose in the middle of the rounding steps.
ON_THE_GRID = {"turn": (0.0, 0.0, 0.0), "shift": (2.0, -5.0, 7.0)}


@pytest.mark.parametrize("seed", range(1, 4))
def test_the_template_lands_within_a_few_millimetres(phantom, seed):
    head = phantom(seed=seed).head
    placement = place(head.alignment)
    fitted = (
        head.alignment.fitted() @ placement.scan_to_template[:3, :3].T
        + placement.scan_to_template[:3, 3]
    )
    template = head.alignment.template
    face = template.region("brow", "eyes", "nose", "mouth")
    distance = np.linalg.norm(fitted - template.points, axis=1)
    assert np.median(distance[face]) < 6.0
    assert distance[~template.region("neck")].max() < 22.0


def test_scales_are_whole_steps_and_angles_too(phantom):
    placement = place(phantom(seed=3).head.alignment)
    steps = placement.scales / SCALE_STEP
    assert np.allclose(steps, np.round(steps))
    turn = placement.scan_to_template[:3, :3] / placement.scales[:, None]
    assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    from scipy.spatial.transform import Rotation

    angles = Rotation.from_matrix(turn).as_euler("zyx", degrees=True) / ANGLE_STEP
    assert np.allclose(angles, np.round(angles), atol=1e-6)


def test_people_of_one_size_get_one_placement(phantom):
    """The average and a person near it in shape are told apart by nothing."""
    first = place(phantom(seed=1, spread=0.0, **ON_THE_GRID).head.alignment)
    same = [place(phantom(seed=s, spread=0.05, **ON_THE_GRID).head.alignment) for s in (4, 5)]
    assert all(np.array_equal(first.scan_to_template, other.scan_to_template) for other in same)


def test_the_anchor_is_on_whole_millimetres(phantom):
    placement = place(phantom(seed=2).head.alignment)
    at = np.linalg.solve(
        placement.scan_to_template[:3, :3], ANCHOR - placement.scan_to_template[:3, 3]
    )
    assert np.allclose(at / 2.0, np.round(at / 2.0), atol=1e-6)
