"""One photograph of a face that everybody has, and OpenCV's own classes as oracles."""

from __future__ import annotations

import importlib.resources
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from faceblind.recognition.onnx_models import SFACE, YUNET, OfficialModel


def model_path(model: OfficialModel) -> str:
    return str(importlib.resources.files("faceblind").joinpath("data", "models", model.file))


@pytest.fixture(scope="session")
def portrait() -> NDArray[np.uint8]:
    """(512, 512, 3) RGB photograph of Eileen Collins (NASA, public domain)."""
    return np.asarray(data.astronaut(), dtype=np.uint8)


@pytest.fixture(scope="session")
def opencv_rows(portrait: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(F, 15) detections of OpenCV's FaceDetectorYN in `portrait`."""
    height, width = portrait.shape[:2]
    detector: Any = cv2.FaceDetectorYN.create(model_path(YUNET), "", (width, height), 0.6, 0.3)
    return np.asarray(detector.detect(portrait[..., ::-1].copy())[1], dtype=np.float32)


@pytest.fixture(scope="session")
def opencv_sface() -> Any:
    """OpenCV's FaceRecognizerSF with the official file."""
    return cv2.FaceRecognizerSF.create(model_path(SFACE), "")
