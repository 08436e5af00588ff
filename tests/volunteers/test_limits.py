import json
from dataclasses import asdict

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.volunteers.people.shape import PeopleSettings
from faceblind.volunteers.photographs.camera import CameraSettings
from faceblind.volunteers.presets import Preset
from faceblind.volunteers.scanner.settings import ScannerSettings

NAN = float("nan")


@pytest.mark.parametrize(
    ("kind", "setting", "words"),
    [
        (ScannerSettings, {"noise": -0.1}, "scanner: noise must be a number from 0 to 0.3"),
        (ScannerSettings, {"blur": NAN}, "scanner: blur must be a number from 0 to 4, got nan"),
        (ScannerSettings, {"dental": 30}, "scanner: dental must be a number from 0 to 1, got 30"),
        (ScannerSettings, {"spacing_mm": 0}, "scanner: spacing_mm must be a number from 0.4 to 8"),
        (ScannerSettings, {"spacing_mm": -2}, "scanner: spacing_mm must be"),
        (ScannerSettings, {"tilt_sd": "5"}, "scanner: tilt_sd must be a number"),
        (CameraSettings, {"noise": NAN}, "camera: noise must be a number"),
        (CameraSettings, {"glasses": 45}, "camera: glasses must be a number from 0 to 1"),
        (CameraSettings, {"width": 480.5}, "camera: width must be a whole number"),
        (CameraSettings, {"jpeg_quality": (0, 90)}, "camera: jpeg_quality must be two numbers"),
        (CameraSettings, {"blur": 0.5}, "camera: blur must be two numbers from 0 to 50, got 0.5"),
        (CameraSettings, {"blur": (0.1, 0.2, 0.3)}, "camera: blur must be two numbers"),
        (CameraSettings, {"face_px": (NAN, 90)}, "camera: face_px must be two numbers"),
        (CameraSettings, {"hardness": True}, "camera: hardness must be a number"),
        (PeopleSettings, {"ages": (60, 50)}, r"people: ages must rise, got \(60, 50\)"),
        (PeopleSettings, {"ages": (NAN, 50)}, "people: ages must be two numbers from 3 to 100"),
        (PeopleSettings, {"ages": 40}, "people: ages must be two numbers"),
        (PeopleSettings, {"gap_months": (0, float("inf"))}, "people: gap_months must be"),
    ],
)
def test_settings_out_of_range_are_refused_in_one_line(kind, setting, words):
    with pytest.raises(FaceblindError, match=words) as caught:
        kind(**setting)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [ScannerSettings, CameraSettings, PeopleSettings])
@pytest.mark.parametrize("wrong", [NAN, None, "many"])
def test_every_setting_has_limits(kind, wrong):
    for name in asdict(kind()):
        if name != "spacing_mm" and not (name == "clinic" and wrong is None):
            with pytest.raises(FaceblindError, match=name):
                kind(**{name: wrong})


def test_photographs_show_nobody_younger_than_the_youngest_possible():
    PeopleSettings(ages=(5, 17), gap_months=(-24, 0))
    with pytest.raises(FaceblindError, match="people of 2 to 17 years; 3 to 120 are possible"):
        PeopleSettings(ages=(5, 17), gap_months=(-36, 0))
    with pytest.raises(FaceblindError, match="other ages or a shorter gap"):
        PeopleSettings(ages=(34, 89), gap_months=(0, 480))


@pytest.mark.parametrize("strength", [-0.1, 1.5, NAN])
def test_the_wild_is_not_wilder_than_it_can_be(strength):
    with pytest.raises(FaceblindError, match=r"strength must be from 0 to 1\.1"):
        CameraSettings.wild(strength)
    assert CameraSettings.wild(1.1).face_px[0] > 20


def test_numbers_of_numpy_are_numbers():
    ages = tuple(np.array([20, 30]))
    plain = Preset("a", "1", "", people=PeopleSettings(ages=(20, 30)))
    other = Preset("a", "1", "", people=PeopleSettings(ages=ages))
    assert other.settings() == plain.settings()
    assert json.loads(json.dumps(other.settings()))["people"]["ages"] == [20, 30]
