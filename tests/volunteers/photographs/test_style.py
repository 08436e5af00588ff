import numpy as np
import pytest

from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.photographs.camera import CameraSettings
from faceblind.volunteers.photographs.style import draw_style

NONE = CameraSettings(
    texture=0, stubble=0, beard=0, moustache=0, make_up=0, hair_cover=0, glasses=0,
    head_covering=0,
)  # fmt: skip
ALL = CameraSettings(
    beard=1, moustache=1, make_up=1, hair_cover=1, glasses=1, head_covering=1, texture=2
)


@pytest.fixture(scope="module")
def people():
    return [sample_person(4, index) for index in range(40)]


def test_off_means_none(people):
    for person in people:
        style = draw_style(person, NONE)
        assert style.glasses is style.make_up is style.beard is style.covering is None
        assert style.fringe is None
        assert style.moustache == style.fringe_mm == style.temple_mm == 0
        assert style.look.stubble == style.look.blotch == style.look.wrinkle == 0
        assert len(style.look.moles) == 0


def test_all_means_all_where_it_fits(people):
    for person in people:
        style, woman = draw_style(person, ALL), person.sex == "F"
        assert style.glasses is not None
        assert style.covering is not None
        assert (style.make_up is not None) == woman
        assert (style.beard is not None) == (style.moustache > 0) == (not woman)
        assert not (style.covering == "headscarf" and not woman)
        assert style.look.wrinkle == pytest.approx(2 * person.look.wrinkle)


def test_a_higher_share_only_adds_people(people):
    def wearers(share):
        settings = CameraSettings(glasses=share)
        return {p.index for p in people if draw_style(p, settings).glasses is not None}

    few, many = wearers(0.3), wearers(0.7)
    assert few < many
    assert len(few) / 40 == pytest.approx(0.3, abs=0.2)
    assert len(many) / 40 == pytest.approx(0.7, abs=0.2)


def test_other_settings_leave_the_glasses_as_they_were(people):
    one = draw_style(people[0], ALL).glasses
    other = draw_style(people[0], CameraSettings(glasses=1)).glasses
    assert one.width == other.width
    assert np.array_equal(one.colour, other.colour)
