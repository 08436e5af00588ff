"""The face of a photograph is found however it was taken, and its quality is judged."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faceblind.errors import PhotographError
from faceblind.recognition.photographs import PhotoFace, find_face, loose_crop, sharpness


@pytest.fixture(scope="module")
def face(portrait: NDArray[np.uint8]) -> PhotoFace:
    return find_face(portrait)


def resized(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=kind), np.uint8)


def test_a_good_photograph_has_no_flags(face: PhotoFace) -> None:
    assert face.found
    assert face.flags == ()
    assert face.score > 0.9
    assert face.landmarks.shape == (5, 2)
    low, high = face.box[:2], face.box[:2] + face.box[2:]
    assert ((face.landmarks > low) & (face.landmarks < high)).all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_photographs(portrait: NDArray[np.uint8], face: PhotoFace, quarters: int) -> None:
    turned = find_face(np.ascontiguousarray(np.rot90(portrait, quarters)))
    x, y = face.landmarks.T
    expected = {1: (y, 511 - x), 2: (511 - x, 511 - y), 3: (511 - y, x)}[quarters]
    np.testing.assert_allclose(turned.landmarks, np.stack(expected, axis=1), atol=0.5)
    assert turned.flags == ()


@pytest.mark.parametrize("degrees", [-30, 20])
def test_points_turn_with_a_tilted_head(
    portrait: NDArray[np.uint8], face: PhotoFace, degrees: float
) -> None:
    matrix = np.asarray(cv2.getRotationMatrix2D((256, 256), degrees, 1))
    tilted = np.asarray(cv2.warpAffine(portrait, matrix, (512, 512)), dtype=np.uint8)
    expected = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    eyes = np.linalg.norm(face.landmarks[1] - face.landmarks[0])
    assert np.abs(find_face(tilted).landmarks - expected).max() < 0.12 * eyes


@pytest.mark.parametrize("factor", [0.5, 2.0, 4.0])
def test_points_hardly_depend_on_the_size(
    portrait: NDArray[np.uint8], face: PhotoFace, factor: float
) -> None:
    found = find_face(resized(portrait, factor))
    eyes = np.linalg.norm(face.landmarks[1] - face.landmarks[0])
    shift = np.abs((found.landmarks + 0.5) / factor - 0.5 - face.landmarks).max()
    assert shift < 0.1 * eyes


def test_tight_and_huge_crops_are_found(portrait: NDArray[np.uint8], face: PhotoFace) -> None:
    left, top, width, height = face.box.astype(int)
    tight = portrait[top : top + height, left : left + width]
    eyes = np.linalg.norm(face.landmarks[1] - face.landmarks[0])
    for factor in (1.0, 20.0):
        found = find_face(resized(tight, factor))
        marks = (found.landmarks + 0.5) / factor - 0.5 + (left, top)
        assert np.abs(marks - face.landmarks).max() < 0.15 * eyes


def test_a_small_face_in_a_large_picture(portrait: NDArray[np.uint8], face: PhotoFace) -> None:
    large = np.full((2400, 3200, 3), 90, dtype=np.uint8)
    large[900:1412, 1500:2012] = portrait
    found = find_face(large)
    assert np.abs(found.landmarks - face.landmarks - (1500, 900)).max() < 5


def test_several_faces_are_flagged_and_the_large_central_one_is_taken(
    portrait: NDArray[np.uint8],
) -> None:
    scene = np.full((600, 1300, 3), 128, dtype=np.uint8)
    scene[40:552, 330:842] = portrait
    scene[200:560, 900:1260] = resized(portrait, 360 / 512)
    found = find_face(scene)
    assert found.flags == ("several_faces",)
    assert 330 < found.landmarks[2, 0] < 842


def test_small_and_blurred_faces_are_flagged(portrait: NDArray[np.uint8], face: PhotoFace) -> None:
    assert "too_small" in find_face(resized(portrait, 0.25)).flags
    blurred = np.asarray(cv2.GaussianBlur(portrait, (0, 0), 4), dtype=np.uint8)
    assert find_face(blurred).flags == ("blurred",)
    assert sharpness(blurred, face.landmarks) < sharpness(portrait, face.landmarks) / 10


@pytest.mark.parametrize("shape", [(300, 200, 3), (40, 30), (1, 1, 3)])
def test_no_face_is_a_flag_and_no_error(shape: tuple[int, ...]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = find_face(noise)
    assert found.flags == ("no_face",)
    assert not found.found
    assert found.score == 0
    assert np.isnan(found.landmarks).all()
    with pytest.raises(PhotographError, match="no face was found"):
        loose_crop(noise, found)


def test_loose_crop_keeps_points_and_removes_colour(
    portrait: NDArray[np.uint8], face: PhotoFace
) -> None:
    crop, marks = loose_crop(portrait, face)
    assert crop.shape == (224, 224, 3)
    assert (crop[..., 0] == crop[..., 1]).all()
    scale = 224 / (1.8 * face.box[2:].max())
    np.testing.assert_allclose(
        np.diff(marks, axis=0), np.diff(face.landmarks, axis=0) * scale, atol=1e-3
    )
    again = find_face(crop)
    assert np.abs(again.landmarks - marks).max() < 4
    colour, _ = loose_crop(portrait, face, size=160, grey=False)
    assert colour.shape == (160, 160, 3)
    assert (colour[..., 0] != colour[..., 2]).any()
    flat, _ = loose_crop(portrait[..., 0], face)
    assert flat.shape == (224, 224, 3)


def test_results_repeat(portrait: NDArray[np.uint8], face: PhotoFace) -> None:
    np.testing.assert_array_equal(find_face(portrait).landmarks, face.landmarks)


@pytest.mark.slow
def test_every_shared_photograph_is_enrolled(shared: Path) -> None:
    found = Counter()
    for path in sorted((shared / "study_sample" / "photos").glob("*.jpg")):
        face = find_face(np.asarray(Image.open(path)))
        assert face.flags == (), path.name
        found[path.stem.split("_")[1]] += 1
    assert found == dict.fromkeys(("front", "left", "right", "up", "down"), 10)
