import numpy as np
import pytest
from scipy import ndimage

from faceblind.errors import FaceblindError
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.protocols import PROTOCOLS
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import scan_session, simulate
from faceblind.volunteers.scanner.warping import spline

PERSON = sample_person(11, 2)


@pytest.fixture(scope="module")
def truth(coarse):
    return simulate(PERSON, coarse)


@pytest.fixture(scope="module")
def session(coarse):
    return scan_session(PERSON, tuple(PROTOCOLS), coarse)


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
    assert not (truth.ears & (truth.face | truth.brain)).any()
    assert not (truth.fluid & (truth.face | truth.ears | truth.brain)).any()
    assert 20_000 < truth.fluid.sum() * 27 < 250_000
    assert ndimage.distance_transform_edt(~truth.brain, 3.0)[truth.fluid].max() < 25
    assert 8_000 < truth.ears.sum() * 27 < 100_000
    x = truth.scan.world(np.argwhere(truth.ears))[:, 0]
    assert (x > 0).any()
    assert (x < 0).any()
    assert truth.face.sum() * 27 > 200_000
    gap = ndimage.distance_transform_edt(~truth.brain, 3.0)[truth.face]
    assert gap.min() >= 3


def test_landmarks_lie_on_the_skin():
    person = sample_person(11, 5)
    settings = ScannerSettings(spacing_mm=1.5, noise=0.0, shading=0.0, dropout=0.0, dental=0.0)
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
    assert spline(source, target, probe) == pytest.approx(probe @ matrix.T + [3, -2, 9], abs=1e-6)
    bent = target + rng.normal(0, 2, target.shape)
    assert np.abs(spline(source, bent, source) - bent).max() < 2.0


def test_a_session_knows_how_the_head_moved(session):
    first = session["T1w"]
    assert np.array_equal(first.to_first, np.eye(4))
    for name, truth in session.items():
        assert truth.protocol is PROTOCOLS[name]
        moved = truth.pose @ np.linalg.inv(first.pose)
        assert truth.to_first @ moved == pytest.approx(np.eye(4), abs=1e-9)
        home = truth.to_first[:3, :3] @ truth.landmarks["nasion"] + truth.to_first[:3, 3]
        assert home == pytest.approx(first.landmarks["nasion"], abs=1e-6)
        if name != "T1w":
            away = np.linalg.norm(truth.landmarks["nasion"] - first.landmarks["nasion"])
            assert 0.05 < away < 12
        # The true brain of every series is where its pose says.
        centre = truth.scan.world(np.argwhere(truth.brain)).mean(axis=0)
        back = truth.to_first[:3, :3] @ centre + truth.to_first[:3, 3]
        there = first.scan.world(np.argwhere(first.brain)).mean(axis=0)
        assert np.linalg.norm(back - there) < 8
        assert (truth.brain & truth.face).sum() == 0


def test_a_series_does_not_depend_on_the_others(session, coarse):
    pair = scan_session(PERSON, ("T1w", "FLAIR"), coarse)
    assert np.array_equal(pair["FLAIR"].scan.voxels, session["FLAIR"].scan.voxels)
    assert np.array_equal(pair["T1w"].scan.voxels, simulate(PERSON, coarse).scan.voxels)


def test_slices_and_gaps(session):
    scan = session["axFLAIR"].scan.canonical()
    assert scan.spacing == pytest.approx([3, 3, 6])
    assert scan.shape[2] < 40
    # They follow the head: the line of the commissures, 8 degrees up, plus or minus some.
    normal = scan.affine[:3, 2] / 6
    pose = session["axFLAIR"].pose[:3, :3]
    assert np.rad2deg(np.arcsin(-normal @ pose[:, 1])) == pytest.approx(8, abs=10)


def test_brightness_of_tissues(session):
    def mean(name, mask):
        return session[name].scan.volume()[mask].astype(float).mean()

    flair, t2 = session["FLAIR"], session["T2w"]
    assert mean("FLAIR", flair.brain) > 1.5 * mean("FLAIR", flair.face)
    assert mean("T2w", t2.brain) > 1.5 * mean("T2w", t2.face)
    ct = session["CT"]
    volume = ct.scan.volume()
    assert volume.min() == -1024
    assert volume.max() > 1000
    assert 10 < np.median(volume[ct.brain]) < 45
    assert np.percentile(volume[ct.face], 20) < 60


def test_unknown_protocols_are_refused():
    with pytest.raises(FaceblindError, match="T9w: no such protocol"):
        scan_session(PERSON, ("T9w",))
