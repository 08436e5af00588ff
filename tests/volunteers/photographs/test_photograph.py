from dataclasses import replace
from importlib.resources import files

import cv2
import numpy as np
import pytest

from faceblind.geometry.triangles import vertex_normals
from faceblind.recognition.detection import detect_faces
from faceblind.volunteers.people.reference_face import reference
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.photographs import beard, light, paint
from faceblind.volunteers.photographs.camera import VIEWS, CameraSettings, rotation
from faceblind.volunteers.photographs.photograph import photograph


@pytest.fixture(scope="module")
def pictures():
    settings = CameraSettings(width=320, height=400, supersampling=1.0)
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


PLAIN = CameraSettings(
    width=160, height=200, supersampling=1.0, yaw_sd=0, pitch_sd=0, roll_sd=0, expression=0,
    smile=0, texture=0, feature_variety=0, stubble=0, beard=0, moustache=0, make_up=0,
    hair_cover=0, glasses=0, head_covering=0, noise=0, background=0,
)  # fmt: skip


def rows_changed(person, **settings):
    """Mean height (0 top, 1 chin's end of the picture) and mean size of what changes in front."""
    one, other = (
        photograph(person, replace(PLAIN, **s))["front"].astype(float) for s in ({}, settings)
    )
    change = np.abs(one - other).mean(axis=2)
    # Metering shifts all pixels a little.
    change = np.clip(change - 6, 0, None)
    rows = np.arange(len(change))[:, None]
    return float((change * rows).sum() / change.sum() / len(change)), float(change.mean())


@pytest.fixture(scope="module")
def man():
    return next(p for p in (sample_person(2, i) for i in range(20)) if p.sex == "M")


@pytest.fixture(scope="module")
def woman():
    return next(p for p in (sample_person(2, i) for i in range(20)) if p.sex == "F")


def test_things_change_pixels_where_they_belong(man, woman):
    hat, hat_size = rows_changed(man, head_covering=1)
    glasses, glasses_size = rows_changed(man, glasses=1, glare=1)
    beard_row, beard_size = rows_changed(man, beard=1)
    lips, lips_size = rows_changed(woman, make_up=1)
    assert hat < glasses < beard_row
    assert hat < lips
    assert min(hat_size, beard_size) > 0.5
    assert min(glasses_size, lips_size) > 0.02


def test_texture_and_light_change_the_face(man):
    assert rows_changed(man, texture=2.5)[1] > 0.02
    assert rows_changed(man, light_angle=60, hardness=1, fill=0.3)[1] > 1


def test_blur_and_low_resolution_lose_detail(man):
    def detail(**settings):
        picture = photograph(man, replace(PLAIN, texture=1, **settings))["front"]
        return cv2.Laplacian(picture, cv2.CV_32F).std()

    sharp = detail()
    assert detail(blur=(2.0, 2.0)) < 0.7 * sharp
    assert detail(face_px=(25.0, 25.0)) < 0.7 * sharp
    assert detail(motion=8.0) < 0.95 * sharp


@pytest.mark.slow
@pytest.mark.parametrize("settings", [CameraSettings(), CameraSettings.wild()])
def test_a_detector_finds_ten_people(settings):
    small = replace(settings, width=240, height=300, supersampling=1.0, face_px=(110.0, 110.0))
    hits = dict.fromkeys(VIEWS, 0)
    for index in range(10):
        for view, picture in photograph(sample_person(3, index), small).items():
            found = detect_faces(picture)
            hits[view] += bool(found) and found[0].score >= 0.6
    assert hits["front"] == 10
    assert sum(hits.values()) >= 0.95 * 50
