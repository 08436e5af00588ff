from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from review_parts import head

from faceblind.review.images import picture
from faceblind.review.skins import skin_of
from faceblind.review.tiles import SIDE, middle_slice, skin_view, tile_bytes
from faceblind.scan import Scan

AFFINE = np.diag([2.5, 2.5, 2.5, 1.0])


@pytest.fixture(scope="module")
def scan():
    return Scan(head(), AFFINE)


@pytest.fixture(scope="module")
def skin(scan):
    return skin_of(scan)


def test_a_tile_has_three_views(scan, skin):
    tile = np.asarray(Image.open(io.BytesIO(tile_bytes(picture(scan), skin))))
    assert tile.shape == (SIDE, 3 * SIDE)
    for view in np.split(tile, 3, axis=1):
        assert 0.15 < (view > 30).mean() < 0.95
        assert np.ptp(view) > 100


def test_without_a_skin_the_slice_remains(scan):
    tile = np.asarray(Image.open(io.BytesIO(tile_bytes(picture(scan), None))))
    assert tile[:, : 2 * SIDE].max() == 0
    assert tile[:, 2 * SIDE :].max() > 200


def test_the_front_is_looked_at_from_the_front(skin):
    """The nose points to +y: seen in front it is inside the outline, from the right it sticks out
    on the right, where the front is."""
    front, side = skin_view(skin, 0.0), skin_view(skin, 90.0)
    assert abs((front[:, : SIDE // 2] > 0).sum() - (front[:, SIDE // 2 :] > 0).sum()) < 500
    rows = (side > 0).any(axis=1)
    ends = [np.flatnonzero(row > 0)[[0, -1]] for row in side[rows]]
    left, right = np.array(ends).T
    assert right.max() - np.median(right) > 2 * (np.median(left) - left.min() + 1)


def test_the_slice_keeps_its_proportions():
    voxels = np.zeros((5, 60, 30), np.uint8)
    voxels[:, 10:50, 5:25] = 200
    grey = middle_slice(picture(Scan(voxels, np.diag([1, 1, 2.0, 1]))))
    bright = np.argwhere(grey > 100)
    tall, wide = np.ptp(bright, axis=0) + 1
    assert tall / wide == pytest.approx(1.0, abs=0.05)
