import pytest

from faceblind.volunteers.presets import PRESETS, preset

FROZEN = {"plain": "fa1511406caf", "article": "0894903eb4e7"}


@pytest.mark.parametrize("name", FROZEN)
def test_settings_that_came_later_leave_published_cohorts_as_they_were(name):
    chosen = preset(name)
    assert (chosen.version, chosen.fingerprint) == ("1", FROZEN[name])
    assert "clinic" not in chosen.settings()["scanner"]
    assert "loose_neck" not in chosen.settings()["people"]


def test_the_clinical_presets_differ_and_name_their_settings():
    names = ("head_neck_array_elderly", "head_neck_array_elderly_normalised", "surface_array",
             "mp2rage", "jaw_metal")  # fmt: skip
    assert set(names) < set(PRESETS)
    marks = {preset(name).fingerprint for name in PRESETS}
    assert len(marks) == len(PRESETS)
    first, twin = (preset(name).settings() for name in names[:2])
    assert first["people"]["ages"] == [60, 90]
    assert twin["scanner"]["clinic"].pop("normalised")
    assert not first["scanner"]["clinic"].pop("normalised")
    assert first == twin
