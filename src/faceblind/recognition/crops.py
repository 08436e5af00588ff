"""Five facial points to a standard crop.

Points are pixels (x right, y down) in the order of YuNet and of our renders: the person's right
eye, left eye, nose tip, right mouth corner, left mouth corner; the person's right eye is thus on
the left of an upright picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import RecogniserError

ARCFACE_POINTS: NDArray[np.float64] = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""(5, 2) target points in a 112 x 112 crop: InsightFace ``arcface_dst``, also OpenCV alignCrop."""

# Averages of the points 36-41, 42-47, 30, 48 and 54 of dlib's mean face (mean_face_shape_x/y in
# dlib/image_transforms/interpolation.h), in units of the unpadded chip.
_DLIB_MEAN = np.array(
    [
        [0.225492, 0.215987],
        [0.754761, 0.215987],
        [0.490127, 0.515625],
        [0.254149, 0.780233],
        [0.726104, 0.780233],
    ]
)
_DLIB_PADDING = 0.25
DLIB_SIZE = 150
DLIB_POINTS: NDArray[np.float64] = (
    (_DLIB_MEAN + _DLIB_PADDING) / (1 + 2 * _DLIB_PADDING) * DLIB_SIZE
)
"""(5, 2) target points in dlib's 150 x 150 face chip with padding 0.25."""

_LEAST_UNFILTERED_SCALE = 0.5


def to_grey(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma of colour pictures (ITU-R BT.601), kept as three equal channels.

    Photographs are made grey before recognition because renders of scans have no colour.

    Parameters
    ----------
    images : (..., H, W, 3) uint8 ndarray
        RGB.

    Returns
    -------
    (..., H, W, 3) uint8 ndarray
    """
    if images.ndim < 3 or images.shape[-1] != 3:
        raise ValueError(f"expected (..., H, W, 3) images, got shape {images.shape}")
    luma = images @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    grey = np.clip(np.rint(luma), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def similarity(source: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """Least-squares rotation, uniform scale and shift that takes `source` to `target`.

    Closed form of Umeyama (IEEE TPAMI 13(4), 1991) for two dimensions, without reflection.

    Parameters
    ----------
    source, target : (N, 2) array-like
        Corresponding points in pixels.

    Returns
    -------
    (2, 3) float64 ndarray
        ``target = matrix[:, :2] @ source + matrix[:, 2]``.

    Raises
    ------
    RecogniserError
        If the points are not finite or all in one place.
    """
    a = np.asarray(source, dtype=np.float64)
    b = np.asarray(target, dtype=np.float64)
    if a.ndim != 2 or a.shape[1] != 2 or a.shape != b.shape:
        raise ValueError(f"expected two (N, 2) arrays, got shapes {a.shape} and {b.shape}")
    if not np.isfinite(a).all():
        raise RecogniserError("facial points are not finite; no face can be aligned to them")
    a_mean, b_mean = a.mean(axis=0), b.mean(axis=0)
    a0, b0 = a - a_mean, b - b_mean
    spread = (a0**2).sum()
    if spread < 1e-6:
        raise RecogniserError("facial points lie in one place; no face can be aligned to them")
    cosine = (a0 * b0).sum() / spread
    sine = (a0[:, 0] * b0[:, 1] - a0[:, 1] * b0[:, 0]).sum() / spread
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([linear, b_mean - linear @ a_mean])


def resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Area-averaged picture of `size` (width, height) pixels."""
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def warp(image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Resample a picture under a similarity, black outside.

    Bilinear as OpenCV's alignCrop. When the picture shrinks to less than half, it is first
    averaged over whole pixel blocks, because bilinear sampling alone would alias.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8 ndarray
    matrix : (2, 3) float64 ndarray
        Input pixels to output pixels.
    size : int
        Output side in pixels.

    Returns
    -------
    (size, size) or (size, size, 3) uint8 ndarray
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if 0 < scale < _LEAST_UNFILTERED_SCALE:
        block = int(1 / scale)
        height, width = (max(1, side // block) for side in image.shape[:2])
        crop = image[: height * block, : width * block]
        factors = np.array([crop.shape[1] / width, crop.shape[0] / height])
        image = resized(crop, (width, height))
        # Pixel centres: x_old = (x_new + 0.5) * factor - 0.5.
        shift = matrix[:, :2] @ (0.5 * factors - 0.5)
        matrix = np.column_stack([matrix[:, :2] * factors, matrix[:, 2] + shift])
    return np.asarray(cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR), np.uint8)


def align_faces(
    images: NDArray[np.uint8], landmarks: ArrayLike, points: NDArray[np.float64], size: int
) -> NDArray[np.uint8]:
    """Cut one standard crop per picture.

    Parameters
    ----------
    images : (N, H, W) or (N, H, W, 3) uint8 ndarray
        Grey or RGB.
    landmarks : (N, 5, 2) array-like
        Pixels, in the order of this module.
    points : (5, 2) float64 ndarray
        Where the landmarks go, pixels of the crop.
    size : int
        Side of the crop in pixels.

    Returns
    -------
    (N, size, size, 3) uint8 ndarray
        RGB; grey input is repeated over the channels.

    Raises
    ------
    ValueError
        If shapes or types do not fit.
    RecogniserError
        If landmarks are not finite or degenerate.
    """
    marks = np.asarray(landmarks, dtype=np.float64)
    if images.dtype != np.uint8:
        raise ValueError(f"expected uint8 images, got {images.dtype}")
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
        raise ValueError(f"expected (N, H, W) or (N, H, W, 3) images, got shape {images.shape}")
    if marks.shape != (len(images), 5, 2):
        raise ValueError(f"expected landmarks of shape ({len(images)}, 5, 2), got {marks.shape}")
    crops = np.empty((len(images), size, size, *images.shape[3:]), dtype=np.uint8)
    for crop, image, mark in zip(crops, images, marks, strict=True):
        crop[...] = warp(image, similarity(mark, points), size)
    return crops if crops.ndim == 4 else np.repeat(crops[..., None], 3, axis=-1)
