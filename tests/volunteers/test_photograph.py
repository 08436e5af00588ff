from importlib.resources import files

import cv2
import numpy as np
import pytest

from faceblind.volunteers import beard, light, paint
from faceblind.volunteers.photograph import VIEWS, CameraSettings, photograph, rotation
from faceblind.volunteers.reference import reference, vertex_normals
from faceblind.volunteers.shape import sample_person


@pytest.fixture(scope="module")
def pictures():
    settings = CameraSettings(width=320, height=400, supersampling=1.2)
    return [photograph(sample_person(2, index), settings) for index in range(3)]


def test_five_views_in_colour(pictures):
    for person in pictures:
        assert list(person) == list(VIEWS)
        for picture in person.values():
            assert picture.shape == (400, 320, 3)
            assert picture.dtype == np.uint8
            assert 40 < picture.mean() < 235
            assert np.ptp(picture.reshape(-1, 3).mean(axis=0)) > 0.5


def test_yunet_finds_every_face(pictures):
    model = str(files("faceblind") / "data" / "models" / "face_detection_yunet_2023mar.onnx")
    detector = cv2.FaceDetectorYN.create(model, "", (320, 400), 0.9)
    for person in pictures:
        eyes = {}
        for view, picture in person.items():
            found = detector.detect(np.ascontiguousarray(picture[..., ::-1]))[1]
            assert found is not None, view
            assert len(found) == 1, view
            eyes[view] = found[0][4:8].reshape(2, 2)
        # YuNet's first eye is the person's right one, on the left of the picture.
        assert eyes["front"][0, 0] < eyes["front"][1, 0]


def test_turning_left_moves_the_nose_to_the_right_of_the_picture(pictures):
    model = str(files("faceblind") / "data" / "models" / "face_detection_yunet_2023mar.onnx")
    detector = cv2.FaceDetectorYN.create(model, "", (320, 400), 0.9)
    for person in pictures:
        shift = {}
        for view in ("left", "front", "right"):
            found = detector.detect(np.ascontiguousarray(person[view][..., ::-1]))[1][0]
            shift[view] = found[8] - (found[4] + found[6]) / 2
        assert shift["left"] > shift["front"] > shift["right"]


def test_same_person_same_pictures(small):
    one, again = (photograph(sample_person(2, 4), small) for _ in range(2))
    assert all(np.array_equal(one[view], again[view]) for view in VIEWS)


def test_rotations():
    nose = np.array([0, 1.0, 0])
    assert (rotation(30, 0, 0) @ nose)[0] < -0.4
    assert (rotation(0, 30, 0) @ nose)[2] > 0.4
    assert rotation(10, 20, 5) @ rotation(10, 20, 5).T == pytest.approx(np.eye(3), abs=1e-12)


def test_colours_lie_where_they_belong():
    look = sample_person(2, 0).look
    place = np.array([[0, 89, -47], [0, 85, -58], [0, 88, 60], [45, 60, -20]], np.float32)
    assert beard.lip_mask(place) == pytest.approx([1, 1, 0, 0], abs=0.05)
    grown = beard.beard_mask(np.array([[0, 75, -82], [0, 88, 60], [40, 30, -60]], np.float32))
    assert grown[1] == 0
    assert grown[0] > 0.7
    assert grown[2] > 0.7
    tone = paint.skin_tone(look)
    assert tone[0] > tone[1] > tone[2]


def test_a_ball_shades_its_lower_half_only():
    import trimesh

    ball = trimesh.creation.icosphere(3, 80.0)
    points, faces = ball.vertices.astype(np.float32), ball.faces.astype(np.int32)
    normals = vertex_normals(points, faces)
    assert normals == pytest.approx(points / 80, abs=0.02)
    seen = light.visibility(points, normals, faces)
    facing = normals @ light.sphere().T
    assert seen[facing > 0.25].mean() > 0.99
    assert seen[facing < -0.25].mean() < 0.01


def test_ears_are_where_ears_are():
    base = reference()
    ear = base.points[base.ear > 0.9]
    assert (np.abs(ear[:, 0]) > 58).all()
    assert len(ear) > 500
    assert (ear[:, 0] > 0).mean() == pytest.approx(0.5, abs=0.02)
