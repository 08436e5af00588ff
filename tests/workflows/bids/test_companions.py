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


def part(values, affine, low, high):
    """A box of an image, low to high along each axis, and its affine."""
    shifted = affine.copy()
    shifted[:3, 3] = (affine @ [*low, 1])[:3]
    return values[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], shifted


def test_a_map_that_shares_nothing_with_the_region_lies_apart_in_the_companions_field(images):
    """5 mm voxels, and the companion lost those from 25 on: two voxels are apart, one is not."""
    write, before, after, values, _, _, affine = images

    def is_left_alone(low, high, moved=0):
        box, at = part(values, affine, low, high)
        at[2, 3] += moved
        source = write(box, f"box{low}{high}{moved}", at)
        return follows(source, source, before, after)

    assert is_left_alone((10, 8, 10), (30, 24, 30))
    assert not is_left_alone((10, 8, 10), (30, 25, 30)), "5 mm from what was lost"
    assert is_left_alone((0, 0, 0), (SIZE, 24, SIZE)), "to the border of the companion's field"
    assert not is_left_alone((0, 0, 0), (SIZE, 24, SIZE), 5), "a slice lies beside that"
    assert not is_left_alone((10, 8, 10), (30, 24, 30), 1000)
    box, at = part(values, affine, (10, 8, 10), (30, 24, 30))
    source = write(box, "box", at)
    assert not follows(source, source, before, before), "a companion that lost nothing"


def test_a_map_that_shares_only_the_border_of_the_region(images):
    write, before, after, values, blanked, _, affine = images
    (box, at), (done, _) = (part(one, affine, (5, 5, 5), (35, 27, 35)) for one in (values, blanked))
    source = write(box, "box", at)
    assert not follows(source, source, before, after)
    assert follows(source, write(done, "done", at), before, after)


def test_what_lies_beside_the_companions_field_must_be_gone_too(images):
    """A companion whose field ends above the chin says nothing of what is left below."""
    write, _, _, values, blanked, front, affine = images
    chance = np.random.default_rng(1)
    head, at = part(chance.integers(200, 900, values.shape).astype(np.int16), affine,
                    (0, 0, 15), (SIZE, SIZE, SIZE))  # fmt: skip
    lost = np.where(front[:, :, 15:], chance.integers(0, 20, head.shape), head).astype(np.int16)
    before, after = write(head, "short", at), write(lost, "short_out", at)
    source = write(values, "map")
    assert follows(source, write(blanked, "blanked"), before, after)
    chin = blanked.copy()
    chin[10:30, 25:, :15] = values[10:30, 25:, :15]
    assert not follows(source, write(chin, "chin"), before, after)
