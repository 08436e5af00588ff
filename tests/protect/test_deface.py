"""Defacing changes the region and nothing else, and fills it with the scan's own air."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from faceblind.errors import AlignmentError, ScanError
from faceblind.formats.nifti import load, save
from faceblind.head import own_head
from faceblind.head.whole_head import find_whole_head
from faceblind.protect.air_model import Air, Noise, draw, fill, measure_air
from faceblind.protect.deface import deface


@pytest.fixture(scope="module")
def once(phantom):
    """A phantom and the same without the face."""
    made = phantom(seed=1)
    return made, deface(made.scan, head=made.head)


def test_outside_the_region_nothing_changes_and_inside_it_is_air(once):
    made, done = once
    mask = done.region.mask
    assert np.array_equal(done.scan.voxels[~mask], made.scan.voxels[~mask])
    assert done.scan.voxels.dtype == made.scan.voxels.dtype
    new = done.scan.voxels[mask].astype(float)
    assert abs(np.median(new) - 100) < 1.5
    assert new.std() == pytest.approx(12.0, rel=0.15)
    assert new.max() < 170


def test_the_same_seed_gives_the_same_air(once):
    made, first = once
    same, other = (deface(made.scan, head=made.head, seed=s).scan.voxels for s in (0, 1))
    first = first.scan.voxels
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_wiped_air_stays_wiped(phantom):
    made = phantom(seed=2, air=0.0, noise=0.0)
    done = deface(made.scan, head=made.head)
    assert not done.scan.voxels[done.region.mask].any()


def test_one_region_for_all_volumes(phantom):
    made = phantom(seed=3, volumes=3)
    done = deface(made.scan, head=made.head)
    mask = done.region.mask
    assert mask.shape == made.scan.shape
    assert np.array_equal(done.scan.voxels[~mask], made.scan.voxels[~mask])
    assert done.scan.voxels[mask].max() < 170


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<f4"])
def test_stored_numbers_outside_survive_a_file(phantom, tmp_path, dtype):
    made = phantom(seed=1)
    image = replace(made.scan, voxels=made.scan.voxels.astype(dtype[1:]), source=None)
    save(image, tmp_path / "a.nii.gz")
    before = load(tmp_path / "a.nii.gz")
    done = deface(before, head=made.head)
    save(done.scan, tmp_path / "b.nii.gz")
    after = load(tmp_path / "b.nii.gz")
    same = after.stored.raw == before.stored.raw
    assert same[~done.region.mask].all()
    assert not same[done.region.mask].all()
    assert after.stored.raw.dtype == before.stored.raw.dtype


def test_low_confidence_and_a_missing_face_are_refused(phantom, monkeypatch):
    made = phantom(seed=1)
    alignment = made.head.alignment
    monkeypatch.setattr(own_head, "find_skin", lambda scan, head=None: made.head.skin)
    monkeypatch.setattr(own_head, "align", lambda skin, scan: found)
    monkeypatch.setattr(own_head, "find_dim_head", lambda scan: None)
    found = replace(alignment, confidence=0.3)
    with pytest.raises(AlignmentError, match="not found with confidence"):
        find_whole_head(made.scan)
    assert find_whole_head(made.scan, strict=False).alignment is found
    found = replace(alignment, support=dict.fromkeys(alignment.support, 0.05))
    for strict in (True, False):
        with pytest.raises(ScanError, match=r"no face was found .* protect the original"):
            find_whole_head(made.scan, strict=strict)


def test_air_is_measured_with_its_texture():
    rng = np.random.default_rng(0)
    volume = 50 + 4 * Noise((60, 60, 60), np.array([0.9, 0.0, 0.0]), rng).block
    # A ghost of tissue in a corner must not be copied.
    volume[:8, :8, :8] = 400
    air = measure_air(volume, np.ones(volume.shape, bool))
    assert air.level == pytest.approx(50, abs=0.2)
    assert air.sample.max() < 75
    assert air.sigma[0] == pytest.approx(0.9, abs=0.15)
    assert air.sigma[1:].max() < 0.3


def test_new_air_follows_the_level_of_air_from_place_to_place():
    """Air of a coil array: four times as bright and as noisy on one side, nothing near the head."""
    rng = np.random.default_rng(3)
    shape = (60, 50, 70)
    truth = np.linspace(4.0, 16.0, shape[2])[None, None] * np.ones(shape)
    volume = (rng.rayleigh(1.0, shape) / np.sqrt(2 * np.log(2)) * truth).astype(np.float32)
    clear = np.ones(shape, bool)
    clear[15:45, 15:35, 15:55] = False
    volume[~clear] = 500.0
    air = measure_air(volume, clear)
    assert air.trend is not None
    assert air.sigma.max() < 0.4
    new = fill(air, ~clear, Noise(shape, air.sigma, rng))
    for low in (15, 30, 45):
        part = (slice(15, 45), slice(15, 35), slice(low, low + 10))
        assert np.median(new[part]) == pytest.approx(np.median(truth[part]), rel=0.08)
        spread = truth[part].mean() * np.sqrt((4 - np.pi) / 2 / (2 * np.log(2)))
        assert new[part].std() == pytest.approx(spread, rel=0.15)


def test_wiped_air_and_even_air_have_no_trend():
    rng = np.random.default_rng(4)
    even = rng.rayleigh(10.0, (50, 50, 50)).astype(np.float32)
    clear = np.ones(even.shape, bool)
    assert measure_air(even, clear).trend is None
    wiped = even.copy()
    wiped[:10] = 0.0
    assert measure_air(wiped, clear).trend is None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("dtype", "level"), [("i1", -127), ("i1", -121), ("i2", 2043)])
def test_constant_air_that_float32_cannot_average_has_no_texture(dtype, level):
    volume = np.full((71, 71, 71), level, dtype)
    air = measure_air(volume, np.ones(volume.shape, bool))
    assert air.is_constant
    assert air.level == level
    assert not air.sigma.any()


def test_noise_comes_again_shifted_and_keeps_its_spread():
    noise = Noise((150, 40, 50), np.array([0.8, 0.8, 0.8]), np.random.default_rng(0))
    assert len(noise.block) < 150
    volume = np.stack([noise.slice(i) for i in range(150)])
    assert volume.std() == pytest.approx(1.0, abs=0.03)
    again = np.corrcoef(volume[0].ravel(), volume[len(noise.block)].ravel())[0, 1]
    assert abs(again) < 0.15


def test_drawn_air_has_the_distribution():
    rng = np.random.default_rng(1)
    sample = np.sort(rng.rayleigh(10, 20_000)).astype(np.float32)
    new = draw(Air(sample, np.zeros(3)), rng.standard_normal(200_000, np.float32))
    for q in (0.05, 0.5, 0.95):
        assert np.quantile(new, q) == pytest.approx(np.quantile(sample, q), rel=0.03)


@pytest.mark.parametrize("padding", [-1024.0, -2000.0, -3024.0])
def test_padding_outside_a_ct_scanners_circle_is_no_air(phantom, padding):
    """Air of -1000, tissue around 0, one value in the corners that the circle does not reach."""
    made = phantom(seed=1)
    voxels = (made.scan.voxels.astype(np.float32) - 100.0) * 1.6 - 1000.0
    i, j, _ = np.ogrid[tuple(slice(n) for n in voxels.shape)]
    centre = np.array(voxels.shape) / 2
    circle = np.hypot(i - centre[0], j - centre[1]) > 0.5 * max(voxels.shape[:2])
    voxels[np.broadcast_to(circle, voxels.shape)] = padding
    voxels = np.maximum(voxels, padding)
    scan = replace(made.scan, voxels=np.rint(voxels).astype(np.int16))
    done = deface(scan, head=made.head)
    new = done.scan.voxels[done.region.mask & ~circle]
    assert np.median(new) == pytest.approx(-1000, abs=6)
    assert (new < -1150).mean() < 0.001
    kept = done.scan.voxels[done.region.mask & circle]
    assert (kept == padding).mean() > 0.99
    assert np.array_equal(done.scan.voxels[~done.region.mask], scan.voxels[~done.region.mask])
