"""Many items in the jobs of a batch system: the same function, the same outcomes.

The jobs are workers of a Dask cluster that lives as long as the run and is kept at its size.

`dask_jobqueue` writes and submits the job scripts. What it leaves open is settled here: paths with
spaces, jobs that are refused, die, or never reach the scheduler, and who may connect.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faceblind.errors import FaceblindError
from faceblind.system.cluster import work_off
from faceblind.system.job_queue import SUBMIT, JobQueue, alive
from faceblind.system.threads import ALGEBRA_VARIABLES, LIBRARY_VARIABLES, VARIABLE
from faceblind.system.workers import Item, Outcome, Value

if TYPE_CHECKING:
    from distributed.security import Security

TEND_S = 10.0
"""How often the jobs are looked at: a batch system answers many users."""
BAD_ROUNDS = 3
"""So often in a row may jobs die while none works; then the run ends."""
LOST_PER_JOB = 3
"""Jobs that die before they reach the scheduler are replaced up to so many times their number: one
broken node must not swallow jobs for ever."""
AT_ONCE = 20
"""Jobs that are submitted at the same time."""
_NAME = "faceblind"


class _Job:
    """A job that keeps why it was refused, and whose script nobody else can read or exchange."""

    scripts: Path
    refused = ""
    job_id: str | None
    status: Any

    @contextmanager
    def job_file(self) -> Iterator[str]:
        handle, path = tempfile.mkstemp(".sh", dir=self.scripts)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(self.job_script())  # type: ignore[attr-defined]
        yield path
        Path(path).unlink(missing_ok=True)

    async def start(self) -> None:
        try:
            await super().start()  # type: ignore[misc]
        except (OSError, RuntimeError, ValueError) as error:
            from distributed import Status

            # The last line is the batch system's reason.
            self.refused = str(error).strip().splitlines()[-1]
            self.status = Status.running

    async def close(self) -> None:
        from distributed import Status

        await super().close()  # type: ignore[misc]
        self.status = Status.closed


class _Cluster:
    """A cluster that hands its keys to no job script: the environment says where they lie."""

    def _get_worker_security(self, security: Security | None) -> None:  # noqa: ARG002
        return None


def _cluster_class(queue: JobQueue, scripts: Path) -> Any:
    """The batch system's own class of clusters, with what is settled here."""
    handler = signal.getsignal(signal.SIGINT)
    import dask_jobqueue
    from dask_jobqueue.pbs import PBSJob
    from dask_jobqueue.slurm import SLURMJob

    # Importing it makes Ctrl-C end a program with exit code 0, as if all were done.
    signal.signal(signal.SIGINT, handler)
    cluster, job = {
        "slurm": (dask_jobqueue.SLURMCluster, SLURMJob),
        "pbs": (dask_jobqueue.PBSCluster, PBSJob),
    }[queue.system]
    ours = type("Job", (_Job, job), {"scripts": scripts})
    return type("Cluster", (_Cluster, cluster), {"job_cls": ours})


_QUIET = {
    "slurm": ("--output=/dev/null", "--error=/dev/null"),
    "pbs": ("-o /dev/null", "-e /dev/null"),
}
"""Where a system's own copy of a job's output goes; the job writes its log itself."""


def run_in_queue(
    function: Callable[[Item], Value],
    items: Iterable[Item],
    queue: JobQueue,
    *,
    label: str = "Items",
    name: Callable[[Item], str] = str,
    show_progress: bool = True,
    until: Callable[[Outcome[Item, Value]], bool] | None = None,
) -> list[Outcome[Item, Value]]:
    """Apply a function to every item in jobs of a batch system.

    The jobs are workers of a Dask scheduler in this process, which ends them with the run. They
    talk by TLS with keys of this run, so that nobody else's program can join. Jobs that die are
    replaced.

    Parameters
    ----------
    function, items, label, name, show_progress, until
        As `faceblind.system.workers.run_many` takes them.
    queue : JobQueue

    Returns
    -------
    list of Outcome
        As `run_many` gives them.

    Raises
    ------
    FaceblindError
        If jobs cannot be submitted, or all of them die before they reach this process.
    """
    work = list(items)
    if not work:
        return []
    missing = [
        one for one in ("dask_jobqueue", "cryptography") if not importlib.util.find_spec(one)
    ]
    if missing:
        raise FaceblindError(
            "--queue needs dask-jobqueue; install it with: pip install faceblind[queue]"
        )
    command = SUBMIT[queue.system]
    if shutil.which(command) is None:
        raise FaceblindError(
            f"--queue {queue.system} needs {command} on this machine; run it where jobs are "
            "submitted"
        )
    with JobCluster(queue, min(queue.jobs, len(work))) as jobs:
        return work_off(
            jobs.client, function, work, label=label, name=name, show_progress=show_progress,
            until=until, watch=jobs.tend,
        )  # fmt: skip


class JobCluster:
    """Jobs that work for this process, from entering to leaving the context.

    Parameters
    ----------
    queue : JobQueue
    jobs : int
        How many of them.
    """

    def __init__(self, queue: JobQueue, jobs: int) -> None:
        self.queue, self.jobs = queue, jobs
        self.lost = self.bad_rounds = 0
        self._worked: set[str] = set()
        self._next = 0.0
        self._stack = ExitStack()

    def __enter__(self) -> JobCluster:
        self.queue.home.mkdir(mode=0o700, exist_ok=True)
        with ExitStack() as stack:
            self._keys = Path(tempfile.mkdtemp(prefix="run-", dir=self.queue.home))
            stack.callback(shutil.rmtree, self._keys, ignore_errors=True)
            self.cluster = self._start()
            stack.callback(self.cluster.close)
            from distributed import Client

            self.client = Client(self.cluster, timeout="30s", set_as_default=False)
            stack.callback(self.client.close)
            self._begin()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def tend(self, left: int) -> None:
        """Replace jobs that died.

        Parameters
        ----------
        left : int
            Items that are not finished: no more jobs are needed.

        Raises
        ------
        FaceblindError
            If no job works and new ones die, too.
        """
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + TEND_S
        ids = {job.job_id for job in list(self.cluster.workers.values()) if job.job_id}
        self.cluster.sync(self._tend, alive(self.queue.system, ids), left)
        if self.bad_rounds >= BAD_ROUNDS:
            raise FaceblindError(
                f"all jobs ended before they reached this run; look into {self.queue.home} and "
                "check that the nodes see this folder and reach this machine"
            )

    def _begin(self) -> None:
        """Submit the jobs; refuse to go on where the batch system refuses all of them."""
        refused = ""
        for first in range(0, self.jobs, AT_ONCE):
            count = min(AT_ONCE, self.jobs - first)
            refused = self.cluster.sync(self._submit, count) or refused
        if not self.cluster.workers:
            raise FaceblindError(f"{SUBMIT[self.queue.system]} refuses the jobs: {refused}")
        self._next = time.monotonic() + TEND_S

    async def _submit(self, more: int) -> str:
        """Submit jobs that are missing, and so many new ones; why one was refused, if any was."""
        for _ in range(more):
            self.cluster.worker_spec.update(self.cluster.new_worker_spec())
        await self.cluster._correct_state()
        refused = ""
        for name, job in list(self.cluster.workers.items()):
            if job.refused:
                # It is submitted again the next time.
                refused = job.refused
                del self.cluster.workers[name]
        return refused

    async def _tend(self, living: set[str], left: int) -> None:
        cluster = self.cluster
        connected = {str(one.name) for one in cluster.scheduler.workers.values()}
        died = False
        for name, job in list(cluster.workers.items()):
            if name in connected:
                self._worked.add(job.job_id)
            elif job.job_id not in living:
                del cluster.workers[name]
                died = True
                self.lost += job.job_id not in self._worked
        enough = self.lost > LOST_PER_JOB * self.jobs
        for name in list(cluster.worker_spec):
            if name not in cluster.workers and (enough or len(cluster.worker_spec) > left):
                del cluster.worker_spec[name]
        await self._submit(0)
        if connected:
            self.bad_rounds = 0
        elif died or not cluster.workers:
            self.bad_rounds += 1

    def _start(self) -> Any:
        import dask.config
        from distributed.security import Security

        queue = self.queue
        site = f"jobqueue.{queue.system}"
        security = Security.temporary()
        make = _cluster_class(queue, self._keys)
        try:
            return make(
                cores=queue.threads,
                processes=1,
                memory=f"{queue.memory_mb}MB",
                security=security,
                name=_NAME,
                job_name=_NAME,
                python=shlex.quote(sys.executable),
                # One item at a time; the batch system bounds the memory.
                worker_extra_args=[
                    "--nthreads", "1", "--memory-limit", "0", "--no-dashboard",
                    "--dashboard-address", "127.0.0.1:0",
                ],
                job_script_prologue=[
                    *dask.config.get(f"{site}.job-script-prologue", []), *self._prologue(security),
                ],
                job_directives_skip=["#SBATCH -t", "#PBS -l walltime"],
                job_extra_directives=[*_QUIET[queue.system], *queue.options],
                log_directory=None,
                scheduler_options={
                    **dask.config.get(f"{site}.scheduler-options", {}),
                    "dashboard": False, "dashboard_address": "127.0.0.1:0",
                },
            )  # fmt: skip
        except (OSError, RuntimeError, ValueError) as error:
            raise FaceblindError(
                f"the scheduler for the jobs does not start: {str(error).splitlines()[0]}"
            ) from error

    def _prologue(self, security: Security) -> list[str]:
        """Lines of the job script: its log, its keys, its threads."""
        keys = security.get_tls_config_for_role("worker")
        tls = {"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True"}
        places = {"ca_file": "CA_FILE", "cert": "WORKER__CERT", "key": "WORKER__KEY"}
        for kind, variable in places.items():
            # The folder is open to nobody else.
            path = self._keys / kind
            path.write_text(keys[kind])
            tls[f"DASK_DISTRIBUTED__COMM__TLS__{variable}"] = str(path)
        threads = dict.fromkeys((VARIABLE, *LIBRARY_VARIABLES), str(self.queue.threads))
        threads |= dict.fromkeys(ALGEBRA_VARIABLES, "1")
        if modules := os.environ.get("PYTHONPATH"):
            threads["PYTHONPATH"] = modules
        log = shlex.quote(str(self.queue.home / "job-"))
        return [
            "umask 077",
            f"exec >>{log}${{SLURM_JOB_ID:-$PBS_JOBID}}.log 2>&1 </dev/null || exit 1",
            *(f"export {name}={shlex.quote(value)}" for name, value in {**tls, **threads}.items()),
        ]
