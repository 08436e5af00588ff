from dataclasses import replace

import numpy as np
import pytest

from faceblind.head.template import load_template
from faceblind.volunteers.scanner.clinic import ClinicSettings
from faceblind.volunteers.scanner.field_of_view import head_pose, place, tipped, turn
from faceblind.volunteers.scanner.protocols import PROTOCOLS
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.susceptibility import dephasing, field_slopes

WHOLE = ScannerSettings(vertex_cut=0, ears_cut=0, chin_cut=0, nose_cut=0, wrap=0)


def placed(name, settings, seed=0):
    template = load_template()
    return place(
        PROTOCOLS[name], settings, template.points.astype(float), template.landmarks, np.eye(3),
        np.random.default_rng(seed),
    )  # fmt: skip


def inside(view, landmark):
    point = load_template().landmarks[landmark]
    index = np.linalg.inv(view.affine)[:3] @ [*point, 1]
    return bool(((index >= -0.5) & (index <= np.array(view.shape) - 0.5)).all())


def test_turns():
    assert turn(0, 10, 0) @ [0, 1, 0] == pytest.approx(
        [0, np.cos(np.deg2rad(10)), np.sin(np.deg2rad(10))]
    )
    assert np.linalg.det(turn(10, -5, 3)) == pytest.approx(1)
    still = replace(WHOLE, tilt_sd=0)
    pose = head_pose(np.random.default_rng(0), still, load_template().points.astype(float))
    assert pose[:3, :3] == pytest.approx(turn(0, -3, 0))


@pytest.mark.parametrize("name", ["T1w", "T2w", "FLAIR", "CT"])
def test_nothing_is_cut_unless_asked(name):
    for seed in range(8):
        view = placed(name, WHOLE, seed)
        for landmark in ("pronasale", "vertex", "menton", "preauricular_left"):
            assert inside(view, landmark), (landmark, seed)
        assert view.wrapped == 0
        assert view.parts == 1
        assert np.array_equal(view.affine, view.fine_affine)


@pytest.mark.parametrize(
    ("knob", "landmark"),
    [("vertex_cut", "vertex"), ("chin_cut", "menton"), ("nose_cut", "pronasale")],
)
def test_each_cut_takes_its_part_and_no_other(knob, landmark):
    for seed in range(8):
        view = placed("T1w", replace(WHOLE, **{knob: 1.0}), seed)
        assert not inside(view, landmark)
        for other in {"vertex", "menton", "pronasale"} - {landmark}:
            assert inside(view, other)


def test_cut_ears_narrow_the_slab():
    width = np.ptp(load_template().points[:, 0])
    view = placed("T1w", replace(WHOLE, ears_cut=1.0))
    assert width - 30 < view.shape[0] < width - 8
    assert placed("T1w", WHOLE).shape[0] > width
    assert placed("CT", replace(WHOLE, ears_cut=1.0)).shape == placed("CT", WHOLE).shape


def test_probabilities_are_met():
    cuts = [
        not inside(placed("T1w", replace(WHOLE, vertex_cut=0.3), s), "vertex") for s in range(300)
    ]
    assert 0.22 < np.mean(cuts) < 0.38


def test_wrapping_leaves_the_nose_outside_and_adds_rows():
    view = placed("T1w", replace(WHOLE, wrap=1.0))
    assert 4 <= view.wrapped <= 18
    assert not inside(view, "pronasale")
    assert view.fine_shape[1] == view.shape[1] + view.wrapped
    assert placed("CT", replace(WHOLE, wrap=1.0)).wrapped == 0


def test_slices_have_a_profile_and_a_gap():
    view = placed("axFLAIR", WHOLE)
    assert view.parts == 5
    assert view.fine_shape[2] == view.parts * view.shape[2]
    assert view.profile.sum() == pytest.approx(1)
    assert view.profile[0] < 0.6 * view.profile[2]
    # Fine slices lie evenly about the middle of each thick one.
    centre = view.fine_affine[:3] @ [0, 0, (view.parts - 1) / 2, 1]
    assert centre == pytest.approx(view.affine[:3] @ [0, 0, 0, 1])
    assert inside(view, "vertex")


def test_air_bends_the_field_only_nearby():
    air = np.zeros((90, 90, 90), bool)
    grid = np.indices(air.shape) - 45
    air[(grid**2).sum(axis=0) < 10**2] = True
    slopes = field_slopes(air)
    assert slopes.shape == (30, 30, 30)
    assert slopes[15, 15, 19] > 20
    assert slopes[15, 15, 28] < 0.2 * slopes[15, 15, 19]


def test_dephasing_takes_gradient_echoes_only():
    off = replace(WHOLE, dropout=0.0)
    steps = dephasing(PROTOCOLS["T2star"], WHOLE, 3.0)
    assert steps[0] == 1
    assert (np.diff(steps) <= 1e-6).all()
    assert steps[120] < 0.2
    assert dephasing(PROTOCOLS["T1w"], WHOLE, 1.0)[120] > 0.95
    for other in (
        dephasing(PROTOCOLS["T2w"], WHOLE, 1.0), dephasing(PROTOCOLS["CT"], WHOLE, 1.0),
        dephasing(PROTOCOLS["T2star"], off, 3.0),
    ):  # fmt: skip
        assert (other == 1).all()


def test_a_tipped_head_turns_about_its_middle():
    pose = head_pose(
        np.random.default_rng(0), replace(WHOLE, tilt_sd=0), load_template().points.astype(float)
    )
    assert tipped(pose, 0.0) is pose
    up = tipped(pose, 25.0)
    assert up[:3, :3] == pytest.approx(turn(0, 22, 0))
    middle = np.array([0, 0, 10, 1])
    assert up @ middle == pytest.approx(pose @ middle)
    nose = [*load_template().landmarks["pronasale"], 1]
    assert (up @ nose)[2] > (pose @ nose)[2] + 30


def test_clinical_fields_are_roomy_and_reach_down_to_the_trunk():
    settings = replace(WHOLE, clinic=ClinicSettings(slices_end=1.0))
    template = load_template()

    def laid(name, trunk_mm):
        return place(PROTOCOLS[name], settings, template.points.astype(float), template.landmarks,
                     np.eye(3), np.random.default_rng(1), trunk_mm)  # fmt: skip

    plain = laid("T1w", 0.0)
    assert plain.shape[0] >= 200
    assert plain.shape[1] >= 256
    bottom = template.points[:, 2].min()
    assert plain.affine[2, 3] > bottom
    assert bottom - 52 < laid("T1w", 50.0).affine[2, 3] < bottom - 30
    view = laid("axFLAIR", 0.0)
    assert inside(view, "pronasale")
    assert not inside(view, "menton")
