"""From one file to embeddings: the stations in a row, cached by what went in."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError, PhotographError, missing
from faceblind.face import reconstruction
from faceblind.face.cameras import DEFAULT_CAMERAS, DEFAULT_LIGHTS, Light
from faceblind.face.pipeline import reconstruct_head, render_face, render_list, require_face
from faceblind.face.reconstruction import Variant
from faceblind.formats import load
from faceblind.formats.photograph import read_photo
from faceblind.head import alignment
from faceblind.identification import surface_match
from faceblind.identification.recipe import lights_of
from faceblind.identification.scan_match import ScanFeatures, features_of_head
from faceblind.recognition.photographs import find_face, loose_crop
from faceblind.recognition.registry import DEFAULT_RECOGNISER, get_recogniser
from faceblind.system.cache import Cache, cache_key
from faceblind.system.code import code_digest
from faceblind.system.files import file_digest

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeatureSettings:
    """What decides the embeddings of a file besides its content.

    Parameters
    ----------
    recogniser : str
        ``"sface-map"``, ``"sface"``, ``"dlib"`` or the path of an ONNX file.
    variant : {"completed", "as-is"}
        Which face of a scan is shown.
    need_face : bool
        Refuse scans whose face is missing. An attack on protected scans sets it to False.
    """

    recogniser: str = DEFAULT_RECOGNISER
    variant: Variant = "completed"
    need_face: bool = True


def feature_key(path: Path, kind: str, settings: dict[str, Any]) -> str:
    """Name in the cache of what a file gives.

    Parameters
    ----------
    path : Path
        The file; its content counts, not its name.
    kind : str
        What is stored.
    settings : dict
        What decides it besides the file and the stations up to the renders.

    Raises
    ------
    FaceblindError
        If the file cannot be read.
    """
    stations = {
        "kind": kind,
        "alignment": asdict(alignment.SETTINGS),
        "face": asdict(reconstruction.SETTINGS),
        "cameras": [asdict(camera) for camera in DEFAULT_CAMERAS],
        "lights": [asdict(light) for light in DEFAULT_LIGHTS],
    }
    try:
        digest = file_digest(path)
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise FaceblindError(
            f"{path}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
    return cache_key(digest, code_digest(), {**stations, **settings})


def _embed(
    images: NDArray[np.uint8], landmarks: NDArray[np.float32], recogniser: str
) -> NDArray[np.float32]:
    return get_recogniser(recogniser).embed(images, landmarks)


def scan_embeddings(
    path: Path, settings: FeatureSettings, cache: Cache | None = None
) -> NDArray[np.float32]:
    """Embeddings of the renders of one scan.

    Parameters
    ----------
    path : Path
        A scan file.
    settings : FeatureSettings
    cache : Cache, optional
        Looked up first and filled; keeps the renders too, so that another recogniser is fast.

    Returns
    -------
    (N, D) float32 ndarray
        One unit vector per camera and light, of the lights that the recogniser is shown.

    Raises
    ------
    FaceblindError
        One line that names the file, when it cannot be used.
    """
    identity = get_recogniser(settings.recogniser).identity
    shown = {"variant": settings.variant, "need_face": settings.need_face}
    key = feature_key(path, "scan", {**shown, "recogniser": identity}) if cache else ""
    if cache and (known := cache.get(key)) is not None:
        return known["vectors"]
    images, landmarks = scan_pictures(path, settings, cache)
    seen = seen_under(lights_of(settings.recogniser), len(images))
    vectors = _embed(images[seen], landmarks[seen], settings.recogniser)
    if cache:
        cache.put(key, {"vectors": vectors})
    return vectors


def seen_under(lights: Sequence[Light], count: int) -> NDArray[np.bool_]:
    """(count,) which renders of `scan_pictures` are under some of the default lights.

    Parameters
    ----------
    lights : sequence of Light
    count : int
        Number of renders.
    """
    wanted = [DEFAULT_LIGHTS.index(light) for light in lights]
    return np.isin(np.arange(count) % len(DEFAULT_LIGHTS), wanted)


def scan_pictures(
    path: Path, settings: FeatureSettings, cache: Cache | None
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Renders of a scan from all cameras under all lights.

    Parameters
    ----------
    path : Path
        A scan file.
    settings : FeatureSettings
        The recogniser does not matter.
    cache : Cache or None
        Looked up first and filled.

    Returns
    -------
    images : (81, H, W) uint8 ndarray
    landmarks : (81, 5, 2) float32 ndarray
        Pixels.

    Raises
    ------
    FaceblindError
        One line that names the file, when it cannot be used.
    """
    shown = {"variant": settings.variant, "need_face": settings.need_face}
    key = feature_key(path, "renders", shown) if cache else ""
    if cache and (known := cache.get(key)) is not None:
        return known["images"], known["landmarks"]
    head = reconstruct_head(load(path))
    if settings.need_face:
        require_face(head, str(path))
    images, landmarks = render_list(render_face(head.variant(settings.variant)))
    if cache:
        cache.put(key, {"images": images, "landmarks": landmarks})
    return images, landmarks


@dataclass(frozen=True)
class PhotoFeatures:
    """What one photograph gives.

    Parameters
    ----------
    vectors : (1, D) float32 ndarray
        Unit vector.
    flags : tuple of str
        Quality remarks, such as ``"blurred"``.
    """

    vectors: NDArray[np.float32]
    flags: tuple[str, ...]


def photo_embeddings(
    path: Path, settings: FeatureSettings, cache: Cache | None = None
) -> PhotoFeatures:
    """Embedding of the face in one photograph.

    Parameters
    ----------
    path : Path
        A picture file.
    settings : FeatureSettings
        Only the recogniser matters.
    cache : Cache, optional

    Raises
    ------
    PhotographError
        If the file cannot be read or shows no face.
    """
    identity = get_recogniser(settings.recogniser).identity
    key = feature_key(path, "photograph", {"recogniser": identity}) if cache else ""
    if cache and (known := cache.get(key)) is not None:
        return PhotoFeatures(known["vectors"], tuple(str(flag) for flag in known["flags"]))
    image = read_photo(path)
    face = find_face(image)
    if not face.found:
        raise PhotographError(f"{path}: no face found; use a picture that shows the whole face")
    crop, landmarks = loose_crop(image, face)
    vectors = _embed(crop[None], landmarks[None], settings.recogniser)
    if cache:
        cache.put(key, {"vectors": vectors, "flags": np.array(face.flags, dtype="U32")})
    return PhotoFeatures(vectors, face.flags)


def features_of_scan(
    path: Path, recogniser: str, variant: Variant = "completed", cache: Cache | None = None
) -> ScanFeatures:
    """`features_of_head` the head in a file, protected or not.

    Parameters
    ----------
    path : Path
        A scan file.
    recogniser, variant
        See `features_of_head`.
    cache : Cache, optional
        Looked up first and filled.

    Raises
    ------
    FaceblindError
        One line that names the file, when no head is found in it.
    """
    return all_features_of_scan(path, (recogniser,), (variant,), cache)[recogniser, variant]


def all_features_of_scan(
    path: Path,
    recognisers: Sequence[str],
    variants: Sequence[Variant],
    cache: Cache | None = None,
) -> dict[tuple[str, Variant], ScanFeatures]:
    """`features_of_scan` by several recognisers, of a head that is reconstructed once.

    Parameters
    ----------
    path : Path
    recognisers, variants : sequence
    cache : Cache, optional

    Returns
    -------
    dict of (str, str) to ScanFeatures
        By recogniser and variant.

    Raises
    ------
    FaceblindError
        One line that names the file, when no head is found in it.
    """
    found: dict[tuple[str, Variant], ScanFeatures] = {}
    head = None
    for recogniser in recognisers:
        for variant in variants:
            key = _key(path, recogniser, variant) if cache else ""
            if cache and (known := cache.get(key)) is not None:
                found[recogniser, variant] = ScanFeatures.from_arrays(known)
                continue
            head = reconstruct_head(load(path)) if head is None else head
            one = found[recogniser, variant] = features_of_head(head, recogniser, variant)
            if cache:
                cache.put(key, one.as_arrays())
    return found


def _key(path: Path, recogniser: str, variant: Variant) -> str:
    settings = {
        "variant": variant,
        "recogniser": get_recogniser(recogniser).identity,
        "geometry": [surface_match.STEP_MM, surface_match.TRUSTED_MM, *surface_match.REGIONS_KEPT],
    }
    return feature_key(path, "likeness", settings)
