"""``faceblind bids IN OUT participant``: all sessions of a dataset, each by the same function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from faceblind._version import __version__
from faceblind.datasets.bids_filters import Wanted
from faceblind.errors import OutputError
from faceblind.system.outputs import prepare_output
from faceblind.system.workers import Outcome
from faceblind.workflows.bids.dataset import read_description, write_dataset_files
from faceblind.workflows.bids.engine import engine, patience_s
from faceblind.workflows.bids.manifest import VERB, Manifest
from faceblind.workflows.bids.memory import jobs_within
from faceblind.workflows.bids.plan import Plan, Task, make_plan, require_known_folders
from faceblind.workflows.bids.session import ELSEWHERE, Output, TaskReport, run_task
from faceblind.workflows.bids.settings import BidsSettings, Resources
from faceblind.workflows.bids.sweep import sweep

_ALL = "all images"


@dataclass(frozen=True, repr=False)
class RunReport:
    """What a run did.

    Parameters
    ----------
    plan : Plan
    tasks : tuple of TaskReport
    failures : tuple of str
        One line each, of files, sessions and the dataset.
    faults : tuple of str
        What the sweep over the public tree found.
    not_begun : int
        Sessions that were left because the run ended at its first failure.
    """

    plan: Plan
    tasks: tuple[TaskReport, ...]
    failures: tuple[str, ...]
    faults: tuple[str, ...]
    not_begun: int = 0

    def __repr__(self) -> str:
        statuses = Counter(scan.status for task in self.tasks for scan in task.scans)
        told = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
        return (
            f"RunReport({told or 'no scans'}; {len(self.failures)} failures, {len(self.faults)} "
            f"faults, {self.not_begun} sessions not begun)"
        )

    @property
    def ok(self) -> bool:
        """Whether all that was to be done is done, and nothing else is public."""
        return not (self.failures or self.faults or self.not_begun)

    def count(self, status: str) -> int:
        """Scans of a status, see `ScanRecord`."""
        return sum(scan.status == status for task in self.tasks for scan in task.scans)


def run_participants(
    dataset: str | Path, out: str | Path, settings: BidsSettings, resources: Resources
) -> RunReport:
    """Protect and audit the sessions of a dataset; only what passed becomes public.

    Parameters
    ----------
    dataset : path
        A BIDS dataset; it is only read.
    out : path
        A new folder, or that of an earlier run, which then goes on.
    settings : BidsSettings
    resources : Resources

    Returns
    -------
    RunReport

    Raises
    ------
    FaceblindError
        If dataset or output cannot be used.
    """
    plan = make_plan(dataset, settings)
    require_known_folders(plan.root, settings.also)
    read_description(plan.root)
    output = prepare(plan, Path(out), settings, resources)
    with Manifest(output.root, make=True) as manifest:
        _require_same_way(manifest, settings)
        manifest.expect([task.key for task in plan.tasks])
    jobs, too_large = jobs_within(plan.tasks, resources)
    work = [task for task in plan.tasks if task.key not in too_large]
    outcomes = engine(jobs, work, output, resources)(
        partial(run_task, output=output, settings=settings, wait_s=patience_s(resources)),
        work,
        label="Sessions",
        name=_name,
        show_progress=resources.show_progress,
        until=_has_failed if resources.stop_at_first else None,
    )
    tasks = [one.value or _lost(one) for one in outcomes]
    failures = [line for task in tasks for line in task.failures]
    failures += [f"{key}: {reason}" for key, reason in too_large.items()]
    if settings.steps != "protect":
        failures += write_dataset_files(plan, output, settings)
    people = {task.key.partition("/")[0] for task in plan.tasks} if plan.is_part else None
    faults = sweep(output.root, content=False, participants=people)
    left = len(plan.tasks) - len(tasks) - len(too_large)
    return RunReport(plan, tuple(tasks), tuple(failures), tuple(faults), left)


def prepare(plan: Plan, out: Path, settings: BidsSettings, resources: Resources) -> Output:
    """Make the output's folders, or refuse them.

    Parameters
    ----------
    plan : Plan
    out : Path
    settings : BidsSettings
    resources : Resources
    """
    home = out.expanduser().resolve()
    derivatives = plan.root.resolve() / "derivatives"
    inside = derivatives in home.parents and settings.layout == "derivative"
    # A dataset's own folder for derivatives is the one place in it that is nobody's raw data.
    try:
        root = prepare_output(out, VERB, [] if inside else [plan.root])
    except OutputError as error:
        # Here --force is about scans; nothing makes this tool share a folder with others.
        raise OutputError(str(error).removesuffix(" or use --force")) from error
    work = resources.work.expanduser().resolve() if resources.work else None
    if work is not None and (work == root or plan.root.resolve() in (work, *work.parents)):
        raise OutputError(
            f"{work}: lies in the dataset or is the output; choose another --work-dir"
        )
    output = Output(root, work)
    output.make()
    return output


def _require_same_way(manifest: Manifest, settings: BidsSettings) -> None:
    """One output holds one kind of results, by one version."""
    images = _ALL if settings.everything else "head images"
    now = [settings.layout, settings.method, images, __version__]
    before = manifest.described("way")
    if before is None:
        manifest.describe("way", now)
    elif before != now:
        found = ", ".join(map(str, before)) if isinstance(before, list) else before
        raise OutputError(
            f"OUTPUT_DIR holds results of another layout, method or version ({found}); choose a "
            "new folder"
        )


def settings_of(manifest: Manifest, wanted: Wanted) -> BidsSettings:
    """How the results of an output were made.

    Parameters
    ----------
    manifest : Manifest
    wanted : Wanted
        Of which participants, sessions and series; the manifest does not keep that.

    Raises
    ------
    OutputError
        If no run has made any.
    """
    way = manifest.described("way")
    if not isinstance(way, list):
        raise OutputError("OUTPUT_DIR holds no results; run 'participant' first")
    layout, method, images, _ = way
    return BidsSettings(
        method=method, layout=layout, everything=images == _ALL, wanted=wanted, validate=False
    )


def _name(task: Task) -> str:
    return task.key


def _has_failed(outcome: Outcome[Task, TaskReport]) -> bool:
    return outcome.value is None or bool(outcome.value.failures)


def _lost(outcome: Outcome[Task, TaskReport]) -> TaskReport:
    return TaskReport(outcome.name, "failed", failures=(f"{outcome.name}: {outcome.error}",))


def elsewhere(tasks: Sequence[TaskReport]) -> int:
    """How many sessions another run works on."""
    return sum(task.state == ELSEWHERE for task in tasks)
