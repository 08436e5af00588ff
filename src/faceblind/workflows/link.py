"""The scan-to-scan experiment: can two scans of one person be found to belong together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from faceblind._version import software_versions
from faceblind.datasets.bids import choose_face_scans, find_people
from faceblind.datasets.census import ScanFile
from faceblind.errors import TableError
from faceblind.face.cameras import DEFAULT_CAMERAS
from faceblind.face.reconstruction import Variant
from faceblind.identification.enrolment import check_enrolled
from faceblind.identification.interpretation import Traits, interpret
from faceblind.identification.match import Matching, Scores
from faceblind.identification.recipe import lights_of
from faceblind.identification.result import StudyResult, evaluate
from faceblind.identification.scan_match import (
    GEOMETRY_WEIGHT,
    LinkMatching,
    ScanFeatures,
    link_scores,
)
from faceblind.recognition.registry import DEFAULT_RECOGNISER, get_recogniser
from faceblind.system.cache import Cache
from faceblind.system.outputs import PRIVATE, prepare_output, private_dir
from faceblind.system.workers import run_many
from faceblind.workflows.features import features_of_scan
from faceblind.workflows.result_outputs import write_result


def link(
    probes: str | Path,
    gallery: str | Path,
    out: str | Path,
    *,
    recogniser: str = DEFAULT_RECOGNISER,
    matching: LinkMatching = "fused",
    variant: Variant = "completed",
    n_jobs: int = -1,
    force: bool = False,
    show_progress: bool = True,
) -> StudyResult:
    """Search scans of people among other scans of the same people, and count who is found.

    Parameters
    ----------
    probes, gallery : path
        Folders of scans, BIDS-like or flat, of any contrast; one scan per person is used
        on each side, and people are matched by their ``sub-*`` labels. Scans without a face are
        searched too: what completion makes of them is part of the attack.
    out : path
        Results: ``summary.json`` and ``cmc.tsv``; ranks per person and the cache of features go
        to ``private/`` in it.
    recogniser : str
        ``"sface-map"``, ``"sface"``, ``"dlib"`` or the path of an ArcFace-style ONNX file.
    matching : {"fused", "centred", "nearest"}
        ``fused`` compares renders (``centred``) and surfaces; the others compare renders only,
        see `faceblind.identification.match`.
    variant : {"completed", "as-is"}
        The face that the recogniser sees.
    n_jobs : int
        Processes; -1 for all processors.
    force : bool
        Write into a folder that holds other things.
    show_progress : bool
        A bar on a terminal, log lines elsewhere.

    Returns
    -------
    StudyResult
        With the direction ``scan-to-scan``. People whose scan failed count as missed.

    Raises
    ------
    FaceblindError
        If the inputs or the output cannot be used.
    """
    probes, gallery = Path(probes), Path(gallery)
    sides = [choose_face_scans(find_people(folder)) for folder in (probes, gallery)]
    persons = _persons(sides, probes, gallery)
    identity = get_recogniser(recogniser).identity
    root = prepare_output(out, "link", [probes, gallery], force)
    private = private_dir(root / PRIVATE)
    work = partial(_work, recogniser=recogniser, variant=variant, cache=private / "cache")
    files = [*sides[0], *sides[1]]
    outcomes = run_many(
        work, files, n_jobs=n_jobs, label="Scans", name=_name, show_progress=show_progress
    )
    enrolled: list[dict[str, ScanFeatures]] = [{}, {}]
    failed: dict[str, str] = {}
    for place, outcome in enumerate(outcomes):
        person = outcome.item.participant_id
        if outcome.value is not None:
            enrolled[place >= len(sides[0])][person] = outcome.value
        else:
            failed.setdefault(person, outcome.error or "no usable face")
    failed = check_enrolled((enrolled[0], enrolled[1]), persons, failed, matching)
    scores = _scores(enrolled[0], enrolled[1], identity, matching)
    result = evaluate(
        scores,
        persons,
        failed,
        settings={
            "recogniser": Path(recogniser).name,
            "variant": variant,
            "cameras": len(DEFAULT_CAMERAS),
            "lights": len(lights_of(recogniser)),
            "geometry_weight": GEOMETRY_WEIGHT if matching == "fused" else 0.0,
            "probe_contrasts": _contrasts(sides[0]),
            "gallery_contrasts": _contrasts(sides[1]),
        },
        versions=software_versions(),
    )
    settings = {**result.settings, "matching": matching}
    result = replace(result, matching=matching, settings=settings)
    contrasts = {file.participant_id: Traits(contrast=file.suffix) for file in sides[0]}
    result = interpret(result, scores, contrasts)
    write_result(root, private, result)
    return result


def _persons(sides: Sequence[Sequence[ScanFile]], probes: Path, gallery: Path) -> list[str]:
    """Labels on both sides; no scan is searched among itself."""
    paths = [{file.path.resolve(): file.path for file in files} for files in sides]
    both = [paths[0][path] for path in paths[0] if path in paths[1]]
    if both:
        raise TableError(f"{both[0]}: is a probe and in the gallery, too; keep the two apart")
    first, second = ({file.participant_id for file in files} for files in sides)
    if not first & second:
        raise TableError(
            f"{probes}: no sub- label is also in {gallery}; give the scans of a "
            "person the same label"
        )
    return sorted(first & second)


def _work(file: ScanFile, recogniser: str, variant: Variant, cache: Path) -> ScanFeatures:
    return features_of_scan(file.path, recogniser, variant, Cache(cache))


def _name(file: ScanFile) -> str:
    return str(file.path)


def _contrasts(files: Sequence[ScanFile]) -> dict[str, int]:
    """How many scans of each contrast; names nobody."""
    names = [file.suffix or "unknown" for file in files]
    return {name: names.count(name) for name in sorted(set(names))}


def _scores(
    probes: dict[str, ScanFeatures],
    gallery: dict[str, ScanFeatures],
    identity: str,
    matching: LinkMatching,
) -> Scores:
    """Scores of everybody enrolled; an empty table when nobody is left on both sides."""
    if not set(probes) & set(gallery):
        recipe: Matching = "nearest" if matching == "nearest" else "centred"
        return Scores.empty("scan-to-scan", recipe, identity)
    return link_scores(probes, gallery, identity, matching)
