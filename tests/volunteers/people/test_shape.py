import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.head.template import load_template
from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.shape import AGE_RANGE, PeopleSettings, sample_person, visits


@pytest.fixture(scope="module")
def people():
    return [sample_person(3, i) for i in range(120)]


def test_the_same_pair_gives_the_same_person_and_others_differ():
    one, again = sample_person(5, 7), sample_person(5, 7)
    assert np.array_equal(one.points(), again.points())
    assert one.look.texture == again.look.texture
    assert not np.allclose(one.points(), sample_person(5, 8).points(), atol=0.5)
    assert not np.allclose(one.points(), sample_person(6, 7).points(), atol=0.5)
    assert one.name == "sub-0008"


def test_population_is_as_described(people):
    ages = np.array([p.age for p in people])
    assert ages.min() >= AGE_RANGE[0]
    assert ages.max() <= AGE_RANGE[1]
    assert 55 < ages.mean() < 68
    assert 0.35 < np.mean([p.sex == "M" for p in people]) < 0.65
    blend = np.array([p.ancestry for p in people])
    assert np.allclose(blend.sum(axis=1), 1)
    assert (blend.max(axis=0) > 0.8).all()
    melanin = np.array([p.look.melanin for p in people])
    assert np.corrcoef(melanin, blend[:, 0])[0, 1] > 0.7
    assert all(p.look.stubble == 0 for p in people if p.sex == "F")


def test_parameters_stay_in_their_ranges_and_pairs_go_together(people):
    model = HeadModel.load()
    values = np.array([[p.local[name] for name in model.parameters] for p in people])
    assert np.abs(values).max() <= 0.55
    names = list(model.parameters)
    assert values[:, names.index("head-oval")].min() >= 0
    left, right = (values[:, names.index(f"{s}-cheek-volume")] for s in "lr")
    assert np.corrcoef(left, right)[0, 1] > 0.9
    assert not np.array_equal(left, right)


def test_faces_differ_as_much_as_those_of_real_people(people):
    model, template = HeadModel.load(), load_template()
    mask = template.region("face", "brow", "eyes", "nose", "mouth", "chin", "cheeks")
    shapes = [
        model.outer_skin(p.points(model.closed_eyes))[mask].astype(float) for p in people[:40]
    ]
    shapes = [s - s.mean(axis=0) for s in shapes]
    gaps = []
    for i, a in enumerate(shapes):
        for b in shapes[:i]:
            u, _, v = np.linalg.svd(a.T @ b)
            gaps.append(np.sqrt(((a @ (u @ v) - b) ** 2).sum(axis=1).mean()))
    assert min(gaps) > 1.5
    assert 3.5 < np.median(gaps) < 6.0


def test_proportions_are_human(people):
    model, template = HeadModel.load(), load_template()
    measured = {"zygion": [], "pupil": [], "length": []}
    for person in people:
        skin = model.outer_skin(person.points(model.closed_eyes))
        mark = {name: skin[v] for name, v in template.landmark_index.items()}
        for name in ("zygion", "pupil"):
            measured[name].append(np.linalg.norm(mark[f"{name}_left"] - mark[f"{name}_right"]))
        measured["length"].append(np.linalg.norm(mark["glabella"] - mark["opisthocranion"]))
    # Wide bounds around adult means of both sexes (Farkas 1994): 133, 63 and 192 mm.
    assert 125 < np.mean(measured["zygion"]) < 142
    assert 57 < np.mean(measured["pupil"]) < 67
    assert 180 < np.mean(measured["length"]) < 204


def test_landmarks_lie_on_the_surface_and_the_origin_between_the_ears(people):
    model, template = HeadModel.load(), load_template()
    for person in people[:10]:
        points = person.points(model.closed_eyes)
        skin = model.outer_skin(points)
        assert set(template.landmark_index.values()) <= set(range(len(skin)))
        ears = points[list(model.tragion)]
        assert np.abs(ears[:, 1:].mean(axis=0)).max() < 0.5
        assert abs(ears[:, 0].mean()) < 3
        assert skin[template.landmark_index["pronasale"], 1] > 80


def test_faces_are_a_little_asymmetric_as_those_of_real_people(people):
    model, template = HeadModel.load(), load_template()
    mask = template.region("face", "brow", "eyes", "nose", "mouth", "chin", "cheeks")
    found = []
    for person in people[:40]:
        skin = model.outer_skin(person.points(model.closed_eyes)).astype(float)
        mirrored = (skin * [-1, 1, 1])[template.mirror]
        a, b = (s[mask] - s[mask].mean(axis=0) for s in (skin, mirrored))
        u, _, v = np.linalg.svd(b.T @ a)
        found.append(np.linalg.norm(a - b @ (u @ v), axis=1).mean())
    # Chou et al. 2019 (J Clin Med 8:645): 0.96 +- 0.52 mm in 600 normal faces.
    assert 0.7 < np.mean(found) < 1.3
    assert max(found) < 3


def test_time_passes_between_scan_and_photograph():
    model = HeadModel.load()
    settings = PeopleSettings(gap_months=(12, 36))
    changes = []
    for index in range(12):
        scanned, pictured = visits(3, index, settings)
        assert 1 <= pictured.years - scanned.years <= 3
        assert pictured.name == scanned.name
        assert pictured.weight != scanned.weight
        assert pictured.look.texture == scanned.look.texture
        away = pictured.points(model.closed_eyes) - scanned.points(model.closed_eyes)
        changes.append(np.sqrt((away**2).sum(axis=1).mean()))
        again = visits(3, index, settings)[1]
        assert np.array_equal(again.points(), pictured.points())
    assert 0.05 < np.mean(changes) < 1.5
    alone, same = visits(3, 0)
    assert alone is same
    assert alone.later(0) is alone
    assert alone.later(-24).years == pytest.approx(alone.years - 2)


def test_ages_follow_the_settings_and_bad_settings_are_refused():
    young = [sample_person(2, i, PeopleSettings(ages=(20, 30))).age for i in range(30)]
    assert min(young) >= 20
    assert max(young) <= 30
    with pytest.raises(FaceblindError, match="ages"):
        PeopleSettings(ages=(1, 50))
    with pytest.raises(FaceblindError, match="gap_months"):
        PeopleSettings(gap_months=(6, 3))
