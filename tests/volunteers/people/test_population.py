import numpy as np
import pytest

from faceblind.volunteers.people import population
from faceblind.volunteers.people.ageing import expected
from faceblind.volunteers.people.anthropometry import MEASURES, NORMS, compare
from faceblind.volunteers.people.shape import sample_person

PEOPLE = 500


@pytest.fixture(scope="module")
def adults():
    people = [sample_person(0, index) for index in range(PEOPLE)]
    return people, [p.measures() for p in people]


def test_five_hundred_adults_have_published_means_and_spreads(adults):
    people, measured = adults
    rows = compare(measured, [p.sex for p in people])
    assert len(rows) == 2 * len(MEASURES)
    for row in rows:
        assert row.count > 200
        assert abs(row.mean_error) < 0.05, row
        assert abs(row.sd_error) < 0.10, row


def test_measures_vary_together_as_in_people(adults):
    people, measured = adults
    for sex in "FM":
        own = np.array([
            np.array(list(m.values())) - expected(sex, p.years)
            for p, m in zip(people, measured, strict=True) if p.sex == sex
        ])  # fmt: skip
        found = np.corrcoef(own, rowvar=False)
        assert np.abs(found - population.correlation()).max() < 0.3
        rest = found - np.eye(len(MEASURES))
        assert rest.max() < 0.9
        assert rest.min() > -0.25


def test_ears_grow_and_weight_widens_the_face(adults):
    people, measured = adults
    years = np.array([p.years for p in people])
    ears = np.array([m["ear_length"] for m in measured])
    # Heathcote 1995 (BMJ 311:1668): 0.22 mm a year.
    assert 0.16 < np.polyfit(years, ears, 1)[0] < 0.28
    women = np.array([p.sex == "F" for p in people])
    weight = np.array([p.weight for p in people])
    jaw = np.array([m["bigonial_breadth"] for m in measured])
    assert np.corrcoef(weight[women], jaw[women])[0, 1] > 0.2


def test_the_target_is_a_correlation_and_the_map_gives_it():
    matrix = population.correlation()
    assert np.linalg.eigvalsh(matrix).min() > 0.01
    assert np.allclose(np.diag(matrix), 1)
    for (one, other), value in population._CORRELATIONS.items():
        assert abs(matrix[MEASURES.index(one), MEASURES.index(other)] - value) < 0.1
    for sex in "FM":
        drawn = population.as_drawn()[sex]
        rng = np.random.default_rng(1)
        rows = rng.multivariate_normal(drawn.mean, drawn.covariance, 20000)
        away = np.array([population.residual(sex, drawn.age, row) for row in rows[:4000]])
        wanted = np.sqrt(np.diag(population.covariance(sex)))
        assert np.allclose(away.std(axis=0), wanted, rtol=0.06)


def test_hair_is_left_out_of_the_circumference_only():
    bare = dict(zip(MEASURES, population.bare("F"), strict=True))
    assert bare.pop("head_circumference") == 10
    assert not any(bare.values())
    assert expected("M", NORMS["bizygomatic_breadth"].age)[0] == pytest.approx(143.5)
