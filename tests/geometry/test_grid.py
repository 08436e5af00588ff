"""Resampling: what is computed in pieces is what is computed at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from faceblind.geometry.grid import dilate, erode, is_positive, resize


@pytest.mark.parametrize("shape", [(31, 150, 140), (20, 21, 22), (64, 30, 25)])
def test_is_positive_is_resize_above_zero(shape) -> None:
    values = np.random.default_rng(0).normal(size=(20, 21, 22)).astype(np.float32)
    np.testing.assert_array_equal(is_positive(values, shape), resize(values, shape) > 0)


@pytest.mark.parametrize("shape", [(12, 9, 64), (7, 30, 65), (20, 5, 130), (6, 6, 3), (1, 1, 1)])
@pytest.mark.parametrize("share", [0.01, 0.4])
def test_masks_grow_by_crosses_and_cubes_in_turn(shape, share) -> None:
    mask = np.random.default_rng(1).random(shape) < share
    mask[..., -1] |= np.random.default_rng(2).random(shape[:2]) < share
    cross, cube = (ndimage.generate_binary_structure(3, n) for n in (1, 3))
    grown, shrunk = mask, mask
    for step in range(6):
        how = cube if step % 3 == 1 else cross
        grown = ndimage.binary_dilation(grown, how)
        shrunk = ndimage.binary_erosion(shrunk, how, border_value=1)
        np.testing.assert_array_equal(dilate(mask, step + 1), grown)
        np.testing.assert_array_equal(erode(mask, step + 1), shrunk)
    np.testing.assert_array_equal(dilate(mask, 0), mask)
    turned = mask.transpose(2, 0, 1)
    np.testing.assert_array_equal(dilate(turned, 2).transpose(1, 2, 0), dilate(mask, 2))
