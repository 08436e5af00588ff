"""YuNet through ONNX Runtime equals YuNet through OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceblind.recognition.detection import (
    LONGEST_SIDE,
    _suppress,
    detect_faces,
    detector_scores,
    nearest_candidates,
)


def test_detections_equal_opencv(
    portrait: NDArray[np.uint8], opencv_rows: NDArray[np.float32]
) -> None:
    found = detect_faces(portrait)
    assert len(found) == len(opencv_rows) == 1
    np.testing.assert_allclose(found[0].box, opencv_rows[0, :4], atol=0.05)
    np.testing.assert_allclose(found[0].landmarks.ravel(), opencv_rows[0, 4:14], atol=0.05)
    assert found[0].score == pytest.approx(opencv_rows[0, 14], abs=1e-4)


def test_points_are_in_the_stated_order(portrait: NDArray[np.uint8]) -> None:
    right_eye, left_eye, nose, right_mouth, left_mouth = detect_faces(portrait)[0].landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < nose[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_sides_need_not_be_multiples_of_32(portrait: NDArray[np.uint8]) -> None:
    whole, part = detect_faces(portrait)[0], detect_faces(portrait[:301, :333])[0]
    np.testing.assert_allclose(part.landmarks, whole.landmarks, atol=1)


def test_large_pictures_are_searched_smaller(portrait: NDArray[np.uint8]) -> None:
    large = cv2.resize(portrait, (LONGEST_SIDE * 2, LONGEST_SIDE * 2))
    found = detect_faces(large)  # type: ignore[arg-type]
    factor = LONGEST_SIDE * 2 / 512
    eyes = detect_faces(portrait)[0].landmarks[:2] * factor
    assert np.abs(found[0].landmarks[:2] - eyes).max() < 8 * factor


def test_two_faces_are_two_detections_best_first(portrait: NDArray[np.uint8]) -> None:
    found = detect_faces(np.hstack([portrait, portrait[:, ::-1]]))
    assert len(found) == 2
    assert found[0].score >= found[1].score
    assert abs(found[0].box[0] - found[1].box[0]) > 300


def test_scores_of_many_pictures(portrait: NDArray[np.uint8]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, portrait.shape, dtype=np.uint8)
    images = np.stack([portrait, np.zeros_like(portrait), noise] * 4)[:, 32:256, 112:336]
    scores = detector_scores(images)
    assert scores.shape == (12,)
    assert scores[0] == pytest.approx(detect_faces(images[0])[0].score, abs=1e-5)
    assert (scores[[1, 2]] < 0.3).all()
    np.testing.assert_allclose(scores.reshape(4, 3), np.tile(scores[:3], (4, 1)), atol=1e-5)
    np.testing.assert_array_equal(scores, detector_scores(images))
    assert detector_scores(images[:0]).shape == (0,)


def test_grey_equals_its_rgb_copy(portrait: NDArray[np.uint8]) -> None:
    grey = portrait[..., 1]
    a, b = detect_faces(grey)[0], detect_faces(np.repeat(grey[..., None], 3, axis=2))[0]
    np.testing.assert_array_equal(a.landmarks, b.landmarks)


def test_candidates_near_the_middle(portrait: NDArray[np.uint8]) -> None:
    centred = portrait[20:220, 122:322]
    found, nothing = nearest_candidates(np.stack([centred, np.zeros_like(centred)]), 0.2)
    assert nothing is None
    assert found is not None
    assert found.score > 0.8
    offset = nearest_candidates(np.roll(centred, 100, axis=1)[None], 0.1)[0]
    assert offset is None or offset.score < 0.6


def test_suppression_against_hand_computed_overlaps() -> None:
    rows = np.zeros((4, 15), dtype=np.float32)
    rows[:, :4] = [[0, 0, 10, 10], [5, 0, 10, 10], [8, 0, 10, 10], [0, 0, 10, 10]]
    rows[:, 14] = [0.9, 0.8, 0.7, 0.6]
    # Overlaps with the first: 50/150, 20/180 and 100/100; of the second with the third 70/130.
    np.testing.assert_allclose(_suppress(rows, 0.3)[:, 14], [0.9, 0.7])
    np.testing.assert_allclose(_suppress(rows, 0.4)[:, 14], [0.9, 0.8])
    np.testing.assert_allclose(_suppress(rows, 0.6)[:, 14], [0.9, 0.8, 0.7])
    assert _suppress(rows[:0], 0.3).shape == (0, 15)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        detect_faces(np.zeros((9, 9, 3)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="grey or RGB"):
        detect_faces(np.zeros((9, 9, 4), dtype=np.uint8))
    with pytest.raises(ValueError, match="with pixels"):
        detect_faces(np.zeros((0, 0, 3), dtype=np.uint8))
