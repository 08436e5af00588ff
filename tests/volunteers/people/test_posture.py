import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.head.template import load_template
from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.posture import SUPINE_MM, bend_neck, supine

MODEL = HeadModel.load()
UPRIGHT = MODEL.points(expression=MODEL.closed_eyes)


def shift(**settings):
    lying = supine(UPRIGHT, **settings)
    return MODEL.outer_skin(lying) - MODEL.outer_skin(UPRIGHT)


def test_soft_parts_fall_back_and_the_bony_midline_stays():
    template = load_template()
    moved = shift(amount=2.5)
    size = np.linalg.norm(moved, axis=1)
    for name in ("glabella", "nasion", "pronasale", "subnasale", "pogonion", "menton", "vertex",
                 "preauricular_left", "pupil_right", "zygion_right"):  # fmt: skip
        assert size[template.landmark_index[name]] < 0.2, name
    cheeks = template.region("cheeks")
    # Aesthetic Plast Surg 2022, 46:2237: means of about 1 mm in the cheek and the jaw.
    assert 0.7 < size[cheeks].mean() < 1.6
    corner = moved[template.landmark_index["cheilion_right"]]
    assert corner[0] > 0.5
    assert corner[1] < 0
    assert moved[cheeks][:, 1].mean() < -0.3
    assert moved[cheeks][:, 2].mean() > 0.2


def test_the_largest_shift_is_the_amount():
    lying = supine(UPRIGHT, 2.0, age=50, weight=0.5)
    assert np.linalg.norm(lying - UPRIGHT, axis=1).max() == pytest.approx(2.0, abs=1e-3)
    assert np.array_equal(supine(UPRIGHT, 0.0), UPRIGHT)
    assert SUPINE_MM == 2.5


def test_the_old_and_the_heavy_move_more_and_both_sides_alike():
    base = np.linalg.norm(shift(age=50, weight=0.5), axis=1).mean()
    assert np.linalg.norm(shift(age=80, weight=0.5), axis=1).mean() == pytest.approx(1.36 * base)
    assert np.linalg.norm(shift(age=50, weight=0.75), axis=1).mean() == pytest.approx(1.2 * base)
    mirrored = shift()[load_template().mirror] * [-1, 1, 1]
    assert np.allclose(mirrored, shift(), atol=0.02)


def test_eyes_and_teeth_stay_and_other_points_are_refused():
    lying = supine(UPRIGHT)
    inner = MODEL.parts >= 2
    assert np.array_equal(lying[inner], UPRIGHT[inner])
    with pytest.raises(FaceblindError, match="coarse points"):
        supine(UPRIGHT[:100])


def test_a_tipped_head_keeps_its_face_and_swings_its_neck_the_other_way():
    template = load_template()
    skin = template.points.astype(float)
    bent = bend_neck(skin, 25.0)
    face = template.region("face", "nose", "eyes", "brow", "mouth", "scalp")
    high = face & (skin[:, 2] > -60) & (skin[:, 1] > 0)
    assert np.linalg.norm(bent - skin, axis=1)[high].max() < 1.0
    assert bent[template.landmark_index["menton"]] == pytest.approx(
        skin[template.landmark_index["menton"]], abs=0.5
    )
    rim = skin[:, 2] < -125
    assert (bent[rim, 1] - skin[rim, 1]).mean() < -10
    assert (bend_neck(skin, -25.0)[rim, 1] - skin[rim, 1]).mean() > 10
    assert bend_neck(skin, 0.0) == pytest.approx(skin, abs=1e-4)
