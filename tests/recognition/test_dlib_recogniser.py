"""dlib behind the same interface, and what to do when it is missing."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from faceblind.errors import RecogniserError
from faceblind.recognition import dlib_recogniser
from faceblind.recognition.crops import DLIB_POINTS, similarity
from faceblind.recognition.photographs import find_face


def test_missing_packages_name_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = r"pip install faceblind\[dlib\]"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "dlib", None)
        with pytest.raises(RecogniserError, match=line):
            dlib_recogniser.load_dlib()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RecogniserError, match=line):
        dlib_recogniser.weights_path()


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dlib")
    dlib_recogniser.weights_path()
    monkeypatch.setattr(dlib_recogniser, "_SHA256", "0" * 64)
    with pytest.raises(RecogniserError, match="sha256 is 55533b28a958"):
        dlib_recogniser.load_dlib()


def test_vectors_are_unit_repeatable_and_independent_of_the_batch(
    portrait: NDArray[np.uint8],
) -> None:
    pytest.importorskip("dlib")
    recogniser = dlib_recogniser.load_dlib()
    marks = find_face(portrait).landmarks
    images = np.stack([portrait, portrait[:, ::-1]])
    mirrored = np.column_stack([511 - marks[:, 0], marks[:, 1]])[[1, 0, 2, 4, 3]]
    vectors = recogniser.embed(images, [marks, mirrored])
    assert vectors.shape == (2, 128)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(recogniser.embed(images[:1], [marks]), vectors[:1], atol=1e-6)
    assert vectors[0] @ vectors[1] > 0.95
    assert recogniser.embed(images[:0], np.empty((0, 5, 2))).shape == (0, 128)


def test_the_chip_is_close_to_dlibs_own(portrait: NDArray[np.uint8]) -> None:
    dlib = pytest.importorskip("dlib")
    face = find_face(portrait)
    predictor = dlib.shape_predictor(
        str(dlib_recogniser.weights_path().with_name("shape_predictor_5_face_landmarks.dat"))
    )
    left, top, width, height = (int(side) for side in face.box)
    # dlib's detector frames a square from the brows to the chin.
    box = dlib.rectangle(left, top + height - width, left + width, top + height)
    chip = dlib.get_face_chip_details(predictor(portrait, box), 150, 0.25)
    matrix = similarity(face.landmarks, DLIB_POINTS)
    scale = np.hypot(matrix[0, 0], matrix[1, 0])
    centre = np.linalg.solve(matrix[:, :2], np.array([74.5, 74.5]) - matrix[:, 2])
    theirs = np.array([chip.rect.dcenter().x, chip.rect.dcenter().y])
    assert 150 / scale == pytest.approx(chip.rect.width(), rel=0.1)
    assert np.linalg.norm(centre - theirs) * scale < 8
