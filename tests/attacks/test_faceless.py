"""When a brain's word about the place of a face counts."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from faceblind.attacks.faceless import CLEAR_DEEP, MOST_UNLIKE, Faceless
from faceblind.head.brain_pose import LEAST_DEEP, LEAST_SHARE, BrainPose

FOUND = SimpleNamespace(name="by the brain")


def faceless(deep_share: float, size: float, share: float = 0.4) -> Faceless:
    """A head whose brain has `size` times the template's millimetres of its scalp, upwards."""
    found = Faceless(None, None, None)  # type: ignore[arg-type]
    pose = BrainPose(np.diag([1.1, 1.1, 1.1 * size, 1.0]), share, deep_share)
    scalp = SimpleNamespace(scan_to_template=np.diag([1.1, 1.1, 1.1, 1.0]))
    found.__dict__.update(by_scalp=scalp, _pose=pose, by_brain=FOUND)
    return found


@pytest.mark.parametrize(
    ("deep_share", "log_size", "believed"),
    [
        (CLEAR_DEEP + 0.01, 0.0, True),
        (CLEAR_DEEP + 0.01, 2 * MOST_UNLIKE, True),
        (CLEAR_DEEP - 0.01, 0.9 * MOST_UNLIKE, True),
        (CLEAR_DEEP - 0.01, 1.1 * MOST_UNLIKE, False),
        (CLEAR_DEEP - 0.01, -1.1 * MOST_UNLIKE, False),
        (LEAST_DEEP - 0.01, 0.0, False),
    ],
)
def test_a_weak_brain_must_be_like_its_skull(deep_share, log_size, believed):
    found = faceless(deep_share, float(np.exp(log_size))).surely_by_brain
    assert found is (FOUND if believed else None)


def test_no_scalp_or_no_brain_tells_nothing():
    assert faceless(0.5, 1.0, LEAST_SHARE - 0.01).surely_by_brain is None
    alone = faceless(0.5, 1.0)
    alone.__dict__["by_scalp"] = None
    assert alone.surely_by_brain is None
