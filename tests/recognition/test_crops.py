"""Similarities are recovered; crops equal OpenCV's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from faceblind.errors import RecogniserError
from faceblind.recognition.crops import (
    ARCFACE_POINTS,
    DLIB_POINTS,
    align_faces,
    similarity,
    to_grey,
    warp,
)


@pytest.mark.parametrize("seed", range(5))
def test_known_similarities_are_recovered(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angle, scale, shift = rng.uniform(-np.pi, np.pi), rng.uniform(0.1, 5), rng.normal(0, 50, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    source = rng.normal(0, 30, (5, 2))
    matrix = similarity(source, scale * source @ turn.T + shift)
    np.testing.assert_allclose(matrix, np.column_stack([scale * turn, shift]), atol=1e-9)


def test_similarity_is_the_best_one_and_never_a_reflection() -> None:
    rng = np.random.default_rng(0)
    source, target = rng.normal(0, 10, (2, 5, 2))
    matrix = similarity(source, target)
    assert np.linalg.det(matrix[:, :2]) > 0

    def cost(m: NDArray[np.float64]) -> float:
        return float(((source @ m[:, :2].T + m[:, 2] - target) ** 2).sum())

    a, b = matrix[0, 0], matrix[1, 0]
    for da, db, dx, dy in rng.normal(0, 1e-3, (50, 4)):
        other = np.array([[a + da, -b - db, dx], [b + db, a + da, dy]])
        other[:, 2] += matrix[:, 2]
        assert cost(other) >= cost(matrix)


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan)])
def test_points_without_a_face_are_refused(points: NDArray[np.float64]) -> None:
    with pytest.raises(RecogniserError, match="no face can be aligned"):
        similarity(points, ARCFACE_POINTS)


def test_crops_equal_opencv_align_crop(
    portrait: NDArray[np.uint8], opencv_rows: NDArray[np.float32], opencv_sface: Any
) -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        row = opencv_rows[0].copy()
        row[4:14] += rng.normal(0, 3, 10).astype(np.float32)
        oracle = opencv_sface.alignCrop(portrait[..., ::-1].copy(), row[None])[..., ::-1]
        ours = align_faces(portrait[None], row[4:14].reshape(1, 5, 2), ARCFACE_POINTS, 112)[0]
        assert np.abs(ours.astype(int) - oracle).max() <= 2
        assert (ours == oracle).mean() > 0.99


def test_grey_pictures_equal_their_rgb_copies(portrait: NDArray[np.uint8]) -> None:
    grey = to_grey(portrait)
    marks = np.array([[[200, 102], [246, 100], [222, 128], [206, 146], [242, 145]]])
    a = align_faces(grey[None], marks, ARCFACE_POINTS, 112)
    b = align_faces(grey[None, ..., 0], marks, ARCFACE_POINTS, 112)
    assert a.shape == b.shape == (1, 112, 112, 3)
    np.testing.assert_array_equal(a, b)


def test_to_grey_is_luma() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    np.testing.assert_array_equal(to_grey(colours)[0, :, 1], [76, 150, 29, 255])
    with pytest.raises(ValueError, match="expected"):
        to_grey(np.zeros((4, 4), dtype=np.uint8))


def test_strong_shrinking_does_not_alias() -> None:
    stripes = np.zeros((800, 800), dtype=np.uint8)
    stripes[:, ::2] = 200
    small = warp(stripes, np.array([[0.125, 0.0, 0.0], [0.0, 0.125, 0.0]]), 100)
    assert np.ptp(small[5:-5, 5:-5]) <= 2
    assert abs(float(small[50, 50]) - 100) <= 2


@pytest.mark.parametrize("scale", [0.4, 0.21, 0.1])
def test_shrinking_keeps_places(scale: float) -> None:
    y, x = np.mgrid[:400, :400]
    blob = np.exp(-((x - 130) ** 2 + (y - 250) ** 2) / (2 * 30**2)) * 255
    small = warp(blob.astype(np.uint8), np.array([[scale, 0, 3.0], [0, scale, -2.0]]), 160)
    weights = small.astype(float)
    rows, columns = np.mgrid[:160, :160]
    centre = np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()
    np.testing.assert_allclose(centre, [130 * scale + 3, 250 * scale - 2], atol=0.15)


def test_dlib_points_are_symmetric_and_inside_the_chip() -> None:
    assert ((DLIB_POINTS > 0) & (DLIB_POINTS < 150)).all()
    mirrored = 2 * DLIB_POINTS[2, 0] - DLIB_POINTS[[1, 0, 2, 4, 3], 0]
    np.testing.assert_allclose(DLIB_POINTS[:, 0], mirrored, atol=0.1)


def test_wrong_shapes_and_types_are_refused() -> None:
    images, marks = np.zeros((2, 8, 8), dtype=np.uint8), np.zeros((2, 5, 2))
    with pytest.raises(ValueError, match="uint8"):
        align_faces(images.astype(float), marks, ARCFACE_POINTS, 112)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\(2, 5, 2\), got \(1, 5, 2\)"):
        align_faces(images, marks[:1], ARCFACE_POINTS, 112)
    with pytest.raises(ValueError, match="got shape"):
        align_faces(images[..., None], marks, ARCFACE_POINTS, 112)
