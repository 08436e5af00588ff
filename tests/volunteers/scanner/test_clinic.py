from dataclasses import replace

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.volunteers.people.shape import draw
from faceblind.volunteers.presets import preset
from faceblind.volunteers.scanner.clinic import ClinicSettings, Traits, draw_traits

ELDERLY = preset("head_neck_array_elderly")
PEOPLE = [draw(4, index, ELDERLY.people) for index in range(200)]


def traits(settings):
    return [draw_traits(person, settings) for person in PEOPLE]


def test_nobody_has_anything_by_default():
    assert draw_traits(PEOPLE[0], None) == Traits()
    assert {t.chin_snr for t in traits(ClinicSettings())} == {None}
    assert {(t.coil_ratio, t.pitch_deg, t.shoulders_mm, t.edentulous, t.metal_mm)
            for t in traits(ClinicSettings())} == {(0.0, 0.0, 0.0, 0.0, 0.0)}  # fmt: skip


def test_shares_and_ranges_are_met():
    settings = ELDERLY.scanner.clinic
    drawn = traits(settings)
    assert drawn == traits(settings)
    low, high = settings.coil_ratio
    ratios = np.array([t.coil_ratio for t in drawn])
    assert low <= ratios.min() < low + 0.5
    assert high - 0.5 < ratios.max() <= high
    snr = np.array([t.chin_snr for t in drawn])
    assert 1 <= snr.min() < 1.1
    assert 2.8 < snr.max() <= 3
    tipped = np.array([t.pitch_deg for t in drawn if t.pitch_deg])
    assert len(tipped) / len(drawn) == pytest.approx(settings.kyphosis, abs=0.1)
    assert ((np.abs(tipped) >= 20) & (np.abs(tipped) <= 30)).all()
    assert (tipped > 0).mean() == pytest.approx(2 / 3, abs=0.15)
    assert np.mean([t.shoulders_mm > 0 for t in drawn]) == pytest.approx(
        settings.shoulders, abs=0.1
    )
    assert np.mean([t.edentulous > 0 for t in drawn]) == pytest.approx(0.3, abs=0.1)


def test_a_share_moves_nothing_but_its_own():
    settings = ELDERLY.scanner.clinic
    for before, after in zip(
        traits(settings), traits(replace(settings, edentulous=1.0)), strict=True
    ):
        assert after.edentulous > 0
        assert replace(after, edentulous=before.edentulous) == before


def test_a_mouth_without_teeth_rolls_in_the_lips_and_puts_the_jaw_forward():
    assert Traits().expression == {}
    weights = Traits(edentulous=0.5).expression
    assert weights == {"mouthRollUpper": 0.45, "mouthRollLower": 0.35, "jawForward": 0.4}


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"coil_ratio": (0, 13)}, "coil_ratio"), ({"chin_snr": (3.0, 1.0)}, "must rise"),
     ({"resample_mm": 5}, "resample_mm"), ({"kyphosis": 1.5}, "kyphosis")],
)  # fmt: skip
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(FaceblindError, match=message):
        ClinicSettings(**changes)
