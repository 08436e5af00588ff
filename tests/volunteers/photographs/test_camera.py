import json
from dataclasses import asdict, fields

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.shape import generator
from faceblind.volunteers.photographs.camera import VIEWS, CameraSettings, draw_shots


def shots(**changed):
    return draw_shots(generator(3, 1, 1), CameraSettings(**changed))


def test_wild_moves_every_field_but_sizes_and_starts_at_the_default():
    assert CameraSettings.wild(0) == CameraSettings()
    plain, wild = CameraSettings(), CameraSettings.wild()
    same = {f.name for f in fields(plain) if getattr(plain, f.name) == getattr(wild, f.name)}
    assert same == {"width", "height", "supersampling", "stubble", "moustache"}
    half = CameraSettings.wild(0.5)
    assert half.glasses == pytest.approx((plain.glasses + wild.glasses) / 2)
    assert all(isinstance(q, int) for q in half.jpeg_quality)


def test_settings_go_through_json():
    told = json.loads(json.dumps(asdict(CameraSettings.wild(0.7))))
    told = {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
    assert CameraSettings(**told) == CameraSettings.wild(0.7)


def test_impossible_settings_are_refused_in_one_line():
    with pytest.raises(FaceblindError, match=r"camera: blur must rise, got \(2.0, 1.0\)"):
        CameraSettings(blur=(2.0, 1.0))
    with pytest.raises(FaceblindError, match=r"0.1 m"):
        CameraSettings(distance_m=(0.1, 1.0))


def test_nothing_asked_nothing_drawn():
    still = shots(
        yaw_sd=0, pitch_sd=0, roll_sd=0, expression=0, smile=0, blink=0, exposure_sd=0,
        contrast_sd=0, white_balance_sd=0, motion=0,
    )  # fmt: skip
    for view, shot in still.items():
        assert shot.pose == pytest.approx([*VIEWS[view], 0])
        assert set(shot.expression.values()) == {0.0}
        assert shot.exposure == pytest.approx(np.ones(3))
        assert shot.contrast == 1
        assert shot.motion == 0


def test_a_knob_leaves_the_other_draws_alone():
    plain, smiling = shots(smile=0), shots(smile=1)
    for view in VIEWS:
        one, other = plain[view], smiling[view]
        assert other.expression["mouthSmileLeft"] > one.expression["mouthSmileLeft"] + 0.2
        assert np.array_equal(one.pose, other.pose)
        assert np.array_equal(one.exposure, other.exposure)
        assert np.array_equal(one.lamp.key, other.lamp.key)


def test_expressions_exist_and_stay_in_range():
    known = set(HeadModel.load().expressions)
    for shot in shots(expression=3.0, smile=1, blink=1).values():
        assert set(shot.expression) <= known
        assert all(0 <= value <= 1 for value in shot.expression.values())
        assert shot.expression["eyeBlinkLeft"] > 0.3


def test_light_stays_or_changes():
    lamps = [shot.lamp for shot in shots(light_change=0).values()]
    assert all(lamp is lamps[0] for lamp in lamps)
    assert len({id(shot.lamp) for shot in shots(light_change=1).values()}) == 5
    side = [shot.lamp.key[0] for shot in shots(light_change=1, light_angle=60).values()]
    front = [shot.lamp.key[0] for shot in shots(light_change=1, light_angle=5).values()]
    assert np.abs(side).mean() > 4 * np.abs(front).mean()


def test_distances_and_poses_keep_their_limits():
    drawn = [s for n in range(20) for s in draw_shots(generator(n, 0, 1), CameraSettings.wild())
             .values()]  # fmt: skip
    low, high = CameraSettings.wild().distance_m
    assert all(1000 * low <= s.distance <= 1000 * high for s in drawn)
    assert max(abs(s.pose[0]) for s in drawn) <= 43
    assert max(abs(s.pose[1]) for s in drawn) <= 25
