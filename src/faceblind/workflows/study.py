"""The experiment: can these people be found by the faces in their scans?"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from faceblind._version import software_versions
from faceblind.datasets.bids import choose_face_scans, find_people, only_series
from faceblind.datasets.census import ScanFile
from faceblind.datasets.participants import Participant, read_participants
from faceblind.datasets.photographs import PhotoRow, read_photos_table
from faceblind.errors import TableError
from faceblind.face.cameras import DEFAULT_CAMERAS
from faceblind.face.pipeline import reconstruct_head
from faceblind.face.reconstruction import Variant
from faceblind.formats import load
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.enrolment import check_enrolled
from faceblind.identification.interpretation import Traits, interpret
from faceblind.identification.match import Matching, Scores, match
from faceblind.identification.recipe import choose_recipe, lights_of
from faceblind.identification.result import StudyResult, evaluate
from faceblind.recognition.registry import get_recogniser
from faceblind.system.cache import Cache
from faceblind.system.outputs import PRIVATE, prepare_output, private_dir
from faceblind.system.tables import write_tsv
from faceblind.system.workers import run_many
from faceblind.workflows.features import (
    FeatureSettings,
    PhotoFeatures,
    photo_embeddings,
    scan_embeddings,
)
from faceblind.workflows.reconstruct import write_face
from faceblind.workflows.result_outputs import write_result

logger = logging.getLogger(__name__)

_DESCRIPTION = "dataset_description.json"

Direction = Literal["photo-to-scan", "scan-to-photo"]

IN_SILICO = (
    "In-silico: the people are synthetic. These figures show how the method works, "
    "not how recognisable real people are."
)


def study(
    scans: str | Path,
    photos: str | Path,
    out: str | Path,
    *,
    participants: str | Path | None = None,
    direction: Direction = "photo-to-scan",
    recogniser: str | None = None,
    matching: Matching | None = None,
    variant: Variant = "completed",
    series: str | None = None,
    save_faces: bool = False,
    n_jobs: int = -1,
    force: bool = False,
    show_progress: bool = True,
) -> StudyResult:
    """Search photographs among the faces of scans, or the reverse, and count who is found.

    Parameters
    ----------
    scans : path
        Folder of scans, BIDS-like or flat; one scan per person is used.
    photos : path
        Tab-separated table with ``file``, ``participant_id``, ``view`` and ``consent``.
    out : path
        Results: ``summary.json``, ``cmc.tsv`` and, from 20 people on, what the figures mean beyond
        this gallery; whatever shows or names a person goes to ``private/`` in it. A second run
        resumes from the cache there.
    participants : path, optional
        ``participants.tsv`` with age, sex and groups of people; the one beside the table or the
        scans if absent.
    direction : {"photo-to-scan", "scan-to-photo"}
        The probe, then the gallery. The first is the article's.
    recogniser : str, optional
        ``"sface-map"``, ``"sface"``, ``"dlib"`` or the path of an ArcFace-style ONNX file.
    matching : {"adapted", "centred", "nearest"}, optional
        How pictures are compared, see `faceblind.identification.match`. What is left out is chosen
        by `faceblind.identification.recipe.choose_recipe`: ``sface-map`` and ``adapted``.
    variant : {"completed", "as-is"}
        Show faces with what the field of view cut filled in, or as the scan has them.
    series : str, optional
        Use scans whose name ends so, such as ``"FLAIR"`` or ``"acq-axial_FLAIR"``. By default
        each person's scan that shows the face best.
    save_faces : bool
        Keep meshes and render sheets in ``private/faces``.
    n_jobs : int
        Processes; -1 for all processors.
    force : bool
        Write into a folder that holds other things.
    show_progress : bool
        A bar on a terminal, log lines elsewhere.

    Returns
    -------
    StudyResult

    Raises
    ------
    ConsentError
        If any photograph lacks consent. Nothing is read or written before that check.
    FaceblindError
        If the inputs or the output cannot be used.
    """
    scans, photos = Path(scans), Path(photos)
    rows = read_photos_table(photos)
    found = find_people(scans)
    files = choose_face_scans(found if series is None else only_series(found, series))
    people = _participants(participants, scans, photos)
    recipe = choose_recipe(recogniser, matching)
    settings = FeatureSettings(recipe.recogniser, variant)
    identity = get_recogniser(recipe.recogniser).identity
    persons = sorted({row.participant_id for row in rows} & {file.participant_id for file in files})
    if not persons:
        raise TableError(
            f"{photos}: no participant_id matches a scan in {scans}; "
            "compare the table's ids with the sub- labels of the scans"
        )
    root = prepare_output(out, "study", [scans, photos, *(row.file for row in rows)], force)
    private = private_dir(root / PRIVATE)
    cache = private / "cache"
    scan_vectors, failed = _scan_features(files, settings, cache, n_jobs, show_progress)
    photo_vectors, unreadable, flags = _photo_features(rows, settings, cache, n_jobs, show_progress)
    sides = (scan_vectors, photo_vectors)
    failed = check_enrolled(sides, persons, unreadable | failed, recipe.matching)
    scores = _match(scan_vectors, photo_vectors, direction, recipe.matching, identity)
    result = evaluate(
        scores,
        persons,
        failed,
        settings={
            **asdict(replace(settings, recogniser=Path(recipe.recogniser).name)),
            "cameras": len(DEFAULT_CAMERAS),
            "lights": len(lights_of(recipe.recogniser)),
            "series": series,
            "cohort": _cohort(people, persons) | _preset(photos.parent),
        },
        versions=software_versions(),
        note=_note(photos.parent),
    )
    result = interpret(result, scores, _traits(people, files))
    _write(root, private, result, flags)
    if save_faces:
        shown = [file for file in files if file.participant_id in scan_vectors]
        _save_faces(shown, private, n_jobs, show_progress)
    return result


def _participants(given: str | Path | None, scans: Path, photos: Path) -> dict[str, Participant]:
    """What is known of people, from the table given or the one beside the inputs."""
    if given is not None:
        return read_participants(Path(given))
    for folder in (photos.parent, scans):
        if (folder / "participants.tsv").is_file():
            return read_participants(folder / "participants.tsv")
    return {}


def _cohort(people: Mapping[str, Participant], persons: Sequence[str]) -> dict[str, Any]:
    """Which people the figures are about, without naming anybody."""
    known = [people[person] for person in persons if person in people]
    ages = [person.age for person in known if person.age is not None]
    sexes = [person.sex for person in known if person.sex is not None]
    return {
        "age_years": [round(min(ages)), round(float(np.median(ages))), round(max(ages))]
        if ages
        else None,
        "sex": {sex: sexes.count(sex) for sex in sorted(set(sexes))},
    }


def _traits(people: Mapping[str, Participant], files: Sequence[ScanFile]) -> dict[str, Traits]:
    """Groups of people; the contrast of a scan is its suffix where the table does not say."""
    suffixes = {file.participant_id: file.suffix for file in files}
    nobody = Participant()
    known = {person: people.get(person, nobody) for person in {*people, *suffixes}}
    return {
        person: Traits(
            one.age,
            one.sex,
            one.ancestry,
            one.contrast or suffixes.get(person),
            one.field_of_view,
        )
        for person, one in known.items()
    }


def _note(folder: Path) -> str:
    """The warning that synthetic volunteers carry, if these are such."""
    try:
        name = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8-sig"))["Name"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return IN_SILICO if "synthetic" in str(name).lower() else ""


def _preset(folder: Path) -> dict[str, Any]:
    """Name, version and fingerprint of the settings of synthetic volunteers, if these are such."""
    try:
        preset = json.loads((folder / "cohort.json").read_text(encoding="utf-8"))["preset"]
        return {"preset": {key: str(preset[key]) for key in ("name", "version", "fingerprint")}}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _scan_features(
    files: Sequence[ScanFile], settings: FeatureSettings, cache: Path, n_jobs: int, show: bool
) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    """Embeddings (N, D) by person, and why the others have none."""
    work = partial(_scan_work, settings=settings, cache=cache)
    outcomes = run_many(
        work, files, n_jobs=n_jobs, label="Scans", name=_scan_name, show_progress=show
    )
    vectors, failed = {}, {}
    for outcome in outcomes:
        if outcome.value is None:
            failed[outcome.item.participant_id] = outcome.error or "no usable face"
        else:
            vectors[outcome.item.participant_id] = outcome.value
    return vectors, failed


def _scan_name(file: ScanFile) -> str:
    return str(file.path)


def _scan_work(file: ScanFile, settings: FeatureSettings, cache: Path) -> NDArray[np.float32]:
    return scan_embeddings(file.path, settings, Cache(cache))


def _photo_features(
    rows: Sequence[PhotoRow], settings: FeatureSettings, cache: Path, n_jobs: int, show: bool
) -> tuple[dict[str, NDArray[np.float32]], dict[str, str], list[dict[str, str]]]:
    """Embeddings (n, D) by person, why others have none, and the quality flags of pictures."""
    work = partial(_photo_work, settings=settings, cache=cache)
    outcomes = run_many(
        work, rows, n_jobs=n_jobs, label="Photographs", name=_photo_name, show_progress=show
    )
    vectors: dict[str, list[NDArray[np.float32]]] = {}
    failed, flags = {}, []
    for outcome in outcomes:
        row = outcome.item
        remarks: tuple[str, ...] = ("failed",)
        if outcome.value is None:
            failed[row.participant_id] = outcome.error or "no usable face"
        else:
            vectors.setdefault(row.participant_id, []).append(outcome.value.vectors)
            remarks = outcome.value.flags
        flags.append(
            {
                "participant_id": row.participant_id,
                "file": str(row.file),
                "view": row.view,
                "flags": ",".join(remarks),
            }
        )
    enrolled = {person: np.concatenate(parts) for person, parts in vectors.items()}
    return enrolled, {p: why for p, why in failed.items() if p not in enrolled}, flags


def _photo_name(row: PhotoRow) -> str:
    return str(row.file)


def _photo_work(row: PhotoRow, settings: FeatureSettings, cache: Path) -> PhotoFeatures:
    return photo_embeddings(row.file, settings, Cache(cache))


def _match(
    scans: Mapping[str, NDArray[np.float32]],
    photos: Mapping[str, NDArray[np.float32]],
    direction: Direction,
    matching: Matching,
    identity: str,
) -> Scores:
    """Scores of everybody enrolled; an empty table if nobody is left on both sides."""
    if not set(scans) & set(photos):
        return Scores.empty(direction, matching, identity)
    renders = Embeddings.of_people(scans, "render", identity)
    pictures = Embeddings.of_people(photos, "photograph", identity)
    if direction == "photo-to-scan":
        return match(pictures, renders, matching)
    return match(renders, pictures, matching)


def _write(
    root: Path, private: Path, result: StudyResult, flags: Sequence[Mapping[str, str]]
) -> None:
    """Figures for everybody, ranks per person for the owner only."""
    write_tsv(private / "photographs.tsv", flags)
    write_result(root, private, result)


def _save_faces(files: Sequence[ScanFile], private: Path, n_jobs: int, show: bool) -> None:
    """Meshes and render sheets of scans that have a face."""
    work = partial(_save_work, folder=private_dir(private / "faces"))
    outcomes = run_many(
        work, files, n_jobs=n_jobs, label="Faces", name=_scan_name, show_progress=show
    )
    lost = sum(not outcome.ok for outcome in outcomes)
    if lost:
        logger.warning("The faces of %d people could not be saved; check the output's disk.", lost)


def _save_work(file: ScanFile, folder: Path) -> None:
    head = reconstruct_head(load(file.path))
    write_face(head, folder / file.participant_id)
