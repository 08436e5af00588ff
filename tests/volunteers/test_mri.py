import numpy as np
import pytest
from scipy import ndimage

from faceblind.volunteers.anatomy import Tissue, load_anatomy
from faceblind.volunteers.mri import (
    RELAXATION,
    ScannerSettings,
    _spline,
    inversion_echo,
    simulate,
    tissue_signals,
)
from faceblind.volunteers.shape import sample_person

PERSON = sample_person(11, 2)


@pytest.fixture(scope="module")
def truth(coarse):
    return simulate(PERSON, coarse)


def test_the_signal_equation():
    settings = ScannerSettings(tr_ms=2000, ti_ms=900, te_ms=3)
    # A null at TI = T1 ln 2 for a long TR.
    slow = ScannerSettings(tr_ms=1e9, ti_ms=1000 * np.log(2), te_ms=0)
    assert inversion_echo(1, 1000, 50, slow) == pytest.approx(0, abs=1e-12)
    expected = 0.8 * abs(1 - 2 * np.exp(-0.9) + np.exp(-2)) * np.exp(-3 / 50)
    assert inversion_echo(0.8, 1000, 50, settings) == pytest.approx(expected)


def test_tissues_are_ordered_as_in_a_t1_weighted_picture():
    signal = dict(zip(Tissue, tissue_signals(ScannerSettings()), strict=True))
    assert signal[Tissue.FAT] > signal[Tissue.WHITE] > signal[Tissue.GREY] > signal[Tissue.CSF]
    assert signal[Tissue.WHITE] == 1
    assert 0.5 < signal[Tissue.GREY] < 0.8
    assert signal[Tissue.BONE] < 0.15
    assert signal[Tissue.AIR] == 0
    assert set(RELAXATION) == set(Tissue)


def test_the_map_is_nested_and_symmetric():
    anatomy = load_anatomy()
    total = anatomy.fractions.astype(int).sum(axis=0)
    assert np.abs(total - 255).max() < 60
    assert abs(np.median(total) - 255) <= 3
    assert not ((anatomy.brain > 0.5) & (anatomy.face > 0.5)).any()
    volume = (anatomy.brain > 0.5).sum() * 1.5**3 / 1e6
    assert 0.9 < volume < 1.6
    # Skull all round: a brain grown by 3 mm does not reach the skin.
    grown = ndimage.binary_dilation(anatomy.brain > 0.5, iterations=2)
    assert not (grown & (anatomy.fractions[Tissue.SKIN] > 128)).any()
    for tissue in (Tissue.GREY, Tissue.WHITE, Tissue.VITREOUS, Tissue.MARROW):
        assert (anatomy.fractions[tissue] > 128).any(), tissue
    assert ndimage.label(anatomy.fractions[Tissue.VITREOUS] > 128)[1] == 2


def test_same_person_same_voxels_other_person_others(truth, coarse):
    again = simulate(PERSON, coarse)
    assert np.array_equal(truth.scan.voxels, again.scan.voxels)
    assert np.array_equal(truth.scan.affine, again.scan.affine)
    other = simulate(sample_person(11, 3), coarse)
    assert not np.allclose(other.pose, truth.pose)


def test_scan_is_plausible(truth):
    assert truth.scan.voxels.dtype == np.int16
    assert truth.scan.spacing == pytest.approx([3, 3, 3])
    assert abs(np.linalg.det(truth.pose[:3, :3]) - 1) < 1e-12
    field = truth.scan.volume().astype(float)
    corner = np.median(field[:6, :6, :6])
    brain = field[truth.brain].mean()
    assert brain > 6 * corner
    assert 0.7 < truth.brain.sum() * 27 / 1e6 < 1.7


def test_masks_are_disjoint_and_in_the_head(truth):
    assert not (truth.brain & truth.face).any()
    assert truth.face.sum() * 27 > 200_000
    gap = ndimage.distance_transform_edt(~truth.brain, 3.0)[truth.face]
    assert gap.min() >= 3


def test_landmarks_lie_on_the_skin():
    person = sample_person(11, 5)
    settings = ScannerSettings(spacing_mm=1.5, noise=0.0, shading=0.0)
    truth = simulate(person, settings)
    inside = truth.scan.volume() > 0.12 * np.percentile(truth.scan.volume(), 98)
    closed = ndimage.binary_fill_holes(inside)
    away = np.where(
        closed,
        ndimage.distance_transform_edt(closed, 1.5),
        ndimage.distance_transform_edt(~closed, 1.5),
    )
    for name in ("pronasale", "glabella", "pupil_left", "pupil_right", "labiale_superius"):
        i, j, k = np.rint(truth.scan.index(truth.landmarks[name][None])[0]).astype(int)
        assert away[i, j, k] < 3.0, name
    # The person's right lies towards +x of the scan.
    assert truth.landmarks["pupil_right"][0] > truth.landmarks["pupil_left"][0] + 40


def test_the_warp_takes_control_points_home_and_keeps_affine_maps():
    rng = np.random.default_rng(0)
    source = rng.uniform(-80, 80, (40, 3))
    matrix = np.eye(3) + rng.normal(0, 0.1, (3, 3))
    target = source @ matrix.T + [3, -2, 9]
    probe = rng.uniform(-60, 60, (10, 3))
    assert _spline(source, target, probe) == pytest.approx(probe @ matrix.T + [3, -2, 9], abs=1e-6)
    bent = target + rng.normal(0, 2, target.shape)
    assert np.abs(_spline(source, bent, source) - bent).max() < 2.0
