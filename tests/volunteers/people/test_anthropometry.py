import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.head.template import load_template
from faceblind.volunteers.people.anthropometry import (
    MEASURES,
    NORMS,
    SOURCES,
    circumference,
    compare,
    measure,
)


def test_a_tape_around_an_ellipse_is_as_long_as_its_perimeter():
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    ring = np.column_stack([75 * np.sin(turn), 95 * np.cos(turn), np.full(400, 30.0)])
    hollow = ring[150:180] * [0.9, 0.9, 1]
    other = 1.2 * ring + [0, 0, 15]
    points = np.concatenate([ring, hollow, other])
    # Ramanujan's approximation, exact to 1e-6 at this flatness.
    h = (20 / 170) ** 2
    perimeter = np.pi * 170 * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))
    tape = circumference(points, np.array([0, 95.0, 30]), np.array([0, -95.0, 30]))
    assert tape == pytest.approx(perimeter, rel=1e-3)


def test_measures_are_distances_between_landmarks():
    template = load_template()
    points = template.points.astype(float).copy()
    for name, place in {
        "nasion": (0, 90, 20), "menton": (0, 70, -100), "subnasale": (0, 90, -30),
        "pronasale": (0, 110, -30), "alare_right": (18, 85, -25), "alare_left": (-17, 85, -25),
        "pupil_right": (32, 75, 15), "pupil_left": (-31, 75, 15), "gonion_right": (55, 10, -60),
        "gonion_left": (-55, 10, -57), "cheilion_right": (25, 70, -50),
        "cheilion_left": (-25, 70, -50), "glabella": (0, 92, 36), "opisthocranion": (0, -100, 36),
    }.items():  # fmt: skip
        points[template.landmark_index[name]] = place
    found = measure(points)
    assert tuple(found) == MEASURES
    assert found["face_height"] == pytest.approx(np.hypot(20, 120))
    assert found["nose_height"] == pytest.approx(50)
    assert found["nose_protrusion"] == pytest.approx(20)
    assert found["nose_breadth"] == pytest.approx(35)
    assert found["interpupillary"] == pytest.approx(63)
    assert found["lip_length"] == pytest.approx(50)
    assert found["bigonial_breadth"] == pytest.approx(np.hypot(110, 3))
    assert found["head_length"] == pytest.approx(192)


def test_measures_scale_with_the_head_and_do_not_see_where_it_is():
    points = load_template().points
    small = measure(points)
    # The vertices of a tape's band change with the scale, a little.
    for name, value in measure(1.1 * points).items():
        assert value == pytest.approx(1.1 * small[name], rel=2e-3), name
    for name, value in measure(points + np.array([5, -20, 0])).items():
        assert value == pytest.approx(small[name], rel=1e-4), name


def test_other_meshes_are_refused():
    with pytest.raises(FaceblindError, match="vertices"):
        measure(np.zeros((10, 3)))


def test_norms_are_cited_and_comparison_counts_by_sex():
    assert all(norm.source in SOURCES for norm in NORMS.values())
    for norm in NORMS.values():
        assert all(0 < sd < mean / 5 for mean, sd in zip(norm.mean, norm.sd, strict=True))
    values = [dict.fromkeys(MEASURES, v) for v in (100.0, 110.0, 120.0, 50.0)]
    rows = compare(values, ["F", "F", "F", "M"])
    assert {r.sex for r in rows} == {"F"}
    assert rows[0].mean == pytest.approx(110)
    assert rows[0].sd == pytest.approx(10)
    assert rows[0].count == 3
    assert rows[0].mean_error == pytest.approx(110 / 135.1 - 1)
