"""The template head: a clean surface, symmetric, of human size, with landmarks in place."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
import trimesh

from faceblind.errors import FaceblindError
from faceblind.geometry.points import thin
from faceblind.geometry.triangles import boundary_edges, face_normals, vertex_normals
from faceblind.head.template import REGIONS, load_template

T = load_template()
MARKS = T.landmarks
NAMES = {
    "nasion", "pronasale", "subnasale", "stomion", "labiale_superius", "labiale_inferius",
    "pogonion", "gnathion", "menton", "glabella", "vertex", "opisthocranion", "inion",
} | {
    f"{name}_{side}"
    for name in ("exocanthion", "endocanthion", "pupil", "cheilion", "alare", "preauricular",
                 "zygion", "gonion")
    for side in ("left", "right")
}  # fmt: skip


def volume(points, faces):
    a, b, c = points[faces].astype(float).transpose(1, 0, 2)
    return np.einsum("ij,ij->", a, np.cross(b, c)) / 6


def test_arrays_have_their_documented_shapes_and_are_read_only():
    count = len(T.points)
    assert 8000 <= count <= 15000
    assert T.points.shape == T.normals.shape == (count, 3)
    assert T.regions.shape == T.mirror.shape == (count,)
    assert T.modes.shape == (40, count, 3)
    assert [a.dtype for a in (T.points, T.faces, T.regions, T.modes)] == [
        np.float32, np.int32, np.uint8, np.float32,
    ]  # fmt: skip
    for array in (T.points, T.faces, T.normals, T.regions, T.modes, T.mirror):
        assert not array.flags.writeable
    assert load_template() is T
    assert T.mean is T.points


def test_smooth_ways_are_mean_normals_within_a_centimetre():
    assert T.smooth_ways.dtype == np.float32
    assert not T.smooth_ways.flags.writeable
    np.testing.assert_allclose(np.linalg.norm(T.smooth_ways, axis=1), 1.0, atol=1e-6)
    for name in ("pronasale", "vertex", "cheilion_left"):
        vertex = T.landmark_index[name]
        # One vertex of each small cube: they crowd on lids and lips.
        even = thin(T.points, 2.5)
        away = np.linalg.norm(T.points[even] - T.points[vertex], axis=1)
        weight = np.exp(-0.5 * (away / 5.0) ** 2) * (away < 12.0)
        mean = weight @ T.normals[even]
        assert T.smooth_ways[vertex] @ mean > 0.9999 * np.linalg.norm(mean)


def test_surface_is_manifold_with_one_opening_at_the_neck():
    edges = np.concatenate([T.faces[:, [0, 1]], T.faces[:, [1, 2]], T.faces[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges), "two triangles run an edge the same way"
    rim = boundary_edges(T.faces)
    follow = dict(rim.tolist())
    assert len(follow) == len(rim)
    at, steps = rim[0, 0], 0
    while steps == 0 or at != rim[0, 0]:
        at, steps = follow[at], steps + 1
    assert steps == len(rim), "more than one opening"
    assert (T.regions[rim] == REGIONS.index("neck")).all()
    undirected = np.unique(np.sort(edges, axis=1), axis=0)
    assert len(T.points) - len(undirected) + len(T.faces) == 1, "not a disc: a handle or a part"
    assert set(np.unique(T.faces)) == set(range(len(T.points)))


def test_closed_is_watertight_and_turned_outwards():
    points, faces = T.closed()
    assert len(boundary_edges(faces)) == 0
    assert 3.0e6 < volume(points, faces) < 5.0e6
    moved, _ = T.closed(T.shape([1.0]))
    np.testing.assert_array_equal(moved[:-1], T.shape([1.0]))
    outward = T.points[:, 1] > 60
    assert (T.normals[outward & (np.abs(T.points[:, 0]) < 10)][:, 1] > 0).mean() > 0.8
    np.testing.assert_allclose(np.linalg.norm(T.normals, axis=1), 1, atol=1e-5)


def test_normals_of_a_known_square_point_up():
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    normals = vertex_normals(square, np.array([[0, 1, 2], [0, 2, 3]]))
    np.testing.assert_allclose(normals, [[0, 0, 1]] * 4)


def test_face_normals_of_a_sphere_sum_to_its_area():
    ball = trimesh.creation.icosphere(subdivisions=4, radius=50.0)
    points, faces = ball.vertices.astype(np.float32), ball.faces.astype(np.int32)
    flat = face_normals(points, faces)
    assert flat.dtype == np.float32
    assert np.linalg.norm(flat, axis=1).sum() / 2 == pytest.approx(4 * np.pi * 50**2, rel=5e-3)
    a, b, c = (points[faces[:, k]] for k in range(3))
    np.testing.assert_allclose(flat, np.cross(b - a, c - a), rtol=1e-4, atol=1e-4)


def test_mirror_symmetry():
    np.testing.assert_array_equal(T.mirror[T.mirror], np.arange(len(T.points)))
    np.testing.assert_allclose(T.points[T.mirror] * [-1, 1, 1], T.points, atol=0.002)
    np.testing.assert_array_equal(T.regions[T.mirror], T.regions)
    for k, mode in enumerate(T.modes):
        sign = 1 if k < 34 else -1
        np.testing.assert_allclose(mode[T.mirror] * [-1, 1, 1], sign * mode, atol=0.011)


def test_landmarks_are_vertices_in_anatomical_order():
    assert set(MARKS) >= NAMES
    for name, v in T.landmark_index.items():
        np.testing.assert_array_equal(MARKS[name], T.points[v])
        if name.endswith("_left"):
            other = MARKS[name.replace("_left", "_right")]
            assert MARKS[name][0] < 0 < other[0], "the person's right is +x"
            np.testing.assert_allclose(MARKS[name] * [-1, 1, 1], other, atol=0.5)
        elif not name.endswith("_right"):
            assert abs(MARKS[name][0]) < 0.01
    assert T.points[:, 1].max() == MARKS["pronasale"][1]
    assert T.points[:, 2].max() == pytest.approx(MARKS["vertex"][2], abs=0.5)
    order = ["vertex", "glabella", "nasion", "pronasale", "subnasale", "labiale_superius",
             "stomion", "labiale_inferius", "pogonion", "gnathion", "menton"]  # fmt: skip
    heights = [MARKS[name][2] for name in order]
    assert heights == sorted(heights, reverse=True)
    across = [MARKS[f"{n}_right"][0] for n in ("alare", "endocanthion", "pupil", "exocanthion",
                                               "zygion", "preauricular")]  # fmt: skip
    assert across == sorted(across)
    middle = (MARKS["preauricular_left"] + MARKS["preauricular_right"]) / 2
    np.testing.assert_allclose(middle, 0, atol=0.01)


@pytest.mark.parametrize(
    ("first", "second", "millimetres"),
    [
        # Mean of men and women, adult anthropometry (Farkas 1994; ANSUR II 2012).
        ("glabella", "opisthocranion", 192),
        ("zygion_left", "zygion_right", 137),
        ("nasion", "menton", 115),
        ("nasion", "subnasale", 50),
        ("alare_left", "alare_right", 35),
        ("exocanthion_left", "exocanthion_right", 88),
        ("cheilion_left", "cheilion_right", 51),
    ],
)
def test_size_is_that_of_an_average_adult(first, second, millimetres):
    size = np.linalg.norm(MARKS[first] - MARKS[second])
    # Corners of the mouth lie inside the visible ones: the lips are closed.
    assert size == pytest.approx(millimetres, rel=0.14 if first.startswith("cheil") else 0.1)


def test_regions_hold_their_landmarks():
    region = {name: REGIONS[T.regions[v]] for name, v in T.landmark_index.items()}
    assert region["pronasale"] == "nose"
    assert region["stomion"] == region["labiale_superius"] == "mouth"
    assert region["pogonion"] == "chin"
    assert region["pupil_left"] == region["exocanthion_right"] == "eyes"
    assert region["glabella"] == "brow"
    assert region["vertex"] == region["opisthocranion"] == "scalp"
    for label, name in enumerate(REGIONS):
        assert (T.regions == label).sum() >= 100, f"{name} is empty"
    ears = T.points[T.region("ears")]
    assert np.abs(ears[:, 0]).min() > 55
    assert np.ptp(ears[:, 2]) == pytest.approx(63, abs=8)  # auricle height, Farkas 1994


def test_shape_adds_modes_in_standard_deviations():
    np.testing.assert_array_equal(T.shape([]), T.points)
    np.testing.assert_allclose(T.shape([0, 2]), T.points + 2 * T.modes[1], atol=1e-5)
    size = np.sqrt((T.modes**2).sum(axis=2).mean(axis=1))
    assert size[:34].argmax() == 0
    assert 1 < size[0] < 6
    with pytest.raises(FaceblindError, match="at most 40"):
        T.shape(np.zeros(41))


def test_attribution_ships_with_the_data():
    folder = files("faceblind") / "data" / "LICENSES"
    assert "MakeHuman" in (folder / "head-model.md").read_text()
    assert "CC0 1.0 Universal" in (folder / "CC0-1.0.md").read_text()
