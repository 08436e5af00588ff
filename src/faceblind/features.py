"""From one file to embeddings: the stations in a row, cached by what went in."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import AlignmentError, FaceblindError, PhotographError
from faceblind.face import reconstruct as reconstruction
from faceblind.face.cameras import DEFAULT_CAMERAS, DEFAULT_LIGHTS
from faceblind.face.reconstruct import Face, Variant
from faceblind.face.render import Renders, render
from faceblind.formats import load
from faceblind.formats.photos import read_photo
from faceblind.formats.volumes import missing
from faceblind.head import align as alignment
from faceblind.head.align import CONFIDENT, Alignment, align
from faceblind.head.is_head import require_head
from faceblind.head.lead import lead_of
from faceblind.head.refusal import about
from faceblind.head.skin import find_skin
from faceblind.recognition.portrait import find_face, loose_crop
from faceblind.recognition.registry import get_recogniser
from faceblind.scan import Scan
from faceblind.store import Cache, cache_key, file_digest

logger = logging.getLogger(__name__)

FEATURES_VERSION = "2"
"""Raised whenever a change alters renders or embeddings, so that cached ones are made anew."""

FACE_REGIONS = ("brow", "eyes", "nose", "mouth", "cheeks")
"""What a face consists of when the question is whether a scan shows one."""

LEAST_FACE = 0.4
"""Share of the face in the field of view that must have skin. Intact faces of real and synthetic
scans have 0.8 or more, a scan that its authors had defaced has 0.15."""

LEAST_SEEN = 0.2
"""Share of the face that must lie in the field of view for a recogniser to have a chance."""


@dataclass(frozen=True)
class HeadShown:
    """The stations of one scan before its pictures.

    Parameters
    ----------
    alignment : Alignment
    as_is, completed : Face
    face_share : float
        Share of the face in the field of view that has skin, 0 to 1.
    seen_share : float
        Share of the face that lies in the field of view, 0 to 1.
    """

    alignment: Alignment
    as_is: Face
    completed: Face
    face_share: float
    seen_share: float

    def variant(self, name: Variant) -> Face:
        """The face called `name`."""
        return self.as_is if name == "as-is" else self.completed


def show_head(scan: Scan) -> HeadShown:
    """Skin, alignment and both faces of a scan, intact or not.

    Parameters
    ----------
    scan : Scan
        Any contrast and orientation; of a series, the volume that shows the head best.

    Raises
    ------
    ScanError
        If no head stands out from the air.
    AlignmentError
        If the head was not found with enough confidence.
    """
    if scan.voxels.ndim == 4:
        logger.info("A series of %d volumes.", scan.voxels.shape[3])
        scan = lead_of(scan)
    skin = find_skin(scan)
    found = align(skin, scan)
    with about(scan):
        if found.confidence < CONFIDENT:
            raise AlignmentError(
                f"the head was not found with enough confidence ({found.confidence:.2f} of "
                f"{CONFIDENT:.2f}); look at the scan and its orientation"
            )
        require_head(found, scan)
        as_is, completed = reconstruction.reconstruct(skin, found)
    area = {region: float(found.template.region(region).sum()) for region in FACE_REGIONS}
    seen = sum(area[r] * found.seen[r] for r in FACE_REGIONS)
    skinned = sum(area[r] * found.support[r] for r in FACE_REGIONS)
    share = skinned / seen if seen else 0.0
    return HeadShown(found, as_is, completed, share, seen / sum(area.values()))


def require_face(head: HeadShown, name: str) -> None:
    """Refuse a head whose face is missing.

    Raises
    ------
    AlignmentError
        If the face was removed or lies outside the field of view.
    """
    if head.seen_share < LEAST_SEEN:
        raise AlignmentError(f"{name}: the face lies outside the field of view")
    if head.face_share < LEAST_FACE:
        raise AlignmentError(
            f"{name}: the face is missing (skin on {head.face_share:.0%} of it); "
            "the scan may have been defaced already"
        )


def render_face(face: Face) -> Renders:
    """The default pictures of a face: every camera under every light."""
    return render(face.points, face.faces, face.normals, face.landmarks)


def render_list(renders: Renders) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Pictures (N, H, W) of all views and lights in a row, and their landmarks (N, 5, 2)."""
    views, lights = renders.images.shape[:2]
    images = renders.images.reshape(views * lights, *renders.images.shape[2:])
    return images, np.repeat(renders.landmarks, lights, axis=0)


@dataclass(frozen=True)
class FeatureSettings:
    """What decides the embeddings of a file besides its content.

    Parameters
    ----------
    recogniser : str
        ``"sface"``, ``"dlib"`` or the path of an ONNX file.
    variant : {"completed", "as-is"}
        Which face of a scan is shown.
    need_face : bool
        Refuse scans whose face is missing. An attack on protected scans sets it to False.
    """

    recogniser: str = "sface"
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
    return cache_key(digest, FEATURES_VERSION, {**stations, **settings})


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
    (81, D) float32 ndarray
        One unit vector per camera and light.

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
    images, landmarks = _scan_pictures(path, settings, cache)
    vectors = _embed(images, landmarks, settings.recogniser)
    if cache:
        cache.put(key, {"vectors": vectors})
    return vectors


def _scan_pictures(
    path: Path, settings: FeatureSettings, cache: Cache | None
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Renders (81, H, W) of a scan and their landmarks (81, 5, 2)."""
    shown = {"variant": settings.variant, "need_face": settings.need_face}
    key = feature_key(path, "renders", shown) if cache else ""
    if cache and (known := cache.get(key)) is not None:
        return known["images"], known["landmarks"]
    head = show_head(load(path))
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
