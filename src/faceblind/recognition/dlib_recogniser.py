"""dlib's ResNet face recogniser, the one behind the Python package ``face_recognition``.

Optional: ``pip install faceblind[dlib]``. About 75 ms per face on one core; dlib holds Python's
lock meanwhile, so threads do not help and several scans are worked on in processes.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import RecogniserError
from faceblind.recognition.crops import DLIB_POINTS, DLIB_SIZE, align_faces
from faceblind.recognition.onnx_recogniser import unit_rows

_FILE = "dlib_face_recognition_resnet_model_v1.dat"
_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
_INSTALL = "install it with: pip install faceblind[dlib]"
_BATCH = 27
_DIMENSIONS = 128


class DlibRecogniser:
    """dlib's network behind the `Recogniser` interface.

    The 150 x 150 chip is cut by the similarity that takes our five points to the same places of
    dlib's mean face (padding 0.25), so that renders and photographs need no second landmark
    detector. dlib's own chip from its five-point predictor (eye corners and nose base) differs
    by a few pixels.
    """

    def __init__(self, network: Any) -> None:
        self.name = "dlib"
        self.identity = f"dlib-{_SHA256[:12]}"
        self._network = network

    def embed(self, images: NDArray[np.uint8], landmarks: ArrayLike) -> NDArray[np.float32]:
        """Unit vectors of faces.

        Parameters
        ----------
        images : (N, H, W) or (N, H, W, 3) uint8 ndarray
            Grey or RGB, one face each.
        landmarks : (N, 5, 2) array-like
            Pixels; person's right eye, left eye, nose tip, right and left mouth corner.

        Returns
        -------
        (N, 128) float32 ndarray
        """
        chips = align_faces(images, landmarks, DLIB_POINTS, DLIB_SIZE)
        if not len(chips):
            return np.empty((0, _DIMENSIONS), dtype=np.float32)
        parts = [
            np.array(self._network.compute_face_descriptor(list(chips[start : start + _BATCH])))
            for start in range(0, len(chips), _BATCH)
        ]
        return unit_rows(np.concatenate(parts), self.name)


def weights_path() -> Path:
    """Where the package face-recognition-models keeps the weights.

    The package is located without importing it: its import needs ``pkg_resources``, which
    current setuptools no longer has.

    Raises
    ------
    RecogniserError
        If the package or its file is missing.
    """
    found = importlib.util.find_spec("face_recognition_models")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "models" / _FILE
        if path.is_file():
            return path
    raise RecogniserError(f"recogniser dlib: face-recognition-models is missing; {_INSTALL}")


def load_dlib() -> DlibRecogniser:
    """Open dlib's network.

    Raises
    ------
    RecogniserError
        If dlib or the weights are missing, or the weights are not the published ones.
    """
    try:
        dlib = importlib.import_module("dlib")
    except ImportError as error:
        raise RecogniserError(f"recogniser dlib: dlib is missing; {_INSTALL}") from error
    path = weights_path()
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != _SHA256:
        raise RecogniserError(
            f"{_FILE}: sha256 is {found[:12]}..., expected {_SHA256[:12]}...; the file is damaged "
            "or was replaced; reinstall face-recognition-models"
        )
    return DlibRecogniser(dlib.face_recognition_model_v1(str(path)))
