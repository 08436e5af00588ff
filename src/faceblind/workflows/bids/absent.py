"""Which scans of a dataset are not public, though nothing says that they need not be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from faceblind.workflows.bids.manifest import DATASET, ScanRecord, TaskRecord
from faceblind.workflows.bids.plan import Plan

_UNAUDITED = "not audited yet; run 'participant' with --audit-only"
_NOT_BEGUN = "no run has worked on it; run 'participant'"


def absent_scans(plan: Plan, known: Iterable[ScanRecord]) -> tuple[ScanRecord, ...]:
    """Scans of the dataset that are not public, and why.

    Parameters
    ----------
    plan : Plan
        Of the participants and series that are wanted now.
    known : iterable of ScanRecord
        What became of scans.

    Returns
    -------
    tuple of ScanRecord
        Sorted by source. Of the status ``"waiting"`` where no run knows the scan, and
        ``"not_examined"`` where faceblind does not know what it is.
    """
    by_source = {record.source: record for record in known}
    absent = [
        ScanRecord(inside, "", "not_examined", reason) for inside, reason in plan.unexamined.items()
    ]
    for image in (image for task in plan.tasks for image in task.images):
        record = by_source.get(image.inside)
        if record is None:
            absent.append(ScanRecord(image.inside, image.target, "waiting", _NOT_BEGUN))
        elif record.status == "protected":
            absent.append(replace(record, reason=_UNAUDITED))
        elif record.status != "pass":
            absent.append(record)
    return tuple(sorted(absent, key=lambda record: record.source))


def unfinished(plan: Plan, known: Sequence[TaskRecord], *, all_wanted: bool) -> int:
    """How many sessions no run has finished.

    Parameters
    ----------
    plan : Plan
    known : sequence of TaskRecord
        The manifest's.
    all_wanted : bool
        Whether the whole dataset is wanted, so that sessions count that are gone from it.
    """
    finished = {task.key for task in known if task.state in ("done", "failed")}
    wanted = {task.key for task in plan.tasks}
    if all_wanted:
        wanted |= {task.key for task in known if task.key != DATASET}
    return len(wanted - finished)
