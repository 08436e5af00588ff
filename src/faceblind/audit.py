"""Is the face really gone? A verdict for every scan, and one for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.examine import Examined, examine
from faceblind.attacks.foreign import shared_faces
from faceblind.attacks.likeness import Likeness, scan_likeness
from faceblind.attacks.ranking import FEWEST, rank_among_originals, rank_among_photographs
from faceblind.attacks.verdict import ANONYMITY, Verdict, judge
from faceblind.errors import FaceblindError, TableError
from faceblind.evaluation.intervals import wilson_interval
from faceblind.features import FeatureSettings, photo_embeddings
from faceblind.formats.bids import ScanFile, choose_face_scans, find_scans
from faceblind.formats.photos import PhotoRow, read_photos_table
from faceblind.recognition.registry import get_recogniser
from faceblind.runner import Outcome, run_many
from faceblind.store import (
    PRIVATE,
    prepare_output,
    private_dir,
    software_versions,
    write_json,
    write_tsv,
)

_NO_HEAD = "the head was not found with enough confidence"


@dataclass(frozen=True)
class AuditReport:
    """The verdicts of one audit.

    Parameters
    ----------
    verdicts : tuple of Verdict
        One for each scan, sorted as `faceblind.formats.bids.find_scans` does.
    fail_above : float
        Share of scans without a pass that is tolerated.
    remarks : tuple of str
        What holds for the whole audit.
    """

    verdicts: tuple[Verdict, ...]
    fail_above: float
    remarks: tuple[str, ...]

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """Scans that could not be examined."""
        return tuple(verdict for verdict in self.verdicts if verdict.error)

    @property
    def not_passed(self) -> float:
        """Share of scans that did not pass, 0 to 1."""
        return sum(verdict.status != "pass" for verdict in self.verdicts) / len(self.verdicts)

    @property
    def passed(self) -> bool:
        """Whether the gate is passed: no more than `fail_above` did not pass."""
        return self.not_passed <= self.fail_above

    def as_list(self) -> list[dict[str, Any]]:
        """What ``--json`` prints."""
        return [verdict.as_dict() for verdict in self.verdicts]


def audit(
    path: str | Path,
    out: str | Path | None = None,
    *,
    originals: str | Path | None = None,
    photos: str | Path | None = None,
    fail_above: float = 0.0,
    recogniser: str = "sface",
    n_jobs: int = -1,
    force: bool = False,
    show_progress: bool = True,
) -> AuditReport:
    """Attack protected scans and say what still leaks.

    Parameters
    ----------
    path : path
        One scan, a folder of scans, or a BIDS dataset, protected by any tool.
    out : path, optional
        Folder for ``audit.tsv`` and ``audit.json``; ranks per person go to ``private/`` in it.
        Nothing is written without it.
    originals : path, optional
        The scans before protection, or other scans of the same people: people are matched by
        their ``sub-*`` labels. Files of the same name also show what became of the brain.
    photos : path, optional
        Table of photographs, as `faceblind.study` takes it. Every line needs consent.
    fail_above : float
        Share of scans, 0 to 1, that may miss a pass before the gate closes.
    recogniser : str
        ``"sface"``, ``"dlib"`` or the path of an ONNX file, for linking.
    n_jobs : int
        Processes; -1 for all processors.
    force : bool
        Write into a folder that holds other things.
    show_progress : bool
        A bar on a terminal, log lines elsewhere.

    Returns
    -------
    AuditReport
        A scan that cannot be examined is ``unsure``; it never passes.

    Raises
    ------
    ConsentError
        If a photograph lacks consent.
    FaceblindError
        If the inputs or the output cannot be used.
    """
    path = Path(path)
    if not 0.0 <= fail_above <= 1.0:
        raise FaceblindError(f"fail-above: expected a share from 0 to 1, got {fail_above:g}")
    files = find_scans(path) if path.is_dir() else [_single(path)]
    rows = read_photos_table(Path(photos)) if photos is not None else []
    before = find_scans(Path(originals)) if originals is not None else []
    _check_people(files, rows, before)
    root = None
    if out is not None:
        inputs = [path, *(Path(p) for p in (originals, photos) if p is not None)]
        root = prepare_output(out, "audit", inputs, force)
    twins = _twins(files, before)
    linking = recogniser if rows or before else None
    work = partial(_work, recogniser=linking)
    outcomes = run_many(
        work,
        [(file, twins.get(file.path)) for file in files],
        n_jobs=n_jobs,
        label="Scans",
        name=_name,
        show_progress=show_progress,
    )
    run = partial(run_many, n_jobs=n_jobs, show_progress=show_progress)
    links = _links(files, outcomes, before, rows, recogniser, run) if linking else {}
    base = path if path.is_dir() else path.parent
    shared = _shared(outcomes)
    verdicts = [
        _verdict(
            outcome,
            base,
            links.get(str(outcome.item[0].path), ()),
            (bool(before), bool(rows)),
            outcome.item[0].path in shared,
        )
        for outcome in outcomes
    ]
    verdicts = _with_sisters(files, verdicts)
    report = AuditReport(tuple(verdicts), fail_above, _remarks(verdicts))
    if root is not None:
        _write(root, report, recogniser if linking else None)
    return report


def _single(path: Path) -> ScanFile:
    if not path.exists():
        raise TableError(f"{path}: no such file or folder; check the path")
    for file in find_scans(path.parent):
        if file.path == path:
            return file
    return ScanFile(path, "sub-unknown", None, None)


def _check_people(
    files: Sequence[ScanFile], rows: Sequence[PhotoRow], before: Sequence[ScanFile]
) -> None:
    people = {file.participant_id for file in files}
    for name, others in (
        ("photographs", {row.participant_id for row in rows}),
        ("originals", {file.participant_id for file in before}),
    ):
        if others and not people & others:
            raise TableError(f"{name}: no label is also among the scans; compare the sub- labels")


def _twins(files: Sequence[ScanFile], before: Sequence[ScanFile]) -> dict[Path, Path]:
    """The original of each scan: same person, session and file name."""
    known = {(f.participant_id, f.session, f.path.name): f.path for f in before}
    keys = {f.path: (f.participant_id, f.session, f.path.name) for f in files}
    return {path: known[key] for path, key in keys.items() if key in known}


_Item = tuple[ScanFile, Path | None]


def _work(item: _Item, recogniser: str | None) -> Examined:
    return examine(item[0].path, item[1], recogniser)


def _name(item: _Item) -> str:
    return str(item[0].path)


def _original_work(file: ScanFile, recogniser: str) -> Likeness:
    return scan_likeness(file.path, recogniser)


def _photo_work(row: PhotoRow, recogniser: str) -> NDArray[np.float32]:
    return photo_embeddings(row.file, FeatureSettings(recogniser)).vectors


def _links(
    files: Sequence[ScanFile],
    outcomes: Sequence[Outcome[_Item, Examined]],
    before: Sequence[ScanFile],
    rows: Sequence[PhotoRow],
    recogniser: str,
    run: Any,
) -> dict[str, tuple[Any, ...]]:
    """Ranks of each scan, by its path.

    A person's scans are searched one after the other, never together, so that each gets its own.
    """
    identity = get_recogniser(recogniser).identity
    originals: dict[str, Likeness] = {}
    for outcome in run(
        partial(_original_work, recogniser=recogniser),
        choose_face_scans(before),
        label="Originals",
        name=lambda file: str(file.path),
    ):
        if outcome.value is not None:
            originals[outcome.item.participant_id] = outcome.value
    photographs: dict[str, list[NDArray[np.float32]]] = {}
    for outcome in run(
        partial(_photo_work, recogniser=recogniser),
        rows,
        label="Photographs",
        name=lambda row: str(row.file),
    ):
        if outcome.value is not None:
            photographs.setdefault(outcome.item.participant_id, []).append(outcome.value)
    pictures = {person: np.concatenate(parts) for person, parts in photographs.items()}
    found: dict[str, tuple[Any, ...]] = {}
    for turn in _turns(files):
        scans = {
            outcome.item[0].participant_id: outcome.value.likenesses
            for outcome in outcomes
            if outcome.value is not None and outcome.item[0].path in turn
        }
        places = {
            o.item[0].participant_id: str(o.item[0].path)
            for o in outcomes
            if o.item[0].path in turn
        }
        for ranks in (
            rank_among_originals(scans, originals, identity),
            rank_among_photographs(scans, pictures, identity),
        ):
            for person, link in ranks.items():
                found[places[person]] = (*found.get(places[person], ()), link)
    return found


def _shared(outcomes: Sequence[Outcome[_Item, Examined]]) -> set[Path]:
    """Scans that show the same face as a scan of somebody else."""
    outlines, people = {}, {}
    for outcome in outcomes:
        if outcome.value is not None and outcome.value.outline is not None:
            name = str(outcome.item[0].path)
            outlines[name] = outcome.value.outline
            people[name] = outcome.item[0].participant_id
    return {Path(name) for name in shared_faces(outlines, people)}


def _turns(files: Sequence[ScanFile]) -> list[set[Path]]:
    """Scans in groups that hold one of each person; people with fewer scans fill up the later."""
    people: dict[str, list[Path]] = {}
    for file in files:
        people.setdefault(file.participant_id, []).append(file.path)
    most = max(len(paths) for paths in people.values())
    return [{paths[min(turn, len(paths) - 1)] for paths in people.values()} for turn in range(most)]


def _verdict(
    outcome: Outcome[_Item, Examined],
    base: Path,
    links: tuple[Any, ...],
    given: tuple[bool, bool],
    shared: bool,
) -> Verdict:
    """A scan's verdict; `given` tells whether originals and photographs were given."""
    with_originals, with_photographs = given
    name = outcome.item[0].path.relative_to(base).as_posix()
    untested = []
    if not with_originals:
        untested.append("linking to the originals and harm to the brain (no --originals)")
    elif not any(link.against == "originals" for link in links):
        untested.append(f"linking to the originals (fewer than {FEWEST} people, or not among them)")
    if not with_photographs:
        untested.append("recognition by photographs (no --photos)")
    elif not any(link.against == "photographs" for link in links):
        untested.append(f"recognition by photographs (fewer than {FEWEST} people, or none of him)")
    if outcome.value is None:
        why = outcome.error or "could not be examined"
        # A sound file without a findable head is a verdict, an unreadable one a failure.
        error = "" if _NO_HEAD in why or "stands out" in why else why
        reason = why.replace(str(outcome.item[0].path), name)
        advice = ("look at the scan",)
        return Verdict(name, "unsure", (reason,), advice, tuple(untested), None, error)
    found = outcome.value.findings
    findings = replace(found, links=links, foreign=found.foreign or shared)
    return judge(name, findings, tuple(untested))


def _with_sisters(files: Sequence[ScanFile], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Name the series that were forgotten beside protected ones of the same session."""
    sessions: dict[tuple[str, str | None], list[int]] = {}
    for place, file in enumerate(files):
        sessions.setdefault((file.participant_id, file.session), []).append(place)
    changed = list(verdicts)
    for places in sessions.values():
        open_ = [i for i in places if verdicts[i].status == "fail"]
        closed = [i for i in places if verdicts[i].status == "pass"]
        if not open_ or not closed:
            continue
        for place in open_:
            reasons = (*changed[place].reasons, "forgotten beside a protected series")
            changed[place] = replace(changed[place], reasons=reasons)
        for place in closed:
            name = Path(verdicts[open_[0]].path).name
            reasons = (f"another series of the session still shows the face: {name}",)
            changed[place] = replace(
                changed[place], status="unsure", reasons=(*reasons, *changed[place].reasons)
            )
    return changed


def _remarks(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    count = len(verdicts)
    bad = sum(verdict.status != "pass" for verdict in verdicts)
    _, high = wilson_interval(bad, count)
    return (
        ANONYMITY,
        f"{bad} of {count} scans did not pass; by chance alone the true rate may be as high as "
        f"{high:.0%} (Wilson, 95 %).",
    )


def _write(root: Path, report: AuditReport, recogniser: str | None) -> None:
    """The table for everybody, ranks for the owner only."""
    rows = [
        {
            "path": v.path,
            "status": v.status,
            "score": v.findings.score if v.findings else None,
            "reasons": "; ".join(v.reasons),
            "advice": "; ".join(v.advice),
            "not_tested": "; ".join(v.not_tested),
        }
        for v in (replace_links(verdict) for verdict in report.verdicts)
    ]
    write_tsv(root / "audit.tsv", rows, tuple(rows[0]))
    counts = [verdict.status for verdict in report.verdicts]
    summary: Mapping[str, Any] = {
        "scans": len(counts),
        **{status: counts.count(status) for status in ("pass", "fail", "unsure")},
        "not_examined": len(report.failed),
        "fail_above": report.fail_above,
        "passed": report.passed,
        "remarks": report.remarks,
        "recogniser": Path(recogniser).name if recogniser else None,
        "versions": software_versions(),
    }
    write_json(root / "summary.json", summary)
    private = private_dir(root / PRIVATE)
    write_json(private / "audit.json", report.as_list())


def replace_links(verdict: Verdict) -> Verdict:
    """The verdict without a person's ranks, for what others may see."""
    kept = tuple(r for r in verdict.reasons if not r.startswith("recognised among"))
    if kept == verdict.reasons:
        return verdict
    return replace(verdict, reasons=(*kept, "recognised by linking (rank in the private report)"))
