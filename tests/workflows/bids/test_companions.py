"""A map without a visible head: did it lose what its companion lost?"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from faceblind.workflows.bids.companions import follows

SIZE = 40


@pytest.fixture
def images(tmp_path):
    """A companion whose front was taken out, and a map with air as bright as the head."""
    chance = np.random.default_rng(0)
    shape = (SIZE, SIZE, SIZE)
    affine = np.diag([5.0, 5.0, 5.0, 1.0])
    head = chance.integers(200, 900, shape).astype(np.int16)
    front = np.zeros(shape, bool)
    front[:, 25:] = True
    without = np.where(front, chance.integers(0, 20, shape), head).astype(np.int16)
    values = chance.integers(0, 4000, shape).astype(np.int16)
    blanked = np.where(front, chance.integers(0, 4000, shape), values).astype(np.int16)

    def write(voxels, name, at=affine) -> Path:
        path = tmp_path / f"{name}.nii"
        nib.save(nib.Nifti1Image(voxels, at), path)
        return path

    return write, write(head, "T1w"), write(without, "T1w_out"), values, blanked, front, affine


def test_a_blanked_map_follows_and_one_left_alone_does_not(images):
    write, before, after, values, blanked, front, _ = images
    source = write(values, "map")
    assert follows(source, write(blanked, "blanked"), before, after)
    assert not follows(source, source, before, after)
    half = np.where(front & (np.arange(SIZE) < 20), blanked, values).astype(np.int16)
    assert not follows(source, write(half, "half"), before, after)


def test_a_map_whose_air_has_one_value(images):
    """Air that stays what it was is not tissue that was left."""
    write, before, after, values, _, front, _ = images
    inside = np.zeros_like(front)
    inside[10:30, 10:35, 10:30] = True
    plain = np.where(inside, values, 0).astype(np.int16)
    cut = np.where(front, 0, plain).astype(np.int16)
    source = write(plain, "map")
    assert follows(source, write(cut, "cut"), before, after)
    assert not follows(source, source, before, after)


def test_a_map_on_another_grid(images):
    write, before, after, values, blanked, _, affine = images
    finer = affine @ np.diag([0.5, 0.5, 0.5, 1.0])
    double = [np.repeat(np.repeat(np.repeat(v, 2, 0), 2, 1), 2, 2) for v in (values, blanked)]
    source, target = write(double[0], "map", finer), write(double[1], "blanked", finer)
    assert follows(source, target, before, after)
    assert not follows(source, source, before, after)
    other = write(values[:-1], "other")
    assert not follows(source, other, before, after)
