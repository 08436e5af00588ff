import numpy as np
import pytest

from faceblind.head.template import load_template
from faceblind.volunteers.people import ageing
from faceblind.volunteers.people.anthropometry import MEASURES, NORMS
from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.shape import PeopleSettings, sample_person


def test_expected_measures_of_adults_are_the_norms_at_their_age():
    for k, name in enumerate(MEASURES):
        norm = NORMS[name]
        assert ageing.expected("F", norm.age)[k] == pytest.approx(norm.mean[0])
        later = ageing.expected("M", norm.age + 20)[k]
        assert later == pytest.approx(norm.mean[1] + 20 * norm.growth)


def test_children_grow_girls_ahead_of_boys():
    for sex in "FM":
        sizes = np.array([ageing.grown(sex, years) for years in range(3, 25)])
        assert (np.diff(sizes, axis=0) >= 0).all()
        assert (sizes[-7:] == 1).all()
    assert (ageing.grown("F", 12) > ageing.grown("M", 12)).all()
    # Farkas et al. 1992: heads are 182.7 mm long in girls from 10, 189.2 in boys from 14 years.
    shares = dict(zip(MEASURES, ageing.grown("M", 6), strict=True))
    assert shares["head_length"] > shares["face_height"] > shares["nose_protrusion"]


def test_skin_descends_with_age_more_in_lax_and_heavy_people():
    assert not ageing.sag(25, 0.5, 1).any()
    old = ageing.sag(90, 0.5, 1)
    assert 2 < np.linalg.norm(old, axis=1).max() < 4.5
    assert old[:, 2].min() < -2
    assert np.allclose(ageing.sag(90, 1.0, 1), 1.5 * old)
    assert np.allclose(ageing.sag(90, 0.5, 1.4), 1.4 * old)
    model = HeadModel.load()
    still = HeadModel.load().outer_skin(old)
    for name in ("nasion", "pronasale", "glabella", "preauricular_left", "vertex"):
        assert np.linalg.norm(still[load_template().landmark_index[name]]) < 0.3, name
    assert not old[model.parts == 5].any()


def test_age_and_weight_set_the_models_own_parameters():
    assert not any(ageing.own_parameters(30, 0.5, 1).values())
    known = {*HeadModel.load().parameters, *HeadModel.load().bilateral}
    assert set(ageing.own_parameters(80, 0.7, 1)) <= known
    assert ageing.own_parameters(30, 0.9, 1)["cheek-volume"] > 0


def test_children_are_small_and_bare_and_have_the_measures_of_their_age():
    children = [sample_person(4, index, PeopleSettings(ages=(3, 17))) for index in range(60)]
    assert {p.age for p in children} <= set(range(3, 18))
    found = np.array([list(p.measures().values()) for p in children])
    wanted = np.array([ageing.expected(p.sex, p.years) for p in children])
    ratio = dict(zip(MEASURES, (found / wanted).mean(axis=0), strict=True))
    assert all(0.95 < r < 1.05 for r in ratio.values()), ratio
    young = [p for p in children if p.age < 10]
    assert all(p.look.stubble == 0 and p.look.moustache == 0 for p in young)
    assert all(p.look.wrinkle == 0 and p.look.recession == 0 for p in children)
    assert all(p.look.style != "bald" for p in children)


def test_loose_necks_hang_under_the_chin_and_leave_the_face():
    moved = ageing.loose_neck(90, 1.0)
    model = HeadModel.load()
    where = model.points()
    lowest = moved[:, 2].min()
    assert -12 < lowest < -5
    assert where[moved[:, 2].argmin(), 2] < -80
    assert np.abs(moved[where[:, 2] > -20]).max() < 0.2
    assert not ageing.loose_neck(30, 1.0).any()
    assert ageing.loose_neck(90, 2.0) == pytest.approx(2 * moved)


def test_only_those_who_are_asked_for_have_loose_necks():
    plain, loose = (sample_person(6, 1, PeopleSettings(ages=(80, 90), loose_neck=amount))
                    for amount in (0.0, 1.0))  # fmt: skip
    assert plain.loose_neck == 0
    assert 0.3 <= loose.loose_neck <= 1.7
    assert (plain.years, plain.local, plain.weight) == (loose.years, loose.local, loose.weight)
    assert (plain.points() - loose.points())[:, 2].max() > 1
