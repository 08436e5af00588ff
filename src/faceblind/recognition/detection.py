"""Find faces and their five points with YuNet.

Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", Machine Intelligence Research 20
(2023). Run through ONNX Runtime rather than ``cv2.FaceDetectorYN``: many pictures in one call,
bounded threads, and one runtime for all networks. The decoding follows OpenCV's
``modules/objdetect/src/face_detect.cpp``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from faceblind.recognition.crops import resized
from faceblind.recognition.onnx_models import (
    YUNET,
    any_batch,
    default_threads,
    official_bytes,
    open_session,
)

if TYPE_CHECKING:
    import onnxruntime

DEFAULT_SCORE = 0.6
"""Lowest score of a detection; true faces of usable size score 0.8 to 0.95."""
DEFAULT_OVERLAP = 0.3
"""Highest intersection over union of two detections, OpenCV's default."""
LONGEST_SIDE = 1600
"""Larger pictures are shrunk to this many pixels: YuNet knows faces of 10 to 300 pixels."""

_STRIDES = (8, 16, 32)
_BATCH = 9


@dataclass(frozen=True)
class Detection:
    """One face in a picture.

    Parameters
    ----------
    box : (4,) float32 ndarray
        Left, top, width, height in pixels; may reach beyond the picture.
    score : float
        0 to 1.
    landmarks : (5, 2) float32 ndarray
        Person's right eye, left eye, nose tip, right and left mouth corner; x, y in pixels.
    """

    box: NDArray[np.float32]
    score: float
    landmarks: NDArray[np.float32]


@lru_cache(maxsize=4)
def _session(threads: int) -> onnxruntime.InferenceSession:
    return open_session(any_batch(official_bytes(YUNET), any_size=True), threads)


def _as_rgb(images: NDArray[np.uint8], dims: int) -> NDArray[np.uint8]:
    """Check a grey or RGB array with `dims` axes before the channels; grey is repeated."""
    if images.dtype != np.uint8:
        raise ValueError(f"expected uint8 pixels, got {images.dtype}")
    if images.ndim == dims:
        return np.repeat(images[..., None], 3, axis=-1)
    if images.ndim != dims + 1 or images.shape[-1] != 3:
        raise ValueError(f"expected grey or RGB pictures, got an array of shape {images.shape}")
    return images


def _predict(images: NDArray[np.uint8], threads: int) -> NDArray[np.float32]:
    """All candidates of a batch.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 ndarray
        RGB.

    Returns
    -------
    (N, A, 15) float32 ndarray
        Box (left, top, width, height), five points, score.
    """
    height, width = images.shape[1:3]
    rows, columns = -(-height // 32) * 32, -(-width // 32) * 32
    blob = np.zeros((len(images), 3, rows, columns), dtype=np.float32)
    # YuNet was trained on BGR in 0..255.
    blob[:, :, :height, :width] = images[..., ::-1].transpose(0, 3, 1, 2)
    outputs = _session(threads).run(None, {"input": blob})
    levels = []
    for level, stride in enumerate(_STRIDES):
        kind, objectness, box, points = (outputs[level + 3 * part] for part in range(4))
        y, x = np.mgrid[: rows // stride, : columns // stride].reshape(2, -1).astype(np.float32)
        cell = np.stack([x, y], axis=-1)
        size = np.exp(box[..., 2:]) * stride
        corner = (cell + box[..., :2]) * stride - size / 2
        marks = (points.reshape(len(images), -1, 5, 2) + cell[:, None]) * stride
        score = np.sqrt(np.clip(kind, 0, 1) * np.clip(objectness, 0, 1))
        marks = marks.reshape(len(images), -1, 10)
        levels.append(np.concatenate([corner, size, marks, score], axis=-1))
    return np.concatenate(levels, axis=1).astype(np.float32)


def _suppress(candidates: NDArray[np.float32], overlap: float) -> NDArray[np.float32]:
    """Greedy non-maximum suppression of (A, 15) candidates; best first."""
    order = np.argsort(-candidates[:, 14], kind="stable")
    rest = candidates[order]
    kept = []
    while len(rest):
        best, rest = rest[0], rest[1:]
        kept.append(best)
        low = np.maximum(best[:2], rest[:, :2])
        high = np.minimum(best[:2] + best[2:4], rest[:, :2] + rest[:, 2:4])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        union = best[2] * best[3] + rest[:, 2] * rest[:, 3] - shared
        rest = rest[shared <= overlap * union]
    return np.array(kept, dtype=np.float32).reshape(-1, 15)


def detect_faces(
    image: NDArray[np.uint8],
    score_threshold: float = DEFAULT_SCORE,
    overlap_threshold: float = DEFAULT_OVERLAP,
    threads: int | None = None,
) -> list[Detection]:
    """Find the faces in one picture.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) uint8 ndarray
        RGB or grey. Pictures above `LONGEST_SIDE` are searched at a smaller size.
    score_threshold : float
        Lowest score kept.
    overlap_threshold : float
        Of two boxes that overlap more (intersection over union), the better is kept.
    threads : int, optional
        Default: two, or one on a single core.

    Returns
    -------
    list of Detection
        Best first, in pixels of `image`.
    """
    picture = _as_rgb(image, 2)
    longest = max(picture.shape[:2])
    if longest == 0:
        raise ValueError(f"expected a picture with pixels, got shape {picture.shape}")
    factor: NDArray[np.float32] = np.ones(2, dtype=np.float32)
    if longest > LONGEST_SIDE:
        width, height = (
            max(1, round(side * LONGEST_SIDE / longest)) for side in picture.shape[1::-1]
        )
        factor = np.divide(picture.shape[1::-1], (width, height), dtype=np.float32)
        picture = resized(picture, (width, height))
    found = _predict(picture[None], threads or default_threads())[0]
    found = _suppress(found[found[:, 14] >= score_threshold], overlap_threshold)
    return [
        Detection(
            box=row[:4] * np.tile(factor, 2),
            score=float(row[14]),
            landmarks=row[4:14].reshape(5, 2) * factor,
        )
        for row in found
    ]


def nearest_candidates(
    crops: NDArray[np.uint8], reach: float, threads: int | None = None
) -> list[Detection | None]:
    """Best detection near the middle of each of many crops of one size.

    Parameters
    ----------
    crops : (N, H, W) or (N, H, W, 3) uint8 ndarray
        Grey or RGB.
    reach : float
        Greatest distance of the box centre from the crop's centre, as a share of the crop's side.
    threads : int, optional
        Default: two, or one on a single core.

    Returns
    -------
    list of (Detection or None)
        None where nothing reaches half of `DEFAULT_SCORE`.
    """
    pictures = _as_rgb(crops, 3)
    size = np.array(pictures.shape[2:0:-1], dtype=np.float32)
    found: list[Detection | None] = []
    for rows in _predict(pictures, threads or default_threads()):
        offset = (rows[:, :2] + rows[:, 2:4] / 2 - size / 2) / size
        score = np.where(np.hypot(*offset.T) <= reach, rows[:, 14], 0)
        row = rows[score.argmax()]
        near = score.max() >= DEFAULT_SCORE / 2
        found.append(Detection(row[:4], float(row[14]), row[4:14].reshape(5, 2)) if near else None)
    return found


def detector_scores(images: NDArray[np.uint8], threads: int | None = None) -> NDArray[np.float32]:
    """Best face score of each of many pictures of one size.

    Parameters
    ----------
    images : (N, H, W) or (N, H, W, 3) uint8 ndarray
        Grey or RGB, such as renders.
    threads : int, optional
        Default: two, or one on a single core.

    Returns
    -------
    (N,) float32 ndarray
        0 (nothing like a face) to 1.
    """
    pictures = _as_rgb(images, 3)
    scores = [
        _predict(pictures[start : start + _BATCH], threads or default_threads())[..., 14].max(1)
        for start in range(0, len(pictures), _BATCH)
    ]
    return np.concatenate(scores) if scores else np.empty(0, dtype=np.float32)
