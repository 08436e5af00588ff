"""What to ask a batch system for, SLURM or PBS, and which of its jobs are alive."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

System = Literal["slurm", "pbs"]
SUBMIT = {"slurm": "sbatch", "pbs": "qsub"}
_ASK = {"slurm": ("squeue", "--noheader", "--format=%A", "--jobs"), "pbs": ("qstat",)}
_UNKNOWN = ("Invalid job id", "Unknown Job", "has finished")
"""What batch systems say of jobs that are over."""
_ENDED = {"C", "E", "F"}
"""States of a PBS job that is over or about to be."""
_ASK_S = 30.0


@dataclass(frozen=True)
class JobQueue:
    """What to ask a batch system for.

    Parameters
    ----------
    system : {"slurm", "pbs"}
    jobs : int
        How many, each with one worker that works on one item at a time.
    threads : int
        Processors of each job.
    memory_mb : int
        Of each job.
    home : Path
        A private folder that the nodes see, too: for keys and the jobs' logs.
    options : tuple of str
        Further lines for the head of the job script, such as ``"--time=04:00:00"``.
    """

    system: System
    jobs: int
    threads: int
    memory_mb: int
    home: Path
    options: tuple[str, ...] = ()


def alive(system: System, jobs: Collection[str]) -> set[str]:
    """Which jobs wait or run.

    Parameters
    ----------
    system : {"slurm", "pbs"}
    jobs : collection of str
        Their numbers.

    Returns
    -------
    set of str
        All of them where the batch system does not answer: it may be busy.
    """
    if not jobs:
        return set()
    ids = [",".join(sorted(jobs))] if system == "slurm" else sorted(jobs)
    try:
        done = subprocess.run(  # noqa: S603 - the numbers are the batch system's own
            [*_ASK[system], *ids], capture_output=True, text=True, check=False, timeout=_ASK_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return set(jobs)
    if done.returncode and not any(words in done.stderr for words in _UNKNOWN):
        return set(jobs)
    found = set()
    for line in done.stdout.splitlines():
        words = line.split()
        number = words[0].partition(".")[0] if words else ""
        # qstat: number and server, name, user, time, state, queue.
        if number in jobs and not (system == "pbs" and len(words) > 4 and words[4] in _ENDED):
            found.add(number)
    return found
