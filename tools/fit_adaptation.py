"""Fit what `faceblind.identification.adaptation` takes away; writes ``sface_adaptation.npz``.

    python tools/fit_adaptation.py FOLDER [--jobs N]

FOLDER keeps the aligned crops of 440 synthetic people (some 200 MB), so that an interrupted run
resumes. The cohorts are frozen; their seeds are used for no figure and no test. One hour on two
cores. Print the new hash into `faceblind.recognition.onnx_models.ADAPTATION` by hand.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from faceblind.errors import FaceblindError
from faceblind.face.cameras import FEW_LIGHTS, Light
from faceblind.face.pipeline import reconstruct_head, render_face, render_list, require_face
from faceblind.identification.adaptation import fit_adaptation
from faceblind.recognition.crops import ARCFACE_POINTS, align_faces
from faceblind.recognition.feature_map import feature_map_of
from faceblind.recognition.onnx_models import ADAPTATION
from faceblind.recognition.photographs import find_face, loose_crop
from faceblind.scan import Scan
from faceblind.system.files import atomic_path
from faceblind.system.workers import run_many
from faceblind.volunteers.people.shape import generator, visits
from faceblind.volunteers.photographs.photograph import photograph
from faceblind.volunteers.presets import preset
from faceblind.volunteers.scanner.simulate import scan_session

COHORTS = (
    ("article", 7701, 150),
    ("article", 7705, 150),
    ("plain", 7702, 60),
    ("head_neck_array_elderly", 7703, 40),
    ("surface_array", 7704, 40),
)
"""Preset, seed and people: photographs of both kinds, scans of three."""

CHANNELS = 64
"""Components of the 1024 channels: with 32 and 64 as many people are found as with all
(`bench/README.md`); 64 keep 99 % of the margin of 128."""


@dataclass(frozen=True)
class Volunteer:
    """One person of a cohort."""

    preset: str
    seed: int
    index: int

    @property
    def name(self) -> str:
        """Name of the file of crops."""
        return f"{self.preset}_{self.seed}_{self.index:04d}"


def main() -> None:
    """Make the people, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=-1)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    people = [Volunteer(name, seed, n) for name, seed, count in COHORTS for n in range(count)]
    run_many(partial(make_crops, folder=given.folder), people, n_jobs=given.jobs, label="People",
             name=lambda person: person.name)  # fmt: skip
    cohorts = [
        [np.load(path) for path in sorted(given.folder.glob(f"{name}_{seed}_*.npz"))]
        for name, seed, _ in COHORTS
    ]
    print("people:", [len(cohort) for cohort in cohorts])
    with threadpool_limits(1):
        content = fitted(cohorts)
    target = Path(__file__).parent.parent / "src" / "faceblind" / "data" / "models"
    with atomic_path(target / ADAPTATION.file) as path:
        path.write_bytes(content)
    print(f"{ADAPTATION.file}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


def make_crops(person: Volunteer, folder: Path, lights: tuple[Light, ...] = FEW_LIGHTS) -> None:
    """Aligned grey crops (112 px) of one person's renders and photographs.

    The way of the study: photographs are compressed and searched for a face, the scan is
    reconstructed and rendered. Who could not be enrolled there is left out here.
    """
    target = folder / f"{person.name}.npz"
    if target.exists():
        return
    with threadpool_limits(1):
        photographs = photograph_crops(person)
        head = reconstruct_head(scan_of(person))
        require_face(head, person.name)
        images, landmarks = render_list(render_face(head.completed, lights))
    if not photographs:
        raise FaceblindError(f"{person.name}: no photograph shows a face")
    renders = align_faces(images, landmarks, ARCFACE_POINTS, 112)[..., 0]
    with atomic_path(target) as path, path.open("wb") as file:
        np.savez(file, renders=renders, photographs=np.stack(photographs))


def scan_of(person: Volunteer) -> Scan:
    """A person's T1w scan."""
    chosen = preset(person.preset)
    scanned, _ = visits(person.seed, person.index, chosen.people)
    return scan_session(scanned, ("T1w",), chosen.scanner)["T1w"].scan


def photograph_crops(person: Volunteer) -> list[NDArray[np.uint8]]:
    """Aligned grey crops (112 px) of a person's photographs in which a face is found."""
    chosen = preset(person.preset)
    scanned, photographed = visits(person.seed, person.index, chosen.people)
    pictures = photograph(photographed, chosen.camera)
    low, high = chosen.camera.jpeg_quality
    grades = generator(scanned.seed, scanned.index, 3).integers(low, high + 1, len(pictures))
    return [
        crop
        for picture, grade in zip(pictures.values(), grades, strict=True)
        if (crop := _photograph(picture, int(grade))) is not None
    ]


def _photograph(picture: NDArray[np.uint8], grade: int) -> NDArray[np.uint8] | None:
    """Crop of a photograph after JPEG compression, or None without a face."""
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, grade])
    image = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    face = find_face(image, 1)
    if not face.found:
        return None
    crop, landmarks = loose_crop(image, face)
    return align_faces(crop[None], landmarks[None], ARCFACE_POINTS, 112)[0, ..., 0]


def fitted(cohorts: list[list[np.lib.npyio.NpzFile]]) -> bytes:
    """The file's content, from the crops of each cohort."""
    whole = feature_map_of(np.eye(1024, dtype=np.float32), "", 1)
    components = channel_components(
        [
            # Each person gives 49 places: every fourth is enough for 64 components.
            np.stack([whole.embed_aligned(_rgb(one[kind])).mean(axis=0) for one in cohort[::4]])
            for cohort in cohorts
            for kind in ("renders", "photographs")
        ]
    ).astype(np.float16)
    reduced = feature_map_of(components.astype(np.float32), "", 1)
    renders, photographs = (
        [
            np.stack([reduced.embed_aligned(_rgb(one[kind])).mean(axis=0) for one in cohort])
            for cohort in cohorts
        ]
        for kind in ("renders", "photographs")
    )
    fit = fit_adaptation(
        [side.astype(np.float64) for side in renders],
        [side.astype(np.float64) for side in photographs],
    )
    print(f"axes {fit.axes.shape}, spread {fit.spread:.4f}")
    arrays = {
        "components": components,
        "axes": fit.axes.astype(np.float16),
        "damping": fit.damping,
        "render_centre": fit.render_centre,
        "photograph_centre": fit.photograph_centre,
        "spread": np.float32(fit.spread),
    }
    with BytesIO() as file:
        np.savez(file, **arrays)
        return file.getvalue()


def channel_components(means: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(CHANNELS, 1024) principal mixtures of channels over people and places.

    Parameters
    ----------
    means : list of (P, 1024 * 49) float32 ndarray
        People's mean maps, one entry per cohort and kind of picture.
    """
    covariance = np.zeros((1024, 1024))
    for side in means:
        centred = side - side.mean(axis=0)
        centred /= np.linalg.norm(centred, axis=1, keepdims=True)
        places = centred.reshape(len(side), 1024, 49).transpose(0, 2, 1).reshape(-1, 1024)
        covariance += (places.T @ places).astype(np.float64)
    _, vectors = np.linalg.eigh(covariance)
    return np.ascontiguousarray(vectors[:, ::-1][:, :CHANNELS].T, dtype=np.float32)


def _rgb(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(crops[..., None], 3, axis=-1)


if __name__ == "__main__":
    main()
