"""ONNX networks that turn an aligned face into a vector: SFace, and ArcFace-style files."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import RecogniserError
from faceblind.recognition.crops import ARCFACE_POINTS, align_faces
from faceblind.recognition.onnx_models import (
    SFACE,
    any_batch,
    default_threads,
    official_bytes,
    open_session,
)

if TYPE_CHECKING:
    import onnxruntime

_ARCFACE_SIDE = 112
# Nine crops keep the activations in the cache of a small machine: 81 SFace embeddings take 1.2 s
# in nines and 1.7 s in one batch of 81 on two cores.
_BATCH = 9


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects of its input.

    Parameters
    ----------
    colour : {"rgb", "bgr"}
        Order of the channels.
    mean, std : (3,) tuple of float
        Per channel in the network's order: input = (pixel - mean) / std, pixel in 0..255.
    size : int
        Side of the crop in pixels; the ArcFace points are scaled to it.
    layout : {"nchw", "nhwc"}
        Order of the axes.
    """

    colour: str = "rgb"
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: tuple[float, float, float] = (127.5, 127.5, 127.5)
    size: int = _ARCFACE_SIDE
    layout: str = "nchw"

    def tensor(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Network input from (N, size, size, 3) uint8 RGB crops."""
        pixels = crops[..., ::-1] if self.colour == "bgr" else crops
        scaled = (pixels - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(
            scaled.transpose(0, 3, 1, 2) if self.layout == "nchw" else scaled, dtype=np.float32
        )


# OpenCV's FaceRecognizerSF.feature passes RGB in 0..255; the network scales it itself.
SFACE_INPUT = Preprocessing(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def unit_rows(vectors: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Rows scaled to length one.

    Raises
    ------
    RecogniserError
        If a row is zero or not finite.
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise RecogniserError(
            f"{name}: the network returned vectors without length or not finite; "
            "check its preprocessing (mean, std, colour)"
        )
    return np.asarray(vectors / length, dtype=np.float32)


class OnnxRecogniser:
    """An ONNX network behind the `Recogniser` interface.

    Parameters
    ----------
    name : str
        For messages and summaries.
    digest : str
        Hash of the weights (and of the preprocessing where a user sets it).
    session : onnxruntime.InferenceSession
        One input, a vector per crop as first output.
    preprocessing : Preprocessing
    batch : int
        Crops per call; 1 for networks of fixed batch one.
    """

    def __init__(
        self,
        name: str,
        digest: str,
        session: onnxruntime.InferenceSession,
        preprocessing: Preprocessing,
        batch: int = _BATCH,
    ) -> None:
        self.name = name
        self.identity = f"{name}-{digest[:12]}"
        self._session = session
        self._input = session.get_inputs()[0].name
        self._preprocessing = preprocessing
        self._batch = batch

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
        (N, D) float32 ndarray
        """
        size = self._preprocessing.size
        points = ARCFACE_POINTS * (size / _ARCFACE_SIDE)
        return self.embed_aligned(align_faces(images, landmarks, points, size))

    def embed_aligned(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, D) unit vectors of (N, size, size, 3) uint8 RGB crops that are already aligned."""
        if not len(crops):
            size = self._preprocessing.size
            blank = np.zeros((1, size, size, 3), dtype=np.uint8)
            return np.empty((0, self._forward(blank).shape[1]), dtype=np.float32)
        parts = [
            self._forward(crops[start : start + self._batch])
            for start in range(0, len(crops), self._batch)
        ]
        return unit_rows(np.concatenate(parts), self.name)

    def _forward(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        tensor = self._preprocessing.tensor(crops)
        output = np.asarray(self._session.run(None, {self._input: tensor})[0])
        return output.reshape(len(crops), -1)


def load_sface(threads: int | None = None) -> OnnxRecogniser:
    """SFace from the official file inside the package.

    Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition", IEEE
    Transactions on Image Processing 30 (2021). 128 dimensions.

    Parameters
    ----------
    threads : int, optional
        Default: two, or one on a single core.

    Raises
    ------
    RecogniserError
        If the file is missing or its hash is not the published one.
    """
    session = open_session(any_batch(official_bytes(SFACE)), threads or default_threads())
    return OnnxRecogniser("sface", SFACE.sha256, session, SFACE_INPUT)


def read_preprocessing(path: Path) -> Preprocessing:
    """Read the TOML file beside a user's network.

    Keys, all optional: ``colour`` ("rgb" or "bgr"), ``mean`` and ``std`` (a number or three),
    ``size`` (pixels), ``layout`` ("nchw" or "nhwc").

    Raises
    ------
    RecogniserError
        If the file cannot be read, or a key or value is not one of these.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecogniserError(f"{path}: not a readable TOML file ({error})") from error
    settings = Preprocessing()
    for key, value in table.items():
        if key in ("mean", "std"):
            three = _three(value, key, path)
            settings = (
                replace(settings, mean=three) if key == "mean" else replace(settings, std=three)
            )
        elif key in _CHOICES:
            if value not in _CHOICES[key]:
                options = " or ".join(f'"{choice}"' for choice in _CHOICES[key])
                raise RecogniserError(f"{path}: {key} must be {options}, got {value!r}")
            settings = replace(settings, **{key: value})
        elif key == "size":
            if type(value) is not int or not 16 <= value <= 1024:
                raise RecogniserError(f"{path}: size must be 16 to 1024 pixels, got {value!r}")
            settings = replace(settings, size=value)
        else:
            raise RecogniserError(
                f"{path}: unknown key {key!r}; known are colour, mean, std, size and layout"
            )
    return settings


_CHOICES = {"colour": ("rgb", "bgr"), "layout": ("nchw", "nhwc")}


def _three(value: Any, key: str, path: Path) -> tuple[float, float, float]:
    values = value if isinstance(value, list) else [value] * 3
    numeric = all(type(item) in (int, float) and np.isfinite(item) for item in values)
    if len(values) != 3 or not numeric or (key == "std" and min(values) <= 0):
        wanted = "a positive number or three" if key == "std" else "a number or three"
        raise RecogniserError(f"{path}: {key} must be {wanted}, got {value!r}")
    return float(values[0]), float(values[1]), float(values[2])


def load_arcface(path: Path, threads: int | None = None) -> OnnxRecogniser:
    """A user's network that takes ArcFace-aligned crops.

    Its preprocessing is read from the file with the same stem and suffix ``.toml``; without one,
    InsightFace's is assumed (`Preprocessing`). A network with a fixed batch of one is called once
    per crop.

    Parameters
    ----------
    path : Path
        ONNX file.
    threads : int, optional
        Default: two, or one on a single core.

    Raises
    ------
    RecogniserError
        If the file is missing, is not ONNX, or does not map crops to vectors.
    """
    if not path.is_file():
        raise RecogniserError(f"{path}: no such file; give the path of an ONNX file")
    sidecar = path.with_suffix(".toml")
    settings = read_preprocessing(sidecar) if sidecar.exists() else Preprocessing()
    digest = hashlib.sha256(path.read_bytes() + repr(settings).encode()).hexdigest()
    try:
        # By path, not by content, so that weights in a second file beside it are found.
        session = open_session(str(path), threads or default_threads())
    except Exception as error:  # ONNX Runtime's errors have no common base class
        raise RecogniserError(f"{path}: not an ONNX file that ONNX Runtime can open") from error
    batch = _check_input(session, settings, path)
    recogniser = OnnxRecogniser(path.stem, digest, session, settings, batch)
    _check_output(recogniser, settings, path, session)
    return recogniser


def _check_input(session: onnxruntime.InferenceSession, settings: Preprocessing, path: Path) -> int:
    """Compare the declared input with the settings; return the crops per call."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise RecogniserError(f"{path}: expected one input, got {len(inputs)}")
    if inputs[0].type != "tensor(float)":
        raise RecogniserError(f"{path}: expected a float32 input, got {inputs[0].type}")
    shape = inputs[0].shape
    side = settings.size
    wanted = [None, 3, side, side] if settings.layout == "nchw" else [None, side, side, 3]
    fits = len(shape) == 4 and all(
        want is None or not isinstance(have, int) or have == want
        for have, want in zip(shape, wanted, strict=True)
    )
    if not fits:
        raise RecogniserError(
            f"{path}: expected an input of shape {['N', *wanted[1:]]}, got {shape}; "
            f"set size and layout in {path.with_suffix('.toml').name}"
        )
    if isinstance(shape[0], int) and shape[0] > 1:
        raise RecogniserError(f"{path}: fixed batch of {shape[0]}; export it with 1 or any batch")
    return 1 if shape[0] == 1 else _BATCH


def _check_output(
    recogniser: OnnxRecogniser,
    settings: Preprocessing,
    path: Path,
    session: onnxruntime.InferenceSession,
) -> None:
    """Embed one noise crop: the first output must be one vector of at least two numbers."""
    noise = np.random.default_rng(0).integers(0, 256, (1, settings.size, settings.size, 3))
    try:
        vector = recogniser.embed_aligned(noise.astype(np.uint8))
    except RecogniserError:
        raise
    except Exception as error:  # ONNX Runtime's errors have no common base class
        raise RecogniserError(
            f"{path}: the network fails on one crop of {settings.size} pixels"
        ) from error
    shape = session.get_outputs()[0].shape
    spatial = [side for side in shape[2:] if side != 1]
    if vector.shape[1] < 2 or spatial:
        raise RecogniserError(f"{path}: expected one vector per crop, got an output {shape}")
