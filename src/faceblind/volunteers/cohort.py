"""A cohort of synthetic volunteers on disk, in the layout that the study reads."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from faceblind import store
from faceblind.errors import FaceblindError, OutputError
from faceblind.formats import nifti
from faceblind.runner import run_many
from faceblind.scan import Scan
from faceblind.volunteers.mri import ScannerSettings, ScanTruth, simulate
from faceblind.volunteers.photograph import VIEWS, CameraSettings, photograph
from faceblind.volunteers.shape import Person, generator, sample_person

logger = logging.getLogger(__name__)

GENERATOR = "1"
"""Version of the recipe: it changes whenever the same seed gives other people or pictures."""

_README = """# Synthetic volunteers

Nobody in this folder exists. The people were drawn by a computer program (faceblind, recipe
version {generator}, seed {seed}, {count} people) from the MakeHuman head model; their photographs
were rendered and their scans were simulated. Figures measured on them are in-silico figures: they
show that a method works and let methods be compared. They do not say how often real people would
be recognised.

- `scans/sub-*/anat/*_T1w.nii.gz`: one simulated T1-weighted head scan per person.
- `photos/` and `photos.tsv`: five rendered photographs per person. Consent is `yes` because there
  is nobody to ask.
- `participants.tsv`: age and sex.
- `truth/sub-*/`: what a real study cannot know. `landmarks.tsv` (RAS+ mm of the scan),
  `brain.nii.gz` and `face.nii.gz` (masks on the scan's grid), `pose.txt` (4x4, template frame to
  RAS+ mm of the scan).
- `cohort.json`: seed, versions and every setting. The same seed and recipe give the same files.
"""


@dataclass(frozen=True)
class Cohort:
    """What `make_volunteers` did.

    Attributes
    ----------
    root : Path
        The folder.
    scans, photographs : Path
        What to hand to the study: the folder of scans and the table of photographs.
    participants : tuple of str
        Labels, ``sub-0001`` and so on.
    made, kept : int
        Volunteers made now, and found finished from an earlier run.
    """

    root: Path
    scans: Path
    photographs: Path
    participants: tuple[str, ...] = field(repr=False)
    made: int
    kept: int


def make_volunteers(
    out: str | Path,
    n: int = 84,
    seed: int = 0,
    n_jobs: int | None = None,
    *,
    force: bool = False,
    scanner: ScannerSettings | None = None,
    camera: CameraSettings | None = None,
    show_progress: bool = True,
) -> Cohort:
    """Make synthetic people: one scan and five photographs each, and the truth.

    An interrupted run resumes where it stopped. The people depend on `seed` and their place in
    the cohort only: neither `n` nor `n_jobs` changes them.

    Parameters
    ----------
    out : path
        A new folder, or one that an earlier run with the same seed and settings left.
    n : int
        How many people.
    seed : int
        Start of the random numbers, 0 or more.
    n_jobs : int, optional
        Processes; None or -1 takes all processors.
    force : bool
        Accept a folder that holds other files; volunteers of another seed or other settings in
        it are replaced.
    scanner, camera : settings, optional
        How scans and photographs are taken.
    show_progress : bool
        A progress bar on a terminal, a log line now and then elsewhere.

    Returns
    -------
    Cohort
        Where everything lies.

    Raises
    ------
    OutputError
        If the folder holds other things or another cohort.
    FaceblindError
        If `n` or `seed` is out of range, or volunteers failed; what is finished stays.
    """
    if n < 1 or seed < 0:
        raise FaceblindError(f"volunteers: expected n >= 1 and seed >= 0, got n={n}, seed={seed}")
    scanner, camera = scanner or ScannerSettings(), camera or CameraSettings()
    root = store.prepare_output(out, "volunteers", force=force)
    settings = {"seed": seed, "generator": GENERATOR, "scanner": asdict(scanner),
                "camera": asdict(camera)}  # fmt: skip
    # Plain JSON both ways, so that tuples and lists compare equal with what was read back.
    settings = json.loads(json.dumps(settings))
    _check_earlier(root, settings, n, force)
    for folder in ("scans", "photos", "truth"):
        (root / folder).mkdir(exist_ok=True)
    _describe(root, settings, n)
    task = partial(_make_one, root, settings, scanner, camera)
    outcomes = run_many(
        task, list(range(n)), n_jobs=n_jobs or -1, label="Volunteers", name=_label,
        show_progress=show_progress,
    )  # fmt: skip
    failed = [o for o in outcomes if not o.ok]
    people = [sample_person(seed, o.item) for o in outcomes if o.ok]
    _write_tables(root, people)
    if failed:
        raise FaceblindError(
            f"{len(failed)} of {n} volunteers failed, first {failed[0].name}: {failed[0].error}; "
            "run again to resume"
        )
    made = sum(bool(o.value) for o in outcomes)
    return Cohort(root, root / "scans", root / "photos.tsv", tuple(p.name for p in people), made,
                  n - made)  # fmt: skip


def _label(index: int) -> str:
    return f"sub-{index + 1:04d}"


def _check_earlier(root: Path, settings: dict[str, Any], n: int, force: bool) -> None:
    path = root / "cohort.json"
    if not path.exists():
        return
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise OutputError(f"{path}: is damaged; delete the folder and start again") from error
    if earlier.get("settings") != settings and not force:
        raise OutputError(
            f"{root}: holds volunteers of another seed, version or other settings; "
            "choose a new folder or use --force"
        )
    if int(earlier.get("n", 0)) > n:
        raise OutputError(f"{root}: holds {earlier['n']} volunteers, more than {n}; "
                          "choose a new folder")  # fmt: skip


def _describe(root: Path, settings: dict[str, Any], n: int) -> None:
    with store.atomic_path(root / "README.md") as path:
        text = _README.format(generator=GENERATOR, seed=settings["seed"], count=n)
        path.write_text(text, encoding="utf-8")
    versions = store.software_versions()
    store.write_json(
        root / "dataset_description.json",
        {
            "Name": "Synthetic volunteers (in-silico, no real person)",
            "BIDSVersion": "1.11.0",
            "DatasetType": "raw",
            "License": "CC0",
            "GeneratedBy": [{"Name": "faceblind", "Version": versions.get("faceblind", "")}],
        },
    )
    store.write_json(
        root / "cohort.json",
        {"in_silico": True, "n": n, "settings": settings, "versions": versions},
    )


def _files(root: Path, name: str) -> dict[str, Path]:
    """Every file of one volunteer but the mark that it is finished."""
    truth = root / "truth" / name
    result = {view: root / "photos" / f"{name}_{view}.jpg" for view in VIEWS}
    result["scan"] = root / "scans" / name / "anat" / f"{name}_T1w.nii.gz"
    result["landmarks"] = truth / "landmarks.tsv"
    result["brain"] = truth / "brain.nii.gz"
    result["face"] = truth / "face.nii.gz"
    result["pose"] = truth / "pose.txt"
    return result


def _make_one(
    root: Path, settings: dict[str, Any], scanner: ScannerSettings, camera: CameraSettings,
    index: int,
) -> bool:  # fmt: skip
    """Make one volunteer unless finished; says whether there was anything to do."""
    person = sample_person(settings["seed"], index)
    files = _files(root, person.name)
    mark = root / "truth" / person.name / "finished.json"
    if mark.exists() and all(path.exists() for path in files.values()):
        try:
            if json.loads(mark.read_text(encoding="utf-8")) == settings:
                return False
        except ValueError:
            logger.warning("A damaged mark is replaced and its volunteer made again.")
    mark.unlink(missing_ok=True)
    # One thread: sums in another order would round some voxels differently.
    with threadpool_limits(1):
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            truth = simulate(person, scanner)
            pictures = photograph(person, camera)
        finally:
            cv2.setNumThreads(threads)
    for path in files.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    _write_scan(files, truth)
    quality = generator(person.seed, person.index, 3).integers(82, 96, len(pictures))
    for (view, picture), grade in zip(pictures.items(), quality, strict=True):
        done, data = cv2.imencode(
            ".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(grade)]
        )
        if not done:
            raise OutputError(f"{files[view].name}: the picture cannot be compressed")
        with store.atomic_path(files[view]) as path:
            path.write_bytes(data.tobytes())
    store.write_json(mark, settings)
    return True


def _write_scan(files: dict[str, Path], truth: ScanTruth) -> None:
    nifti.save(truth.scan, files["scan"], overwrite=True)
    for name, mask in (("brain", truth.brain), ("face", truth.face)):
        scan = Scan(mask.astype(np.uint8), truth.scan.affine)
        nifti.save(scan, files[name], overwrite=True)
    rows = [
        {"name": name, "x": float(p[0]), "y": float(p[1]), "z": float(p[2])}
        for name, p in sorted(truth.landmarks.items())
    ]
    store.write_tsv(files["landmarks"], rows, ("name", "x", "y", "z"))
    with store.atomic_path(files["pose"]) as path:
        np.savetxt(path, truth.pose, fmt="%.8f")


def _write_tables(root: Path, people: list[Person]) -> None:
    photos = [
        {"file": f"photos/{p.name}_{view}.jpg", "participant_id": p.name, "view": view,
         "consent": "yes"}
        for p in people for view in VIEWS
    ]  # fmt: skip
    store.write_tsv(root / "photos.tsv", photos, ("file", "participant_id", "view", "consent"))
    rows = [{"participant_id": p.name, "age": p.age, "sex": p.sex} for p in people]
    store.write_tsv(root / "participants.tsv", rows, ("participant_id", "age", "sex"))
