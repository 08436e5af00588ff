"""Recognisers by name or file, behind one interface."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import RecogniserError
from faceblind.recognition.dlib_recogniser import load_dlib
from faceblind.recognition.feature_map import load_feature_map
from faceblind.recognition.onnx_models import default_threads
from faceblind.recognition.onnx_recogniser import load_arcface, load_sface

RECOGNISERS = ("sface-map", "sface", "dlib")
"""Names that `get_recogniser` knows, the default first."""

DEFAULT_RECOGNISER = RECOGNISERS[0]


class Recogniser(Protocol):
    """Turns pictures of faces into unit vectors; near vectors mean similar faces."""

    name: str
    """Short name for tables."""
    identity: str
    """Name and hash of the weights, for summaries."""

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


def get_recogniser(
    name_or_path: str | Path = DEFAULT_RECOGNISER, threads: int | None = None
) -> Recogniser:
    """Open a recogniser; each is opened once per process and reused.

    Parameters
    ----------
    name_or_path : str or Path
        ``"sface-map"`` (see `faceblind.recognition.feature_map`), ``"sface"``, ``"dlib"``, or the
        path of an ArcFace-style ``.onnx`` file (see
        `faceblind.recognition.onnx_recogniser.load_arcface`).
    threads : int, optional
        Threads of one call. Default: two, or one on a single core. dlib always uses one.

    Raises
    ------
    RecogniserError
        If there is no such recogniser, or it is damaged or not installed.
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    check_recogniser(name_or_path)
    key = str(name_or_path)
    if key.lower() in RECOGNISERS:
        return _named(key.lower(), threads or default_threads())
    return load_arcface(Path(key).expanduser(), threads)


def check_recogniser(name_or_path: str | Path) -> None:
    """Refuse what cannot name a recogniser, without opening one.

    Raises
    ------
    RecogniserError
    """
    key = str(name_or_path).lower()
    if key not in RECOGNISERS and not key.endswith(".onnx"):
        known = ", ".join(RECOGNISERS)
        raise RecogniserError(
            f"no recogniser {str(name_or_path)!r}; give one of {known} or the path of a .onnx file"
        )


@lru_cache(maxsize=8)
def _named(name: str, threads: int) -> Recogniser:
    if name == "sface-map":
        return load_feature_map(threads)
    return load_sface(threads) if name == "sface" else load_dlib()
