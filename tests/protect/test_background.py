"""New air in windows of CT, beside tables and padding."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

import faceblind
from faceblind.protect.air_model import measure_air
from faceblind.protect.deface import deface
from faceblind.protect.reface import reface
from faceblind.scan import Scan


@pytest.fixture(scope="module")
def fit(phantom):
    """The phantom's cut. What surrounds the head does not move it, and costs seconds to search."""
    made = phantom(seed=1)
    return deface(made.scan, head=made.head).region.fit


def with_voxels(made, voxels) -> Scan:
    return replace(made.scan, voxels=np.asfortranarray(voxels))


def hounsfield(made):
    """Air of -1000 with noise, brain near 100."""
    return (made.scan.voxels.astype(np.float32) - 100.0) * 2.2 - 1000.0


def table_of(made):
    """A rest at both sides and the back: most of what lies far from the head."""
    out = np.zeros(made.scan.shape, bool)
    out[:5] = out[-5:] = out[:, :5] = True
    out[:, -12:] = False
    return out & (made.scan.voxels < 250)


@pytest.mark.parametrize("protect", [deface, reface])
@pytest.mark.parametrize(("low", "high", "kind"), [(0, 80, np.uint8), (-100, 300, np.int16)])
def test_air_of_a_ct_window_stays_dark_beside_a_bright_table(phantom, protect, low, high, kind):
    made = phantom(seed=1)
    values = np.where(table_of(made), high, np.clip(hounsfield(made), low, high))
    scan = with_voxels(made, values.astype(kind))
    done = protect(scan, head=made.head)
    rest = done.region.mask & table_of(made)
    assert rest.sum() > 5000
    assert (done.scan.voxels[rest] == low).mean() > 0.99
    if protect is deface:
        assert (done.scan.voxels[done.region.mask] == low).all()


@pytest.mark.parametrize("level", [-940.0, 300.0])
def test_a_rest_that_surrounds_the_head_is_no_air(phantom, fit, level):
    made = phantom(seed=1)
    rng = np.random.default_rng(0)
    values = hounsfield(made)
    rest = table_of(made)
    values[rest] = level + rng.normal(0, 26, int(rest.sum()))
    scan = with_voxels(made, np.rint(values).astype(np.int16))
    done = deface(scan, head=made.head, fit=fit)
    new = done.scan.voxels[done.region.mask]
    assert np.median(new) == pytest.approx(-1000, abs=5)
    assert np.quantile(new, 0.99) < -930
    assert new.std() == pytest.approx(12 * 2.2, rel=0.1)


def boxed(made, fill):
    """The scan, acquired in an oblique box only, and where it was not."""
    i, j, k = np.indices(made.scan.shape)
    top = made.scan.shape
    outside = (0.3 * i + j > top[1] + 12) | (k - 0.2 * j > top[2] - 22) | (i < 4)
    values = made.scan.voxels.astype(np.float32) - 75.0
    return np.where(outside, fill, np.maximum(values, 0.0)), outside


@pytest.mark.parametrize("fill", [0, -50, 25, 2000])
def test_padding_stays_and_noise_goes_on_as_noise(phantom, fit, fill):
    made = phantom(seed=1)
    values, outside = boxed(made, fill)
    scan = with_voxels(made, np.rint(values).astype(np.int16))
    done = deface(scan, head=made.head, fit=fit)
    padding = done.region.mask & outside
    assert padding.sum() > 10_000
    assert (done.scan.voxels[padding] == fill).mean() > 0.999
    new = done.scan.voxels[done.region.mask & ~outside]
    assert np.median(new) == pytest.approx(25, abs=1)
    assert new.std() == pytest.approx(12, rel=0.1)
    assert (new == fill).mean() < 0.06


def test_padding_of_nan_stays_nan(phantom, fit, tmp_path):
    made = phantom(seed=1)
    values, outside = boxed(made, np.nan)
    image = nib.Nifti1Image(values.astype(np.float32), made.scan.affine)
    nib.save(image, tmp_path / "scan.nii.gz")
    done = deface(faceblind.load(tmp_path / "scan.nii.gz"), head=made.head, fit=fit)
    faceblind.save(done.scan, tmp_path / "out.nii.gz")
    new = np.asanyarray(nib.load(tmp_path / "out.nii.gz").dataobj)
    assert np.isnan(new[outside]).mean() > 0.999
    assert not np.isnan(new[~outside]).any()


def test_air_wiped_in_patches_stays_wiped(phantom, fit):
    """Noise is left in a third of the air, in patches, as by a threshold of a scanner's."""
    made = phantom(seed=1)
    rng = np.random.default_rng(5)
    patches = np.kron(rng.random((20, 20, 20)) < 0.3, np.ones((8, 8, 8), bool))
    shape = made.scan.shape
    patches = patches[: shape[0], : shape[1], : shape[2]]
    values = np.where((made.scan.voxels > 160) | patches, made.scan.voxels, 0)
    done = deface(with_voxels(made, values.astype(np.int16)), head=made.head, fit=fit)
    assert not done.scan.voxels[done.region.mask].any()


def test_a_rim_of_noise_around_the_head_does_not_shape_the_new_air(phantom, fit):
    """Wiped by a mask a little wider than the head: noise in its place would draw the face."""
    made = phantom(seed=1)
    rim = made.scan.voxels > 160
    for axis in range(3):
        for step in (-2, -1, 1, 2):
            rim |= np.roll(rim, step, axis)
    values = np.where(rim, made.scan.voxels, 0).astype(np.int16)
    done = deface(with_voxels(made, values), head=made.head, fit=fit)
    assert not done.scan.voxels[done.region.mask].any()


def test_noise_of_any_value_is_one_group():
    """The uniform combination of an MP2RAGE, in which no value stands out."""
    rng = np.random.default_rng(6)
    volume = rng.integers(0, 4096, (60, 60, 60)).astype(np.int16)
    clear = np.ones(volume.shape, bool)
    near = tuple(rng.integers(0, 60, (3, 8000)))
    air = measure_air(volume, clear, near)
    assert air.level == pytest.approx(2048, abs=30)
    assert air.sample.std() == pytest.approx(4096 / np.sqrt(12), rel=0.02)


def test_air_is_taken_beside_the_head_where_only_a_table_lies_further_out():
    rng = np.random.default_rng(7)
    volume = rng.normal(-1000, 12, (60, 60, 60)).astype(np.float32)
    volume[:, :20] += 700
    clear = np.zeros(volume.shape, bool)
    clear[:, :18] = True
    near = tuple(rng.integers([0, 22, 0], 60, (8000, 3)).T)
    air = measure_air(volume, clear, near)
    assert air.level == pytest.approx(-1000, abs=1)
    assert air.sample.max() < -930
