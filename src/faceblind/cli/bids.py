"""``faceblind bids``: a whole BIDS dataset, as a BIDS App."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceblind.cli.bids_arguments import read_config
from faceblind.cli.options import Quiet, Verbose
from faceblind.cli.protect import DropExtensions
from faceblind.cli.verb import DONE, FAILED, GATE, one_line, say

if TYPE_CHECKING:
    from faceblind.datasets.bids_filters import Wanted
    from faceblind.workflows.bids.group import GroupReport
    from faceblind.workflows.bids.participant import RunReport
    from faceblind.workflows.bids.plan import Plan
    from faceblind.workflows.bids.settings import BidsSettings, Resources


class Level(StrEnum):
    """What to do."""

    participant = "participant"
    group = "group"


class MethodName(StrEnum):
    """How faces are taken away."""

    deface = "deface"
    reface = "reface"


class LayoutName(StrEnum):
    """What the output is."""

    derivative = "derivative"
    publish = "publish"


class QueueName(StrEnum):
    """Batch systems."""

    slurm = "slurm"
    pbs = "pbs"


_FEW = 20


def bids(
    bids_dir: Annotated[
        Path, typer.Argument(metavar="BIDS_DIR", help="A BIDS dataset. It is only read.")
    ],
    output_dir: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT_DIR", help="A new folder, or that of an earlier run, which goes on."
        ),
    ],
    level: Annotated[
        Level,
        typer.Argument(
            metavar="LEVEL",
            help="participant: protect and audit. group: audit all that is there together.",
        ),
    ],
    participant_label: Annotated[
        list[str] | None,
        typer.Option("--participant-label", metavar="LABEL...", help="Only these participants."),
    ] = None,
    exclude_participant_label: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude-participant-label", metavar="LABEL...", help="Not these participants."
        ),
    ] = None,
    session_label: Annotated[
        list[str] | None,
        typer.Option("--session-label", metavar="LABEL...", help="Only these sessions."),
    ] = None,
    bids_filter_file: Annotated[
        Path | None,
        typer.Option("--bids-filter-file", help="Which series, as JSON queries by suffix."),
    ] = None,
    method: Annotated[
        MethodName, typer.Option("--method", help="Remove faces, or put an average one there.")
    ] = MethodName.deface,
    layout: Annotated[
        LayoutName,
        typer.Option(
            "--layout",
            help="derivative: protected scans under new names. publish: a whole raw dataset with "
            "the names of the original.",
        ),
    ] = LayoutName.derivative,
    everything: Annotated[
        bool, typer.Option("--all", help="Protect func, dwi, perf and fmap images, too.")
    ] = False,
    include: Annotated[
        list[str] | None,
        typer.Option(
            "--include",
            metavar="FOLDER...",
            help="With publish: also copy texts and tables of code, derivatives or sourcedata.",
        ),
    ] = None,
    protect_only: Annotated[
        bool,
        typer.Option("--protect-only", help="Protect; nothing is public before --audit-only."),
    ] = False,
    audit_only: Annotated[
        bool,
        typer.Option("--audit-only", help="Audit what --protect-only made, and publish it."),
    ] = False,
    study: Annotated[
        Path | None,
        typer.Option("--study", help="With group: search these photographs among the scans."),
    ] = None,
    fail_above: Annotated[
        float,
        typer.Option(
            "--fail-above",
            help="With group: share that may miss a pass or be left out.",
            min=0,
            max=1,
        ),
    ] = 0.0,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Protect what its sidecar calls protected, if it shows a face."
        ),
    ] = False,
    drop_extensions: DropExtensions = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    nprocs: Annotated[
        int,
        typer.Option(
            "--nprocs", "--nthreads", "-j", help="Processes; -1 takes all processors.", min=-1
        ),
    ] = -1,
    omp_nthreads: Annotated[
        int | None, typer.Option("--omp-nthreads", help="Threads of each process.", min=1)
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            "--dask",
            metavar="SCHEDULER",
            help="Work on a Dask cluster: its address or scheduler file.",
        ),
    ] = None,
    queue: Annotated[
        QueueName | None,
        typer.Option("--queue", help="Work in jobs of a batch system, as many as --nprocs."),
    ] = None,
    queue_option: Annotated[
        list[str] | None,
        typer.Option(
            "--queue-option",
            metavar="LINE",
            help="An option of sbatch or qsub for each job, such as --time=04:00:00.",
        ),
    ] = None,
    mem_mb: Annotated[
        int | None, typer.Option("--mem-mb", help="Memory of all processes together.", min=1)
    ] = None,
    work_dir: Annotated[
        Path | None,
        typer.Option("--work-dir", "-w", help="For what is under way; else OUTPUT_DIR/private."),
    ] = None,
    stop_on_first_crash: Annotated[
        bool, typer.Option("--stop-on-first-crash", help="End the run at the first failure.")
    ] = False,
    skip_bids_validation: Annotated[
        bool,
        typer.Option(
            "--skip-bids-validation", help="Accept a folder without dataset_description.json."
        ),
    ] = False,
    notrack: Annotated[
        bool, typer.Option("--notrack", help="Accepted; faceblind never reports to anybody.")
    ] = False,
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config-file",
            help="TOML with values for these options.",
            callback=read_config,
            is_eager=True,
        ),
    ] = None,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Log one JSON object a line.")
    ] = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Protect a whole BIDS dataset, and publish only what passed its audit.

    Each session is protected together, attacked, and put into OUTPUT_DIR if it passes. A run that
    was interrupted goes on when it is started again; several may share one OUTPUT_DIR. What helps
    to undo or names people stays in OUTPUT_DIR/private. Labels may have their sub- or ses-.

    Exit codes: 0 done, 1 some scan is not public or a file failed, 2 usage, 3 (group) the gate is
    closed: a public scan does not pass, or a scan of BIDS_DIR is not public. Labels and filters say
    which scans of BIDS_DIR count.
    """
    from faceblind.datasets.bids_filters import Wanted, read_filter_file
    from faceblind.workflows.bids.settings import BidsSettings, Resources

    if protect_only and audit_only:
        raise typer.BadParameter("--protect-only and --audit-only exclude each other")
    if nprocs == 0:
        raise typer.BadParameter("no process does no work; give 1 or more, or -1 for all")
    _check_queue(queue, queue_option or [], level, nprocs, dask)
    resources = Resources(
        nprocs, omp_nthreads, mem_mb, work_dir, stop_on_first_crash, not quiet, dask,
        queue.value if queue else None, tuple(queue_option or ()),
    )  # fmt: skip
    wanted = Wanted(
        tuple(participant_label or ()),
        tuple(session_label or ()),
        tuple(exclude_participant_label or ()),
        read_filter_file(bids_filter_file) if bids_filter_file else {},
    )
    if level == Level.group:
        return _group(bids_dir, output_dir, wanted, resources, study, fail_above)
    if study is not None:
        raise typer.BadParameter("--study needs all scans; give it with group")
    settings = BidsSettings(
        method=method.value,
        layout=layout.value,
        everything=everything,
        force=force,
        drop_extensions=drop_extensions,
        also=tuple(include or ()),
        steps="protect" if protect_only else "audit" if audit_only else "both",
        wanted=wanted,
        validate=not skip_bids_validation,
    )
    if dry_run:
        return _dry_run(bids_dir, settings, verbose=verbose)
    return _participants(bids_dir, output_dir, settings, resources)


def _check_queue(
    queue: QueueName | None, options: list[str], level: Level, nprocs: int, dask: str | None
) -> None:
    if queue is None:
        if options:
            raise typer.BadParameter("--queue-option needs --queue")
        return
    if dask is not None:
        raise typer.BadParameter("--queue and --dask exclude each other")
    if level == Level.group:
        raise typer.BadParameter("--queue is for participant; group works on this machine")
    if nprocs == -1:
        raise typer.BadParameter("--queue needs --nprocs, the number of jobs")
    if any("\n" in line or "\r" in line for line in options):
        raise typer.BadParameter("a --queue-option is one line")


def _dry_run(bids_dir: Path, settings: BidsSettings, *, verbose: bool) -> int:
    from faceblind.workflows.bids.plan import make_plan

    plan = make_plan(bids_dir, settings)
    for task in plan.tasks:
        for image in task.scans:
            typer.echo(one_line(f"protect  {image.inside}  ->  {image.target}"))
        for image in task.maps:
            leader = task.scans[image.leader or 0]
            typer.echo(one_line(f"blank    {image.inside}  as {leader.inside.rpartition('/')[2]}"))
        for copy in task.copies if verbose else ():
            typer.echo(one_line(f"copy     {copy.inside}"))
    _say_plan(plan)
    typer.echo("Nothing was written (--dry-run).")
    return DONE


def _say_plan(plan: Plan) -> None:
    from faceblind.datasets.bids_roles import RATES

    images = [image for task in plan.tasks for image in task.images]
    sessions = sum(bool(task.scans) for task in plan.tasks)
    copies = sum(len(task.copies) for task in plan.tasks) + len(plan.common) - plan.untouched
    typer.echo(
        f"{plan.participants} participants, {sessions} sessions: {len(images)} images to protect"
        + (f", {copies} files to copy" if copies else "")
    )
    if plan.untouched:
        typer.echo(f"{plan.untouched} images are copied as they are. {RATES}")
    listed = sorted(plan.left_out.items())
    for path, reason in listed[:_FEW]:
        say(f"left out: {path}: {reason}")
    if len(listed) > _FEW:
        say(f"left out: and {len(listed) - _FEW} more")


def _participants(
    bids_dir: Path, output_dir: Path, settings: BidsSettings, resources: Resources
) -> int:
    from faceblind.workflows.bids.participant import elsewhere, run_participants

    report = run_participants(bids_dir, output_dir, settings, resources)
    _say_plan(report.plan)
    for line in report.failures:
        say(f"failed: {line}")
    for line in report.faults:
        say(f"public tree: {line}")
    if report.not_begun:
        say(f"{report.not_begun} sessions were not begun; run it again to go on")
    if shared := elsewhere(report.tasks):
        typer.echo(f"{shared} sessions are worked on by another run")
    typer.echo(_result(report, settings, output_dir))
    return DONE if report.ok else FAILED


def _result(report: RunReport, settings: BidsSettings, out: Path) -> str:
    total = sum(len(task.scans) for task in report.tasks)
    if settings.steps == "protect":
        count = report.count("protected")
        return f"Protected {count} of {total}, not audited and not public yet: {out / 'private'}"
    existed = sum(len(task.scans) for task in report.tasks if task.existed)
    earlier = f" ({existed} by an earlier run)" if existed else ""
    return f"Passed and public: {report.count('pass')} of {total}{earlier}: {out}"


def _group(
    bids_dir: Path,
    output_dir: Path,
    wanted: Wanted,
    resources: Resources,
    study: Path | None,
    fail_above: float,
) -> int:
    import faceblind
    from faceblind.workflows.bids.group import run_group

    report = run_group(
        bids_dir, output_dir, resources, wanted=wanted, photos=study, fail_above=fail_above
    )
    folder = output_dir / "private" / "report"
    page = faceblind.write_report(
        report, folder, n_jobs=resources.n_jobs, show_progress=resources.show_progress
    )
    _say_group(report)
    typer.echo(f"Results: {folder / 'audit.tsv'}")
    typer.echo(f"Report: {page}")
    if report.audit.failed or report.audit.unlinked or report.faults:
        return FAILED
    return DONE if report.passed else GATE


def _say_group(report: GroupReport) -> None:
    audit = report.audit
    for verdict in audit.verdicts:
        if verdict.status != "pass":
            reasons = "; ".join(map(str, verdict.reasons))
            typer.echo(one_line(f"{verdict.status:6}  {verdict.path}: {reasons}"))
    for remark in audit.remarks:
        typer.echo(remark)
    for scan in report.absent:
        say(f"not public: {scan.source}: {scan.status}: {scan.reason}")
    for line in (*audit.unlinked, *report.faults):
        say(f"failed: {line}")
    if report.waiting:
        say(f"{report.waiting} sessions are not finished; run 'participant' for them")
    passed = sum(verdict.status == "pass" for verdict in audit.verdicts)
    typer.echo(f"{passed} of {len(audit.verdicts)} public scans pass.")
