"""``faceblind bids IN OUT group``: audit all that is public, together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from faceblind.attacks.reasons import Reason
from faceblind.attacks.verdict import Verdict
from faceblind.datasets.bids_filters import Wanted
from faceblind.datasets.bids_names import parse_name
from faceblind.datasets.census import ScanFile
from faceblind.datasets.photographs import read_photos_table
from faceblind.errors import ScanError, TableError
from faceblind.recognition.registry import DEFAULT_RECOGNISER, get_recogniser
from faceblind.system.outputs import PRIVATE, private_dir
from faceblind.system.workers import run_many
from faceblind.workflows.audit import judge_scans, pairs, with_companions
from faceblind.workflows.audit_report import (
    AuditReport,
    remarks,
    still_linkable,
    write_report,
)
from faceblind.workflows.bids.absent import absent_scans, unfinished
from faceblind.workflows.bids.manifest import FileRecord, Manifest, ScanRecord
from faceblind.workflows.bids.participant import settings_of
from faceblind.workflows.bids.plan import make_plan
from faceblind.workflows.bids.session import BY_COMPANION, Output
from faceblind.workflows.bids.settings import Resources
from faceblind.workflows.bids.sweep import sweep

RECOGNISER = DEFAULT_RECOGNISER


@dataclass(frozen=True, repr=False)
class GroupReport:
    """What holds for a whole output.

    Parameters
    ----------
    audit : AuditReport
    faults : tuple of str
        What the sweep over the public tree found.
    absent : tuple of ScanRecord
        Scans of the dataset that are not public, and why.
    waiting : int
        Sessions that no run has finished.
    """

    audit: AuditReport
    faults: tuple[str, ...]
    absent: tuple[ScanRecord, ...]
    waiting: int

    def __repr__(self) -> str:
        return (
            f"GroupReport({len(self.audit.verdicts)} public scans, {len(self.absent)} not public, "
            f"{self.waiting} sessions not finished, {len(self.faults)} faults; gate "
            f"{'passed' if self.passed else 'closed'})"
        )

    @property
    def passed(self) -> bool:
        """Whether the gate is passed.

        Every session is finished, and of the scans of the dataset no more than the share that the
        audit allows did not pass or is not public.
        """
        missed = sum(verdict.status != "pass" for verdict in self.audit.verdicts)
        count = len(self.audit.verdicts) + len(self.absent)
        share = (missed + len(self.absent)) / count
        return self.audit.passed and not self.waiting and share <= self.audit.fail_above


def run_group(
    dataset: str | Path,
    out: str | Path,
    resources: Resources,
    *,
    wanted: Wanted | None = None,
    photos: Path | None = None,
    fail_above: float = 0.0,
) -> GroupReport:
    """Audit what is public, all people together, and prove that nothing else is.

    Parameters
    ----------
    dataset : path
        What was protected. Each scan in it must be public, or the gate is closed.
    out : path
        Output of `run_participants`.
    resources : Resources
    wanted : Wanted, optional
        Of which participants and series that is asked; of all by default. All that is public is
        audited whatever is wanted.
    photos : Path, optional
        Table of photographs, see `faceblind.study`.
    fail_above : float
        Share of scans, 0 to 1, that may miss a pass or be left out before the gate closes.

    Returns
    -------
    GroupReport
        Its audit is in ``private/report``, too.
    """
    root = Path(out).expanduser().resolve()
    wanted = wanted or Wanted()
    with Manifest(root) as manifest:
        files = [file for file in manifest.files() if file.role in ("protected", "follower")]
        known, tasks = manifest.scans(), manifest.tasks()
        settings = settings_of(manifest, wanted)
    if not files:
        raise ScanError(f"{root}: holds no protected scan; run 'participant' first")
    plan = make_plan(dataset, settings)
    scans = [_scan_file(root, file) for file in files]
    rows = read_photos_table(photos) if photos else []
    people = {scan.participant_id for scan in scans}
    if rows and not people & {row.participant_id for row in rows}:
        raise TableError("photographs: no label is also among the scans; compare the sub- labels")
    linking = RECOGNISER if rows else None
    run = partial(run_many, n_jobs=resources.n_jobs, show_progress=resources.show_progress)
    cache = Output(root).cache
    verdicts, linked = judge_scans(scans, root, run, rows=rows, recogniser=linking, cache=cache)
    # That their bytes are still those that were judged by a companion, the sweep says.
    followers = {file.path for file in files if file.role == "follower"}
    verdicts = [_by_companion(v) if v.path in followers else v for v in verdicts]
    verdicts = with_companions(scans, verdicts, root)
    audit = _report(verdicts, scans, root, fail_above, linked.unusable)
    report = private_dir(root / PRIVATE / "report")
    write_report(report, audit, get_recogniser(linking).identity if linking else None)
    faults = tuple(sweep(root, content=True))
    waiting = unfinished(plan, tasks, all_wanted=wanted == Wanted())
    return GroupReport(audit, faults, absent_scans(plan, known), waiting)


def _report(
    verdicts: list[Verdict],
    scans: list[ScanFile],
    root: Path,
    fail_above: float,
    unlinked: tuple[str, ...],
) -> AuditReport:
    """The audit of what is public."""
    linkable = still_linkable(scans, root)
    said = remarks(verdicts, linkable)
    return AuditReport(
        tuple(verdicts), fail_above, said, unlinked, files=pairs(scans, ()),
        linkable=linkable,
    )  # fmt: skip


def _scan_file(root: Path, file: FileRecord) -> ScanFile:
    path = root / file.path
    name = parse_name(path.name)
    assert name is not None
    return ScanFile(path, f"sub-{name.get('sub')}", name.get("ses"), name.suffix)


def _by_companion(verdict: Verdict) -> Verdict:
    """Of a map that was judged by its companion, the verdict that it had then."""
    if {reason.kind for reason in verdict.reasons} != {"no_head"}:
        return verdict
    reason = Reason("no_head", f"{BY_COMPANION} see the run that made it")
    return replace(verdict, status="pass", reasons=(reason,), advice=())
