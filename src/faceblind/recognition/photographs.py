"""The face of the person in a photograph: where it is and how good the picture is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import PhotographError
from faceblind.recognition.crops import (
    ARCFACE_POINTS,
    align_faces,
    resized,
    similarity,
    to_grey,
    warp,
)
from faceblind.recognition.detection import (
    LONGEST_SIDE,
    Detection,
    detect_faces,
    nearest_candidates,
)

FLAGS = ("no_face", "several_faces", "too_small", "blurred")
"""Quality flags; only ``no_face`` keeps a photograph from being enrolled."""

SMALLEST_EYE_DISTANCE = 20.0
"""Pixels between the eyes (of the fitted frontal face) below which a face is ``too_small``.

The recognisers look at 35 to 53 pixels; below some 20 most of what they see is interpolation."""
LEAST_SHARPNESS = 0.02
"""Sharpness (see `sharpness`) below which a face is ``blurred``.

Reached by a Gaussian blur of some 5 % of the distance between the eyes, where SFace's cosine
between the blurred and the sharp picture falls below 0.9; in focus it is 0.13 and more."""
RIVAL_AREA = 0.2
"""Another face counts for ``several_faces`` from this share of the chosen face's area."""

LARGEST_FACE = 300
"""Pixels; YuNet was trained on faces of 10 to 300, larger ones are searched for again, smaller."""

CROP_SIZE = 224
# Longer side in pixels, and whether with a border.
_SEARCHES = ((640, False), (LONGEST_SIDE, False), (240, True))
_CROP_MARGIN = 1.8
# A face that lies on its side or head is found too, with wrong points, but upright it scores
# better: by 0.021 to 0.1 in 51 pictures. A turned picture has to win by this much.
_TURNED_LEAD = 0.015
_TURNED_SCORE = 0.8
# Crop side over box side, chosen on synthetic photographs; six crops cost some 60 ms.
_FRAMINGS = (1.6, 2.0, 2.5)
_FRAMING_SIZE = 320
_FRAMING_REACH = 0.2
_MOST_TURNS = 3
_TURNED_ENOUGH = 4.0  # degrees
_MIRRORED = [1, 0, 2, 4, 3]
_EYES_IN_TEMPLATE = float(np.linalg.norm(ARCFACE_POINTS[1] - ARCFACE_POINTS[0]))


@dataclass(frozen=True)
class PhotoFace:
    """The chosen face of a photograph, in pixels of the photograph.

    Parameters
    ----------
    landmarks : (5, 2) float32 ndarray
        Person's right eye, left eye, nose tip, right and left mouth corner; NaN without a face.
    box : (4,) float32 ndarray
        Left, top, width, height; may reach beyond the picture; NaN without a face.
    score : float
        Detector score, 0 to 1; 0 without a face.
    flags : tuple of str
        Some of `FLAGS`.
    """

    landmarks: NDArray[np.float32]
    box: NDArray[np.float32]
    score: float
    flags: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether there is a face; if not, the photograph is a failure to enrol."""
        return "no_face" not in self.flags


def sharpness(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> float:
    """Variance of the Laplacian over the variance of the grey values of the aligned face.

    The ratio depends neither on contrast nor on brightness; a face out of focus loses it. Method:
    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    crop = align_faces(image[None], landmarks[None], ARCFACE_POINTS, 112)[0]
    grey = to_grey(crop)[28:108, 20:92, 0].astype(np.float64)
    spread = grey.var()
    return float(cv2.Laplacian(grey, cv2.CV_64F).var() / spread) if spread > 1 else 0.0


def find_face(image: NDArray[np.uint8], threads: int | None = None) -> PhotoFace:
    """Find the person in a photograph.

    The photograph is searched at a middle size first; then larger, if no face was found, and
    smaller with a border, if none was found or one fills the picture; each also turned by
    quarters, because not all cameras note how they were held. Of several faces the one that is
    large and central is taken. Its points are the mean over three framings and their mirror
    images, which lowers their scatter over picture sizes from 4 % to 1.2 % of the distance between
    the eyes.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) uint8 ndarray
        RGB or grey, upright as far as known.
    threads : int, optional
        Default: two, or one on a single core.

    Returns
    -------
    PhotoFace
        With the flag ``no_face`` when nothing was found; never an error for that.
    """
    longest = max(image.shape[:2])
    kept = None
    for side, framed in _SEARCHES:
        if side > _SEARCHES[0][0] and (kept or longest <= _SEARCHES[0][0]):
            continue
        matrix, picture = _fitted(image, min(side, longest))
        if framed:
            matrix, picture = _framed(matrix, picture)
        found, turn = _best_turn(picture, threads)
        if found:
            kept = found, _chained(turn, matrix)
            if max(float(item.box[2:].max()) for item in found) <= LARGEST_FACE:
                break
    if kept:
        return _describe(image, *kept, threads)
    nothing = np.full((5, 2), np.nan, dtype=np.float32)
    return PhotoFace(nothing, np.full(4, np.nan, dtype=np.float32), 0.0, ("no_face",))


def _framed(
    matrix: NDArray[np.float64], picture: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """The picture with its edge continued by a third of its longer side, and the map into it."""
    border = max(picture.shape[:2]) // 3
    framed = cv2.copyMakeBorder(picture, border, border, border, border, cv2.BORDER_REPLICATE)
    return matrix + np.array([[0, 0, border], [0, 0, border]]), np.asarray(framed, np.uint8)


def _best_turn(
    picture: NDArray[np.uint8], threads: int | None
) -> tuple[list[Detection], NDArray[np.float64]]:
    """Detections in the upright or, if clearly better, a turned picture, and the map into it."""
    height, width = picture.shape[:2]
    best, chosen = detect_faces(picture, threads=threads), np.eye(3)[:2]
    turns = {
        -1: [[0.0, -1.0, height - 1.0], [1.0, 0.0, 0.0]],
        1: [[0.0, 1.0, 0.0], [-1.0, 0.0, width - 1.0]],
        2: [[-1.0, 0.0, width - 1.0], [0.0, -1.0, height - 1.0]],
    }
    least = max(_TURNED_SCORE, best[0].score + _TURNED_LEAD if best else 0)
    for quarters, turn in turns.items():
        turned = np.ascontiguousarray(np.rot90(picture, quarters))
        found = detect_faces(turned, threads=threads)
        if found and found[0].score >= least:
            best, chosen, least = found, np.array(turn), found[0].score
    return best, chosen


def _chained(second: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (2, 3) map that applies `first`, then `second`."""
    return second @ np.vstack([first, [0.0, 0.0, 1.0]])


def _applied(matrix: NDArray[np.float64], points: ArrayLike) -> NDArray[np.float64]:
    """(N, 2) points under a (2, 3) map."""
    return np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]


def _inverted(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.invertAffineTransform(matrix), dtype=np.float64)


def _fitted(image: NDArray[np.uint8], side: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """The picture with its longer side at `side` pixels and the (2, 3) map into it."""
    height, width = image.shape[:2]
    longest = max(height, width)
    if longest == side:
        return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), image
    size = (max(1, round(width * side / longest)), max(1, round(height * side / longest)))
    x, y = size[0] / width, size[1] / height
    matrix = np.array([[x, 0.0, 0.5 * x - 0.5], [0.0, y, 0.5 * y - 0.5]])
    return matrix, resized(image, size)


def _describe(
    image: NDArray[np.uint8],
    found: list[Detection],
    matrix: NDArray[np.float64],
    threads: int | None,
) -> PhotoFace:
    """Choose among detections in the searched picture and judge the chosen face.

    Parameters
    ----------
    matrix : (2, 3) float64 ndarray
        Pixels of `image` to pixels of the searched picture.
    """
    back = _inverted(matrix)
    centre = np.array(image.shape[1::-1]) / 2
    boxes = [_moved_box(item.box, back) for item in found]
    areas = [box[2:].prod() for box in boxes]
    offsets = [
        np.linalg.norm(box[:2] + box[2:] / 2 - centre) / np.linalg.norm(centre) for box in boxes
    ]
    best = int(np.argmax([a * np.exp(-2 * o**2) for a, o in zip(areas, offsets, strict=True)]))
    landmarks = _refined(image, found[best], matrix, threads).astype(np.float32)
    flags = []
    if sum(area >= RIVAL_AREA * areas[best] for area in areas) > 1:
        flags.append("several_faces")
    fit = similarity(landmarks, ARCFACE_POINTS)
    if _EYES_IN_TEMPLATE / np.hypot(fit[0, 0], fit[1, 0]) < SMALLEST_EYE_DISTANCE:
        flags.append("too_small")
    if sharpness(image, landmarks) < LEAST_SHARPNESS:
        flags.append("blurred")
    return PhotoFace(landmarks, boxes[best].astype(np.float32), found[best].score, tuple(flags))


def _moved_box(box: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """A (left, top, width, height) box under a map of scale and quarter turns."""
    corners = _applied(matrix, [box[:2], box[:2] + box[2:]])
    low, high = corners.min(axis=0), corners.max(axis=0)
    return np.concatenate([low, high - low])


def _refined(
    image: NDArray[np.uint8],
    item: Detection,
    matrix: NDArray[np.float64],
    threads: int | None,
) -> NDArray[np.float64]:
    """(5, 2) points in pixels of `image`, the mean over framings of one face made upright.

    YuNet draws the points of a tilted head towards an upright face, so the picture is turned by
    the tilt found so far, and again as long as that reveals more tilt.
    """
    points = item.landmarks.astype(np.float64)
    for _ in range(_MOST_TURNS):
        fit = similarity(points, ARCFACE_POINTS)
        turn = fit[:, :2] / np.hypot(fit[0, 0], fit[1, 0])
        better = _framing_mean(image, item.box, turn, matrix, threads)
        if better is None:
            break
        points = better
        fit = similarity(points @ turn.T, ARCFACE_POINTS)
        if abs(np.degrees(np.arctan2(fit[1, 0], fit[0, 0]))) < _TURNED_ENOUGH:
            break
    return _applied(_inverted(matrix), points)


def _framing_mean(
    image: NDArray[np.uint8],
    box: NDArray[np.float32],
    turn: NDArray[np.float64],
    matrix: NDArray[np.float64],
    threads: int | None,
) -> NDArray[np.float64] | None:
    """Mean points over framings and mirror images, turned by `turn`, in searched pixels."""
    middle = box[:2].astype(float) + box[2:] / 2
    frames, crops = [], []
    for margin in _FRAMINGS:
        linear = turn * (_FRAMING_SIZE / (margin * float(box[2:].max())))
        frame = np.column_stack([linear, _FRAMING_SIZE / 2 - linear @ middle])
        crop = warp(image, _chained(frame, matrix), _FRAMING_SIZE)
        frames += [frame] * 2
        crops += [crop, crop[:, ::-1]]
    points = []
    found = nearest_candidates(np.array(crops), _FRAMING_REACH, threads)
    for number, (frame, detection) in enumerate(zip(frames, found, strict=True)):
        if detection is None:
            continue
        marks = detection.landmarks.astype(np.float64)
        if number % 2:
            marks[:, 0] = _FRAMING_SIZE - 1 - marks[:, 0]
            marks = marks[_MIRRORED]
        points.append(_applied(_inverted(frame), marks))
    return np.asarray(np.mean(points, axis=0)) if points else None


def loose_crop(
    image: NDArray[np.uint8], face: PhotoFace, size: int = CROP_SIZE, grey: bool = True
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Cut the face with hair, ears and neck, all photographs at one size.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) uint8 ndarray
        The photograph.
    face : PhotoFace
        What `find_face` found in it.
    size : int
        Side of the square crop in pixels.
    grey : bool
        Remove colour, which renders of scans do not have.

    Returns
    -------
    crop : (size, size, 3) uint8 ndarray
        Black where the photograph ends.
    landmarks : (5, 2) float32 ndarray
        In pixels of the crop.

    Raises
    ------
    PhotographError
        If there is no face.
    """
    if not face.found:
        raise PhotographError("photograph: no face was found in it; it cannot be enrolled")
    side = _CROP_MARGIN * float(face.box[2:].max())
    scale = size / side
    middle = face.box[:2].astype(float) + face.box[2:] / 2
    shift = size / 2 - scale * middle
    matrix = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
    crop = warp(image, matrix, size)
    crop = np.repeat(crop[..., None], 3, axis=-1) if crop.ndim == 2 else crop
    landmarks = (face.landmarks * scale + shift).astype(np.float32)
    return (to_grey(crop) if grey else crop), landmarks
