"""The pictures that a service is sent: nothing of a file but the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceblind.datasets.census import ScanFile
from faceblind.datasets.photographs import PhotoRow
from faceblind.errors import FaceblindError, PhotographError
from faceblind.face.cameras import FEW_LIGHTS
from faceblind.formats.photograph import read_photo
from faceblind.recognition.photographs import find_face, loose_crop
from faceblind.system.cache import Cache
from faceblind.system.workers import run_many
from faceblind.workflows.features import FeatureSettings, scan_pictures, seen_under

PHOTO_SIDE = 512
"""Pixels of a photograph's square crop: the face then has some 280, and services ask for 200."""
RENDER_SIDE = 448
"""Renders are enlarged twofold: services want 100 pixels between the eyes for good matches."""
LIGHTS = FEW_LIGHTS


@dataclass(frozen=True)
class Pictures:
    """PNG files by person, and why others have none.

    Parameters
    ----------
    of : dict of str to tuple of bytes
    failed : dict of str to str
        Person to reason.
    flags : tuple of dict
        Quality remarks, a row for each photograph; empty for renders.
    """

    of: dict[str, tuple[bytes, ...]]
    failed: dict[str, str]
    flags: tuple[dict[str, str], ...] = ()


def as_png(image: NDArray[np.uint8]) -> bytes:
    """A picture as a PNG file: pixels, and no metadata of the file that they came from.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8 ndarray
        Grey or RGB.
    """
    done, data = cv2.imencode(".png", image if image.ndim == 2 else image[..., ::-1])
    if not done:
        raise FaceblindError("a picture cannot be encoded as PNG")
    return bytes(data)


def render_pictures(
    files: Sequence[ScanFile], settings: FeatureSettings, cache: Path, n_jobs: int, show: bool
) -> Pictures:
    """Renders of each person's face, under the lights of `LIGHTS`.

    Parameters
    ----------
    files : sequence of ScanFile
        One scan for each person.
    settings : FeatureSettings
    cache : Path
    n_jobs : int
    show : bool
        Show the progress.
    """
    work = partial(_renders, settings=settings, cache=cache)
    outcomes = run_many(
        work, files, n_jobs=n_jobs, label="Scans", name=_path_of, show_progress=show
    )
    found = {one.item.participant_id: one.value for one in outcomes if one.value}
    failed = {
        one.item.participant_id: one.error or "no usable face" for one in outcomes if not one.value
    }
    return Pictures(found, failed)


def photograph_pictures(rows: Sequence[PhotoRow], n_jobs: int, show: bool) -> Pictures:
    """The face in each photograph, without what surrounds it.

    Parameters
    ----------
    rows : sequence of PhotoRow
    n_jobs : int
    show : bool
        Show the progress.
    """
    outcomes = run_many(
        _crop, rows, n_jobs=n_jobs, label="Photographs", name=_file_of, show_progress=show
    )
    found: dict[str, tuple[bytes, ...]] = {}
    failed, flags = {}, []
    for one in outcomes:
        person, remarks = one.item.participant_id, "failed"
        if one.value is None:
            failed[person] = one.error or "no usable face"
        else:
            found[person] = (*found.get(person, ()), one.value[0])
            remarks = ",".join(one.value[1])
        row = {"participant_id": person, "file": str(one.item.file), "view": one.item.view}
        flags.append({**row, "flags": remarks})
    return Pictures(found, {p: why for p, why in failed.items() if p not in found}, tuple(flags))


def _path_of(file: ScanFile) -> str:
    return str(file.path)


def _file_of(row: PhotoRow) -> str:
    return str(row.file)


def _renders(file: ScanFile, settings: FeatureSettings, cache: Path) -> tuple[bytes, ...]:
    images, _ = scan_pictures(file.path, settings, Cache(cache))
    size = (RENDER_SIDE, RENDER_SIDE)
    return tuple(
        as_png(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8))
        for image in images[seen_under(LIGHTS, len(images))]
    )


def _crop(row: PhotoRow) -> tuple[bytes, tuple[str, ...]]:
    image = read_photo(row.file)
    face = find_face(image)
    if not face.found:
        raise PhotographError(f"{row.file}: no face found; use a picture that shows the whole face")
    return as_png(loose_crop(image, face, PHOTO_SIDE, grey=False)[0]), face.flags
