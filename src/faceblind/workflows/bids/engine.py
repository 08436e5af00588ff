"""What applies one function to all sessions: processes, a Dask cluster, or jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from faceblind.system.workers import Outcome, run_many
from faceblind.workflows.bids.memory import jobs_in_queue
from faceblind.workflows.bids.plan import Task
from faceblind.workflows.bids.session import Output, TaskReport
from faceblind.workflows.bids.settings import Resources

PATIENCE_S = 60.0
"""A worker that a scheduler has given up may hold its session until it has ended; batch systems
leave jobs half a minute for that."""


def patience_s(resources: Resources) -> float:
    """How long a session that another process holds is waited for.

    Parameters
    ----------
    resources : Resources
    """
    is_local = resources.queue is None and resources.scheduler is None
    return 0.0 if is_local else PATIENCE_S


def engine(
    jobs: int, work: Sequence[Task], output: Output, resources: Resources
) -> Callable[..., list[Outcome[Task, TaskReport]]]:
    """What does the work; the bytes are the same from each.

    Parameters
    ----------
    jobs : int
        Processes, where they run on this machine.
    work : sequence of Task
    output : Output
        Made.
    resources : Resources

    Returns
    -------
    callable
        Takes a function, items and what else `faceblind.system.workers.run_many` takes.
    """
    # The others only where they are asked for: they bring a network of their own.
    if resources.queue is not None:
        from faceblind.system.job_cluster import run_in_queue
        from faceblind.system.job_queue import JobQueue

        jobs, memory = jobs_in_queue(work, resources)
        queue = JobQueue(
            resources.queue, jobs, resources.threads or 1, memory, output.jobs,
            resources.queue_options,
        )  # fmt: skip
        return partial(run_in_queue, queue=queue)
    if resources.scheduler is not None:
        from faceblind.system.cluster import run_on_cluster

        return partial(run_on_cluster, scheduler=resources.scheduler)
    return partial(run_many, n_jobs=jobs, threads=resources.threads)
