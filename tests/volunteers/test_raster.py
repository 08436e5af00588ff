import numpy as np
import pytest

from faceblind.volunteers.noise import fractal
from faceblind.volunteers.raster import fill, interpolate, rasterise, sample, tilt


def box(low, high):
    corners = np.array([[(low, high)[(n >> k) & 1][k] for k in range(3)] for n in range(8)], float)
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    faces = [(q[0], q[a], q[a + 1]) for q in quads for a in (1, 2)]
    return corners, np.array(faces)


def test_a_box_fills_exactly_along_k_and_to_the_subsample_across():
    points, faces = box((2.0, 3.0, 1.25), (6.0, 7.5, 8.75))
    covered = fill(points, faces, (10, 12, 11), subsamples=4)
    assert covered.sum() == pytest.approx(4 * 4.5 * 7.5, rel=0.07)
    assert covered[4, 5, 4] == 1
    # Voxel 1 covers 0.5..1.5 along k, the box begins at 1.25.
    assert covered[4, 5, 1] == pytest.approx(0.25)
    assert covered[4, 5, 9] == pytest.approx(0.25)
    assert covered[0].max() == 0


def test_a_sphere_has_its_volume_and_overlaps_count_once():
    import trimesh

    ball = trimesh.creation.icosphere(4, 10.0)
    points = np.concatenate([ball.vertices + 15, ball.vertices + np.array([15, 15, 19])])
    faces = np.concatenate([ball.faces, ball.faces + len(ball.vertices)])
    one = fill(ball.vertices + 15, ball.faces, (31, 31, 36), 2).sum()
    assert one == pytest.approx(4 / 3 * np.pi * 1000, rel=0.005)
    both = fill(points, faces, (31, 31, 36), 2)
    lens = np.pi * (4 * 10 + 4) * (2 * 10 - 4) ** 2 / 12
    assert both.sum() == pytest.approx(2 * one - lens, rel=0.01)
    assert both.max() <= 1


def test_inside_out_is_outside():
    points, faces = box((2, 2, 2), (6, 6, 6))
    assert fill(points, faces[:, ::-1], (9, 9, 9)).sum() == 0


def test_the_nearest_face_wins_and_weights_are_perspective_correct():
    # One triangle 1 m away that leans back to 2 m, one behind it.
    near = [[0, 0, 1 / 1000], [40, 0, 1 / 2000], [0, 40, 1 / 1000]]
    far = [[-9, -9, 1 / 5000], [90, -9, 1 / 5000], [-9, 90, 1 / 5000]]
    faces = np.array([[3, 4, 5], [0, 1, 2]])
    face, bary, depth = rasterise(np.array(near + far), faces, 41, 41)
    assert face[0, 20] == 1
    assert face[39, 39] == 0
    # Half-way on the screen is a third of the way in space: 1/w is linear.
    assert bary[0, 20] == pytest.approx([1 / 3, 0], abs=1e-6)
    assert depth[0, 20] == pytest.approx(0.75e-3)
    values = np.array([[0.0], [3.0], [0.0]] * 2)
    assert interpolate(values, faces, face[0, 20:21], bary[0, 20:21])[0, 0] == pytest.approx(1)


def test_what_lies_behind_the_camera_is_not_drawn():
    screen = np.array([[0, 0, -1.0], [9, 0, 1.0], [0, 9, 1.0]])
    assert (rasterise(screen, np.array([[0, 1, 2]]), 5, 5)[0] == -1).all()


def test_sampling_is_trilinear():
    i, j, k = np.mgrid[0:5, 0:6, 0:7].astype(np.float32)
    volume = i + 10 * j + 100 * k
    index = np.array([[1.25, 2.5, 3.75], [0, 0, 0]], np.float32)
    assert sample(volume, index) == pytest.approx([401.25, 0], abs=1e-3)


def test_relief_tilts_a_flat_patch_by_its_slope():
    rows, columns = np.mgrid[0:10, 0:10]
    number = np.arange(100, dtype=np.int32).reshape(10, 10)
    place = np.stack([columns.ravel(), np.zeros(100), -rows.ravel()], 1).astype(np.float32)
    normal = np.tile(np.array([0, 1, 0], np.float32), (100, 1))
    height = (0.3 * columns.ravel()).astype(np.float32)
    tilted = tilt(number, rows.ravel(), columns.ravel(), place, height, normal)
    expected = np.array([-0.3, 1, 0]) / np.hypot(1, 0.3)
    assert tilted[44] == pytest.approx(expected, abs=1e-5)
    assert tilted[99] == pytest.approx([0, 1, 0])


def test_noise_is_standard_smooth_and_seeded():
    points = np.random.default_rng(0).uniform(-500, 500, (40000, 3)).astype(np.float32)
    field = fractal(points, 5.0, 3)
    assert abs(field.mean()) < 0.05
    assert 0.7 < field.std() < 1.3
    assert np.array_equal(field, fractal(points, 5.0, 3))
    assert abs(np.corrcoef(field, fractal(points, 5.0, 4))[0, 1]) < 0.03
    near = fractal(points + np.float32(0.02), 5.0, 3)
    assert np.abs(near - field).max() < 0.2
