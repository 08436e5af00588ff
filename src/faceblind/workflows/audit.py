"""Is the face really gone? A verdict for every scan, and one for all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from faceblind.attacks.examine import Examined
from faceblind.attacks.reasons import Kind, Reason
from faceblind.attacks.replaced_face import shared_faces
from faceblind.attacks.unexamined import is_explained, not_examined, remarks_on, set_aside
from faceblind.attacks.verdict import Verdict, judge
from faceblind.datasets.bids import check_people, find_people
from faceblind.datasets.census import Census, ScanFile, session_of, take_census
from faceblind.datasets.names import participant_label
from faceblind.datasets.photographs import PhotoRow, read_photos_table
from faceblind.errors import AlignmentError, FaceblindError, TableError, missing
from faceblind.formats import check_source
from faceblind.formats.names import suffix_of, without_ending
from faceblind.identification.ranking import FEWEST, Link
from faceblind.recognition.registry import (
    DEFAULT_RECOGNISER,
    check_recogniser,
    get_recogniser,
)
from faceblind.system.cache import Cache
from faceblind.system.outputs import PRIVATE, prepare_output
from faceblind.system.workers import Outcome, run_many
from faceblind.workflows.audit_cache import examine_once
from faceblind.workflows.audit_linking import Linked, Run, link_scans
from faceblind.workflows.audit_report import (
    AuditReport,
    remarks,
    still_linkable,
    write_report,
)

_Item = tuple[ScanFile, Path | None]
_Result = Outcome[_Item, Examined | AlignmentError]


def audit(
    path: str | Path,
    out: str | Path | None = None,
    *,
    originals: str | Path | None = None,
    photos: str | Path | None = None,
    fail_above: float = 0.0,
    ignore: Sequence[str] = (),
    recogniser: str = DEFAULT_RECOGNISER,
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
        Folder for ``audit.tsv`` and ``summary.json``; ranks per person go to ``private/`` in it,
        and what was found, so that a second run goes on where the first ended. Nothing is written
        without it.
    originals : path, optional
        The scans before protection, or other scans of the same people: people are matched by
        their ``sub-*`` labels. Files of the same name also show what became of the brain.
    photos : path, optional
        Table of photographs, as `faceblind.study` takes it. Every line needs consent.
    fail_above : float
        Share of scans, 0 to 1, that may miss a pass before the gate closes.
    ignore : sequence of str
        Shell patterns, relative to `path`, of files that need not be examined: see
        `faceblind.attacks.unexamined.is_named`. Scans that can be read are examined all the same.
    recogniser : str
        ``"sface-map"``, ``"sface"``, ``"dlib"`` or the path of an ONNX file, for linking.
    n_jobs : int
        Processes; -1 for all processors.
    force : bool
        Write into a folder that holds other things.
    show_progress : bool
        A bar on a terminal, log lines elsewhere.

    Returns
    -------
    AuditReport
        A scan that cannot be read is ``unsure``; it never passes. Other files that may show a head
        are listed as ``not_examined``, and the gate stays shut.

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
    census = take_census(path, everywhere=True) if path.is_dir() else None
    files = census.require_scans() if census else [_single(path)]
    # Who is who matters only where people are searched.
    if census and (originals is not None or photos is not None):
        check_people(files, path)
    rows = read_photos_table(Path(photos)) if photos is not None else []
    before = find_people(Path(originals)) if originals is not None else []
    _check_people(files, rows, before)
    check_recogniser(recogniser)
    linking = recogniser if rows or before else None
    identity = get_recogniser(linking).identity if linking else None
    root = None
    if out is not None:
        inputs = [path, *(Path(p) for p in (originals, photos) if p is not None)]
        root = prepare_output(out, "audit", [*inputs, *(row.file for row in rows)], force)
    cache = root / PRIVATE / "cache" if root is not None else None
    run = partial(run_many, n_jobs=n_jobs, show_progress=show_progress)
    base = path if path.is_dir() else path.parent
    verdicts, linked = judge_scans(
        files, base, run, before=before, rows=rows, recogniser=linking, cache=cache
    )
    verdicts = with_companions(files, verdicts, base)
    unseen, ignored = _unseen(census, ignore, verdicts)
    linkable = still_linkable(files, base)
    said = remarks(verdicts, linkable) + remarks_on(unseen, ignored, path)
    report = AuditReport(
        tuple(verdicts), fail_above, said, linked.unusable, unseen, ignored, pairs(files, before),
        linkable,
    )  # fmt: skip
    if root is not None:
        write_report(root, report, identity)
    return report


def judge_scans(
    files: Sequence[ScanFile],
    base: Path,
    run: Run,
    *,
    before: Sequence[ScanFile] = (),
    rows: Sequence[PhotoRow] = (),
    recogniser: str | None = None,
    cache: Path | None = None,
) -> tuple[list[Verdict], Linked]:
    """A verdict for each scan, by what is in it and among other people.

    Parameters
    ----------
    files : sequence of ScanFile
    base : Path
        Folder that the paths of verdicts are relative to.
    run : Run
    before : sequence of ScanFile
        Originals.
    rows : sequence of PhotoRow
        Photographs.
    recogniser : str or None
        What links, if anything does.
    cache : Path or None
        Folder of what was found before.

    Returns
    -------
    list of Verdict
        In the order of `files`.
    Linked
    """
    twins = _twins(files, before)
    outcomes: list[_Result] = run(
        partial(_work, recogniser=recogniser, cache=cache),
        [(file, twins.get(file.path)) for file in files],
        label="Scans",
        name=_name,
    )
    linked = Linked({}, ())
    if recogniser:
        features = {o.item[0]: o.value.features for o in outcomes if isinstance(o.value, Examined)}
        linked = link_scans(features, before, rows, recogniser, run, cache)
    given = (bool(before), bool(rows))
    shared = _shared(outcomes, base)
    return [_verdict(outcome, base, linked, given, shared) for outcome in outcomes], linked


def _unseen(
    census: Census | None, ignore: Sequence[str], verdicts: Sequence[Verdict]
) -> tuple[tuple[Verdict, ...], dict[str, tuple[str, ...]]]:
    """What no attack looks at, and what of it is ignored; nothing beside a single file."""
    if census is None:
        return (), {}
    left, ignored = set_aside([not_examined(one, census.folder) for one in census.unread], ignore)
    passed = {v.path: v.findings.replaced for v in verdicts if v.status == "pass" and v.findings}
    beside = {
        scan.path: passed[name]
        for scan in census.scans
        if (name := scan.path.relative_to(census.folder).as_posix()) in passed
    }
    return tuple(v for v in left if not is_explained(v, census.folder, beside)), ignored


def _single(path: Path) -> ScanFile:
    """A file by itself, labelled by its name as in a folder; its neighbours are not looked at."""
    if path.is_symlink() and not path.exists():
        raise missing(path)
    if not path.exists():
        raise TableError(f"{path}: no such file or folder; check the path")
    check_source(path)
    stem, suffix = without_ending(path.name), suffix_of(path.name)
    person, session = (
        re.search(rf"(?:^|_){entity}-([0-9A-Za-z]+)(?=_|$)", stem) for entity in ("sub", "ses")
    )
    label = person[1] if person else stem.removesuffix(f"_{suffix}")
    label = re.sub(r"^\W+|[^\w.+-]", "", label) or "unnamed"
    return ScanFile(path, participant_label(label), session[1] if session else None, suffix)


def _check_people(
    files: Sequence[ScanFile], rows: Sequence[PhotoRow], before: Sequence[ScanFile]
) -> None:
    ours = {file.path.resolve() for file in files}
    both = next((file.path for file in before if file.path.resolve() in ours), None)
    if both is not None:
        raise TableError(f"{both}: is audited and an original, too; keep the two apart")
    people = {file.participant_id for file in files}
    for name, others in (
        ("photographs", {row.participant_id for row in rows}),
        ("originals", {file.participant_id for file in before}),
    ):
        if others and not people & others:
            raise TableError(f"{name}: no label is also among the scans; compare the sub- labels")


def pairs(
    files: Sequence[ScanFile], before: Sequence[ScanFile]
) -> tuple[tuple[Path, Path | None], ...]:
    """Each scan with its original of the same person, session and name, or None.

    Parameters
    ----------
    files, before : sequence of ScanFile
    """
    twins = _twins(files, before)
    return tuple((file.path, twins.get(file.path)) for file in files)


def _twins(files: Sequence[ScanFile], before: Sequence[ScanFile]) -> dict[Path, Path]:
    """The original of each scan: same person, session and file name."""
    known = {(f.participant_id, f.session, f.path.name): f.path for f in before}
    keys = {f.path: (f.participant_id, f.session, f.path.name) for f in files}
    return {path: known[key] for path, key in keys.items() if key in known}


def _work(item: _Item, recogniser: str | None, cache: Path | None) -> Examined | AlignmentError:
    try:
        return examine_once(item[0].path, item[1], recogniser, Cache(cache) if cache else None)
    except AlignmentError as error:
        # A sound file without a head that can be found is a doubt; an unreadable one a failure.
        return error


def _name(item: _Item) -> str:
    return str(item[0].path)


def _shared(outcomes: Sequence[_Result], base: Path) -> set[Path]:
    """Scans that show the same face as a scan of somebody else."""
    outlines, people = {}, {}
    for outcome in outcomes:
        if isinstance(outcome.value, Examined) and outcome.value.outline is not None:
            name = str(outcome.item[0].path)
            outlines[name] = outcome.value.outline
            person, _, folder = session_of(outcome.item[0], base)
            people[name] = f"{person} {folder}"
    return {Path(name) for name in shared_faces(outlines, people)}


def _verdict(
    outcome: _Result, base: Path, linked: Linked, given: tuple[bool, bool], shared: set[Path]
) -> Verdict:
    """A scan's verdict; `given` tells whether originals and photographs were given."""
    file, original = outcome.item
    name = file.path.relative_to(base).as_posix()
    links = linked.links.get(file.path, ())
    untested = _untested(links, given)
    if not isinstance(outcome.value, Examined):
        why = outcome.error or str(outcome.value)
        reason = why.removeprefix(f"{file.path}: ")
        if original is not None:
            reason = reason.replace(str(original), "the original")
        error = "" if outcome.ok else reason
        kind: Kind = "no_head" if outcome.ok else "unreadable"
        return Verdict(
            name, "unsure", (Reason(kind, reason),), ("look at the scan",), untested, None, error
        )
    found = outcome.value.findings
    if given[0] and found.brain.changed_mm3 is None:
        untested = (*untested, "harm to the brain (no original of the same name and grid)")
    findings = replace(
        found, links=links, replaced_by_other=found.replaced_by_other or file.path in shared
    )
    return judge(name, findings, untested)


def _untested(links: Sequence[Link], given: tuple[bool, bool]) -> tuple[str, ...]:
    """What linking could not test."""
    with_originals, with_photographs = given
    against = {link.against for link in links}
    untested = []
    if not with_originals:
        untested.append("linking to the originals and harm to the brain (no --originals)")
    elif "originals" not in against:
        untested.append(f"linking to the originals (fewer than {FEWEST} people, or not among them)")
    if not with_photographs:
        untested.append("recognition by photographs (no --photos)")
    elif "photographs" not in against:
        untested.append(
            f"recognition by photographs (fewer than {FEWEST} people, or not among them)"
        )
    return tuple(untested)


def with_companions(
    files: Sequence[ScanFile], verdicts: Sequence[Verdict], base: Path
) -> list[Verdict]:
    """Name the series that were forgotten beside protected ones of the same session.

    Parameters
    ----------
    files : sequence of ScanFile
    verdicts : sequence of Verdict
        In the order of `files`.
    base : Path
        Folder that was searched.
    """
    sessions: dict[tuple[str, ...], list[int]] = {}
    for place, file in enumerate(files):
        sessions.setdefault(session_of(file, base), []).append(place)
    changed = list(verdicts)
    for places in sessions.values():
        open_ = [i for i in places if verdicts[i].status == "fail"]
        closed = [i for i in places if verdicts[i].status == "pass"]
        if not open_ or not closed:
            continue
        for place in open_:
            forgotten = Reason("session", "forgotten beside a protected series")
            reasons = (*changed[place].reasons, forgotten)
            changed[place] = replace(changed[place], reasons=reasons)
        for place in closed:
            name = Path(verdicts[open_[0]].path).name
            beside = Reason(
                "session", f"another series of the session still shows the face: {name}"
            )
            changed[place] = replace(
                changed[place], status="unsure", reasons=(beside, *changed[place].reasons)
            )
    return changed
