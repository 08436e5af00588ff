"""A cohort of synthetic volunteers on disk, in the layout that the study reads."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from faceblind._version import software_versions
from faceblind.errors import FaceblindError, OutputError
from faceblind.formats import nifti
from faceblind.scan import Scan
from faceblind.system.files import atomic_path
from faceblind.system.outputs import prepare_output
from faceblind.system.tables import write_json, write_tsv
from faceblind.system.workers import run_many
from faceblind.volunteers.people.shape import Person, draw, generator, participant_label, visits
from faceblind.volunteers.photographs.camera import VIEWS
from faceblind.volunteers.photographs.photograph import photograph
from faceblind.volunteers.presets import GENERATOR, Preset
from faceblind.volunteers.presets import preset as find_preset
from faceblind.volunteers.scanner.protocols import PROTOCOLS
from faceblind.volunteers.scanner.simulate import ScanTruth, scan_session

logger = logging.getLogger(__name__)

_README = """# Synthetic volunteers

Nobody in this folder exists. The people were drawn by a computer program (faceblind, recipe
version {generator}, preset {preset}, seed {seed}, {count} people) from the MakeHuman head model;
their photographs were rendered and their scans were simulated. Figures measured on them are
in-silico figures: they show that a method works and let methods be compared. They do not say how
often real people would be recognised.

- `scans/sub-*/anat/`: one session of simulated head scans per person.
- `photos/` and `photos.tsv`: five rendered photographs per person. Consent is `yes` because there
  is nobody to ask.
- `participants.tsv`: age and sex.
- `truth/sub-*/SERIES/`: what a real study cannot know. `landmarks.tsv` (RAS+ mm of the scan),
  `brain.nii.gz`, `face.nii.gz` and `ears.nii.gz` (masks on the scan's grid), `pose.txt` (4x4,
  template frame to RAS+ mm of the scan), `to_first.txt` (4x4, this scan's RAS+ mm to those of the
  session's first).
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
    preset: str | Preset = "plain",
    protocols: Sequence[str] = ("T1w",),
    force: bool = False,
    show_progress: bool = True,
) -> Cohort:
    """Make synthetic people: a session of scans and five photographs each, and the truth.

    An interrupted run resumes where it stopped. The people depend on `seed`, the preset and
    their place in the cohort only: neither `n` nor `n_jobs` changes them.

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
    preset : str or Preset
        How hard the cohort is: a name of `faceblind.volunteers.presets.PRESETS`, or settings of
        your own, best made with `dataclasses.replace` of a preset.
    protocols : sequence of str
        Series of the session, of `faceblind.volunteers.scanner.protocols.PROTOCOLS`.
    force : bool
        Accept a folder that holds other files; volunteers of another seed or other settings in
        it are replaced.
    show_progress : bool
        A progress bar on a terminal, a log line now and then elsewhere.

    Returns
    -------
    Cohort
        Where everything lies.

    Raises
    ------
    OutputError
        If the folder holds other things or another cohort, or cannot be made.
    FaceblindError
        If `n`, `seed` or `n_jobs` is out of range, the preset or a protocol is unknown, or
        volunteers failed; what is finished stays.
    """
    whole = all(isinstance(number, (int, np.integer)) for number in (n, seed))
    if not whole or n < 1 or seed < 0:
        raise FaceblindError(
            f"volunteers: expected whole numbers n >= 1 and seed >= 0, got n={n}, seed={seed}"
        )
    chosen = find_preset(preset) if isinstance(preset, str) else preset
    series = (protocols,) if isinstance(protocols, str) else tuple(protocols)
    _check_protocols(series)
    root = prepare_output(out, "volunteers", force=force)
    recipe = _Recipe(root, seed, chosen, series)
    _check_earlier(root, recipe.settings(), n, force)
    _begin(recipe, n)
    outcomes = run_many(
        partial(_make_one, recipe), list(range(n)), n_jobs=-1 if n_jobs is None else n_jobs,
        label="Volunteers", name=participant_label, show_progress=show_progress,
    )  # fmt: skip
    failed = [o for o in outcomes if not o.ok]
    # Age and sex are settled before the costly part, the calibration of the shape.
    people = [draw(seed, o.item, chosen.people) for o in outcomes if o.ok]
    _write_tables(root, people)
    if failed:
        raise FaceblindError(
            f"{len(failed)} of {n} volunteers failed, first {failed[0].name}: {failed[0].error}; "
            "run again to resume"
        )
    made = sum(bool(o.value) for o in outcomes)
    return Cohort(root, root / "scans", root / "photos.tsv", tuple(p.name for p in people), made,
                  n - made)  # fmt: skip


@dataclass(frozen=True)
class _Recipe:
    """What every worker needs to know."""

    root: Path
    seed: int
    preset: Preset
    protocols: tuple[str, ...]

    def settings(self) -> dict[str, Any]:
        return {"seed": self.seed, "protocols": list(self.protocols), **self.preset.settings()}


def _check_protocols(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in PROTOCOLS]
    if unknown or not names or len(set(names)) < len(names):
        raise FaceblindError(
            f"volunteers: expected different series out of {', '.join(PROTOCOLS)}; "
            f"got {', '.join(names) or 'none'}"
        )


def series_name(protocol: str) -> str:
    """How the file name of a protocol's scan ends, such as ``acq-axial_FLAIR``."""
    chosen = PROTOCOLS[protocol]
    return "_".join([*(f"{key}-{value}" for key, value in chosen.entities), chosen.suffix])


def _check_earlier(root: Path, settings: dict[str, Any], n: int, force: bool) -> None:
    path = root / "cohort.json"
    if not path.exists():
        return
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        before, count = note["settings"], int(note["n"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise OutputError(
            f"{path}: is damaged or no cohort's; delete this file to go on, or choose a new folder"
        ) from error
    if before != settings and not force:
        raise OutputError(
            f"{root}: holds volunteers of another seed, version or other settings; "
            "choose a new folder or use --force"
        )
    if count > n:
        raise OutputError(f"{root}: holds {count} volunteers, more than {n}; choose a new folder")


def _begin(recipe: _Recipe, n: int) -> None:
    """Folders, and the files that say what will be in them."""
    try:
        for folder in ("scans", "photos", "truth"):
            (recipe.root / folder).mkdir(exist_ok=True)
        _describe(recipe, n)
    except OSError as error:
        raise OutputError(
            f"{error.filename or recipe.root}: cannot be made ({error.strerror}); "
            "choose a new folder"
        ) from error


def _describe(recipe: _Recipe, n: int) -> None:
    root, settings, preset = recipe.root, recipe.settings(), recipe.preset
    with atomic_path(root / "README.md") as path:
        text = _README.format(
            generator=GENERATOR, preset=f"{preset.name} {preset.version}", seed=recipe.seed, count=n
        )
        path.write_text(text, encoding="utf-8")
    versions = software_versions()
    write_json(
        root / "dataset_description.json",
        {
            "Name": "Synthetic volunteers (in-silico, no real person)",
            "BIDSVersion": "1.11.0",
            "DatasetType": "raw",
            "License": "CC0",
            "GeneratedBy": [{"Name": "faceblind", "Version": versions.get("faceblind", "")}],
        },
    )
    name = {"name": preset.name, "version": preset.version, "fingerprint": preset.fingerprint}
    write_json(
        root / "cohort.json",
        {"in_silico": True, "n": n, "preset": name, "settings": settings, "versions": versions},
    )


def _files(root: Path, name: str, protocols: Sequence[str]) -> dict[str, Path]:
    """Every file of one volunteer but the mark that it is finished."""
    result = {view: root / "photos" / f"{name}_{view}.jpg" for view in VIEWS}
    for protocol in protocols:
        series = series_name(protocol)
        truth = root / "truth" / name / series
        result[f"{protocol} scan"] = root / "scans" / name / "anat" / f"{name}_{series}.nii.gz"
        for mask in ("brain", "face", "ears"):
            result[f"{protocol} {mask}"] = truth / f"{mask}.nii.gz"
        result[f"{protocol} landmarks"] = truth / "landmarks.tsv"
        result[f"{protocol} pose"] = truth / "pose.txt"
        result[f"{protocol} to_first"] = truth / "to_first.txt"
    return result


def _make_one(recipe: _Recipe, index: int) -> bool:
    """Make one volunteer unless finished; says whether there was anything to do."""
    root, name = recipe.root, participant_label(index)
    files = _files(root, name, recipe.protocols)
    mark = root / "truth" / name / "finished.json"
    try:
        done = _read_mark(mark)
        if done == recipe.settings() and all(_holds_something(path) for path in files.values()):
            return False
        _clear(root, name, mark, done, recipe.protocols)
        _fill(recipe, index, files)
        write_json(mark, recipe.settings())
    except OSError as error:
        raise OutputError(f"its files cannot be written ({error.strerror})") from error
    return True


def _read_mark(mark: Path) -> dict[str, Any]:
    """Settings with which a volunteer was finished; empty if it is not."""
    try:
        done = json.loads(mark.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        done = None
    if not isinstance(done, dict):
        logger.warning("A damaged mark is replaced and its volunteer made again.")
        return {}
    return done


def _holds_something(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _clear(
    root: Path, name: str, mark: Path, done: dict[str, Any], protocols: Sequence[str]
) -> None:
    """Take away the mark, and series of an earlier cohort that this one has not."""
    other = [p for p in done.get("protocols", ()) if p in PROTOCOLS and p not in protocols]
    stale = set(_files(root, name, other).values()) - set(_files(root, name, ()).values())
    for path in stale:
        path.unlink(missing_ok=True)
    for protocol in other:
        with contextlib.suppress(OSError):
            (root / "truth" / name / series_name(protocol)).rmdir()
    mark.unlink(missing_ok=True)


def _fill(recipe: _Recipe, index: int, files: dict[str, Path]) -> None:
    """Make and write everything of one volunteer but the mark."""
    preset = recipe.preset
    # One thread: sums in another order would round some voxels differently.
    with threadpool_limits(1):
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            person, photographed = visits(recipe.seed, index, preset.people)
            session = scan_session(person, recipe.protocols, preset.scanner)
            pictures = photograph(photographed, preset.camera)
        finally:
            cv2.setNumThreads(threads)
    for path in files.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    for protocol, truth in session.items():
        _write_scan(files, protocol, truth)
    low, high = preset.camera.jpeg_quality
    quality = generator(person.seed, person.index, 3).integers(low, high + 1, len(pictures))
    for (view, picture), grade in zip(pictures.items(), quality, strict=True):
        _write_picture(files[view], picture, int(grade))


def _write_picture(target: Path, picture: NDArray[np.uint8], grade: int) -> None:
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, grade])
    if not done:
        raise OutputError(f"{target.name}: the picture cannot be compressed")
    with atomic_path(target) as path:
        path.write_bytes(data.tobytes())


def _write_scan(files: dict[str, Path], protocol: str, truth: ScanTruth) -> None:
    nifti.save(truth.scan, files[f"{protocol} scan"], overwrite=True)
    for name, mask in (("brain", truth.brain), ("face", truth.face), ("ears", truth.ears)):
        scan = Scan(mask.astype(np.uint8), truth.scan.affine)
        nifti.save(scan, files[f"{protocol} {name}"], overwrite=True)
    rows = [
        {"name": name, "x": float(p[0]), "y": float(p[1]), "z": float(p[2])}
        for name, p in sorted(truth.landmarks.items())
    ]
    write_tsv(files[f"{protocol} landmarks"], rows, ("name", "x", "y", "z"))
    for name, matrix in (("pose", truth.pose), ("to_first", truth.to_first)):
        with atomic_path(files[f"{protocol} {name}"]) as path:
            np.savetxt(path, matrix, fmt="%.8f")


def _write_tables(root: Path, people: list[Person]) -> None:
    photos = [
        {"file": f"photos/{p.name}_{view}.jpg", "participant_id": p.name, "view": view,
         "consent": "yes"}
        for p in people for view in VIEWS
    ]  # fmt: skip
    write_tsv(root / "photos.tsv", photos, ("file", "participant_id", "view", "consent"))
    rows = [{"participant_id": p.name, "age": p.age, "sex": p.sex} for p in people]
    write_tsv(root / "participants.tsv", rows, ("participant_id", "age", "sex"))
