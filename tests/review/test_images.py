from __future__ import annotations

import io

import nibabel as nib
import numpy as np
import pytest

from faceblind.review import images
from faceblind.scan import Scan


def decoded(content: bytes):
    image = nib.Nifti1Image.from_stream(io.BytesIO(content))
    return np.asanyarray(image.dataobj), image.affine


def test_axes_run_right_front_up_and_places_stay():
    voxels = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    affine = np.array([[0, 0, -2.0, 9], [3.0, 0, 0, 1], [0, -1.5, 0, 2], [0, 0, 0, 1]])
    shown = images.picture(Scan(voxels, affine))
    assert np.all(np.diag(shown.affine[:3, :3]) > 0)
    assert shown.voxels.shape == (6, 4, 5)
    place = affine @ [1, 2, 3, 1]
    i, j, k, _ = np.rint(np.linalg.inv(shown.affine) @ place).astype(int)
    assert shown.voxels[i, j, k] == voxels[1, 2, 3]


def test_a_large_scan_is_thinned_along_its_finest_axes(monkeypatch):
    monkeypatch.setattr(images, "MOST_VOXELS", 1000)
    voxels = np.zeros((20, 20, 10), np.uint8)
    voxels[4, 6, 3] = 1
    shown = images.picture(Scan(voxels, np.diag([1, 1, 2.0, 1])))
    assert shown.voxels.shape == (10, 10, 10)
    assert np.argwhere(shown.voxels).tolist() == [[2, 3, 3]]
    np.testing.assert_allclose(shown.affine, np.diag([2, 2, 2.0, 1]))


def test_a_series_shows_its_first_volume():
    voxels = np.stack([np.full((3, 3, 3), n, np.uint8) for n in (1, 2)], axis=-1)
    assert (images.picture(Scan(voxels, np.eye(4))).voxels == 1).all()


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32, np.float64])
def test_intensities_arrive(kind):
    rng = np.random.default_rng(0)
    voxels = (rng.random((9, 9, 9)) * 200).astype(kind)
    shown, affine = decoded(images.nifti_bytes(images.Picture(voxels, np.eye(4))))
    np.testing.assert_allclose(shown, voxels, atol=0.02)
    np.testing.assert_array_equal(affine, np.eye(4))


def test_what_is_not_finite_is_dark_and_a_spike_costs_no_contrast():
    voxels = np.linspace(0, 100, 20**3).reshape(20, 20, 20).astype(np.float32)
    voxels[0, 0, :3] = np.nan, np.inf, 1e9
    shown, _ = decoded(images.nifti_bytes(images.Picture(voxels, np.eye(4))))
    assert np.isfinite(shown).all()
    assert shown[0, 0, 0] < 0.1
    # 15 bits over four times the usual range.
    assert np.abs(shown - voxels)[1:].max() < 4 * 100 / images.LEVELS


def test_an_empty_scan_can_be_shown():
    shown, _ = decoded(images.nifti_bytes(images.Picture(np.zeros((4, 4, 4)), np.eye(4))))
    assert (shown == 0).all()
    assert images.windows(np.zeros((4, 4, 4)))["usual"] == (0.0, 1.0)


def test_windows_of_mri_begin_at_air_and_end_in_bright_tissue():
    rng = np.random.default_rng(1)
    voxels = rng.normal(10, 2, (40, 40, 40))
    voxels[10:30, 10:30, 10:30] = rng.normal(500, 20, (20, 20, 20))
    voxels[0, 0, 0] = 60_000
    found = images.windows(voxels)
    low, high = found["usual"]
    assert 0 < low < 15
    assert 520 < high < 600
    assert found["dark"] == (low, pytest.approx(low + 0.08 * (high - low)))


def test_the_window_of_ct_is_soft_tissue():
    voxels = np.full((10, 10, 10), -1000.0)
    voxels[2:8, 2:8, 2:8] = 40
    assert images.windows(voxels)["usual"] == images.CT_WINDOW


def test_replaced_voxels_are_those_that_differ():
    before = np.full((6, 6, 6), 100, np.int16)
    before[0] = 0
    after = before.copy()
    after[4, 2, 1] = 0
    mask = images.replaced(Scan(before, np.eye(4)), Scan(after, np.eye(4)))
    assert np.argwhere(mask.voxels).tolist() == [[4, 2, 1]]
    moved = np.eye(4)
    moved[0, 3] = 1
    assert images.replaced(Scan(before, np.eye(4)), Scan(after, moved)) is None
    assert images.replaced(Scan(before, np.eye(4)), Scan(after[:5], np.eye(4))) is None


def test_a_coarse_scan_has_means_of_blocks_in_their_middle():
    voxels = np.arange(5 * 4 * 4, dtype=np.int16).reshape(5, 4, 4)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = 10, 20, 30
    small = images.coarse(Scan(voxels, affine))
    assert small.shape == (2, 2, 2)
    np.testing.assert_allclose(small.voxels[0, 0, 0], voxels[:2, :2, :2].mean())
    np.testing.assert_allclose(small.voxels[1, 0, 1], voxels[2:4, :2, 2:].mean())
    np.testing.assert_allclose(small.affine[:3, 3], (10.5, 20.5, 30.5))
    np.testing.assert_allclose(np.diag(small.affine), (2, 2, 2, 1))
    wide = Scan(voxels, np.diag([2.0, 2.5, 3.0, 1.0]))
    assert images.coarse(wide) is wide
    series = images.coarse(Scan(np.stack([voxels, 0 * voxels], axis=-1), affine))
    np.testing.assert_array_equal(series.voxels, small.voxels)
