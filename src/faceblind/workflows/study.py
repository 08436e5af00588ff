"""The experiment: can these people be found by the faces in their scans?"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from faceblind.errors import RecogniserError, TableError
from faceblind.face.cameras import DEFAULT_CAMERAS
from faceblind.face.pipeline import reconstruct_head
from faceblind.face.reconstruction import Variant
from faceblind.formats import load
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.enrolment import check_enrolled
from faceblind.identification.interpretation import Traits, interpret
from faceblind.identification.match import Matching, Scores, match
from faceblind.identification.recipe import Recipe, choose_recipe, lights_of
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
from faceblind.workflows.study_material import note_of, preset_of
from faceblind.workflows.study_service import (
    Permitted,
    Searched,
    ServiceChoice,
    permitted_service,
    search_by_service,
)

logger = logging.getLogger(__name__)

Direction = Literal["photo-to-scan", "scan-to-photo"]


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
    service: ServiceChoice | None = None,
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
    service : ServiceChoice, optional
        Upload renders and photographs to a service and let it search, see
        `faceblind.workflows.study_service`. Without it nothing leaves this machine.
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
    ServiceError
        If a service is asked for and not all that its use needs is given, or if it fails.
    FaceblindError
        If the inputs or the output cannot be used.
    """
    scans, photos = Path(scans), Path(photos)
    rows = read_photos_table(photos)
    found = find_people(scans)
    files = choose_face_scans(found if series is None else only_series(found, series))
    people = _participants(participants, scans, photos)
    persons = sorted({row.participant_id for row in rows} & {file.participant_id for file in files})
    if not persons:
        raise TableError(
            f"{photos}: no participant_id matches a scan in {scans}; "
            "compare the table's ids with the sub- labels of the scans"
        )
    work = _Work(files, rows, persons, variant, direction, n_jobs, show_progress)
    if service is None:
        recipe = choose_recipe(recogniser, matching)
        # What cannot be opened is refused before a folder is made.
        identity = get_recogniser(recipe.recogniser).identity
        search = partial(_search_here, work, recipe, identity)
    else:
        _require_no_recipe(recogniser, matching)
        paths = [*(file.path for file in files), *(row.file for row in rows)]
        search = partial(_search_remote, work, permitted_service(service, photos, paths, direction))
    root = prepare_output(out, "study", [scans, photos, *(row.file for row in rows)], force)
    private = private_dir(root / PRIVATE)
    searched = search(private)
    result = evaluate(
        searched.scores,
        persons,
        searched.failed,
        settings={
            "variant": variant,
            "need_face": True,
            **searched.settings,
            "cameras": len(DEFAULT_CAMERAS),
            "series": series,
            "cohort": _cohort(people, persons) | preset_of(photos.parent),
        },
        versions=software_versions(),
        note=note_of(photos.parent),
    )
    result = interpret(result, searched.scores, _traits(people, files))
    _write(root, private, result, searched.flags)
    if save_faces:
        shown = [file for file in files if file.participant_id in searched.shown]
        _save_faces(shown, private, n_jobs, show_progress)
    return result


@dataclass(frozen=True)
class _Work:
    """What is searched in what, and how."""

    files: Sequence[ScanFile]
    rows: Sequence[PhotoRow]
    persons: Sequence[str]
    variant: Variant
    direction: Direction
    n_jobs: int
    show_progress: bool


def _require_no_recipe(recogniser: str | None, matching: str | None) -> None:
    if recogniser is not None or matching is not None:
        raise RecogniserError(
            "a service recognises and matches by itself; leave out --recogniser and --matching"
        )


def _search_here(work: _Work, recipe: Recipe, identity: str, private: Path) -> Searched:
    """By a recogniser on this machine."""
    settings = FeatureSettings(recipe.recogniser, work.variant)
    how = (settings, private / "cache", work.n_jobs, work.show_progress)
    scans, failed = _scan_features(work.files, *how)
    photos, unreadable, flags = photo_features(work.rows, *how)
    failed = check_enrolled((scans, photos), work.persons, unreadable | failed, recipe.matching)
    scores = _match(scans, photos, work.direction, recipe.matching, identity)
    told = {
        "recogniser": Path(recipe.recogniser).name,
        "lights": len(lights_of(recipe.recogniser)),
    }
    return Searched(scores, failed, tuple(flags), frozenset(scans), told)


def _search_remote(work: _Work, permitted: Permitted, private: Path) -> Searched:
    """By a service that may be used."""
    settings = FeatureSettings(variant=work.variant)
    found = search_by_service(
        permitted, work.files, work.rows, settings, private, work.n_jobs, work.show_progress
    )
    sides = (found.shown, set(map(str, found.scores.probe_persons)))
    failed = check_enrolled(sides, work.persons, found.failed, "service")
    return replace(found, failed=failed)


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


def photo_features(
    rows: Sequence[PhotoRow], settings: FeatureSettings, cache: Path, n_jobs: int, show: bool
) -> tuple[dict[str, NDArray[np.float32]], dict[str, str], list[dict[str, str]]]:
    """Embed the photographs of a table.

    Parameters
    ----------
    rows : sequence of PhotoRow
    settings : FeatureSettings
    cache : Path
    n_jobs : int
    show : bool
        Show progress.

    Returns
    -------
    vectors : dict of str to (n, D) float32 ndarray
        By person.
    failed : dict of str to str
        Why others have none.
    flags : list of dict
        Quality remarks of each picture.
    """
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
