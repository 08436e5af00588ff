"""Whatever does the work, and whatever dies meanwhile, the public tree is that of a local run."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import stand_ins

from faceblind.system import job_cluster
from faceblind.workflows.bids import participant
from faceblind.workflows.bids.engine import PATIENCE_S, patience_s
from faceblind.workflows.bids.participant import run_participants
from faceblind.workflows.bids.settings import BidsSettings, Resources

HERE = Path(stand_ins.__file__).parent
PUBLISH = BidsSettings(layout="publish")
SHOWS = "sub-2/anat/sub-2_rec-shows_T2w.nii.gz"


@pytest.fixture
def local(run, tmp_path, tree):
    """The public tree of a run in this process."""
    run(layout="publish")
    return tree(tmp_path / "out")


@pytest.fixture
def pids(local, tmp_path, monkeypatch):
    """Where processes that work leave their numbers; each step of theirs takes a while."""
    folder = tmp_path / "pids"
    folder.mkdir()
    monkeypatch.setattr(participant, "run_task", stand_ins.run_task)
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=":")
    monkeypatch.setenv(stand_ins.PIDS, str(folder))
    monkeypatch.setenv(stand_ins.PAUSE, "0.2")
    return folder


def strike(pids, blow):
    """Strike the first process that works, as soon as it does; which one it was."""
    struck = []

    def wait():
        while not (found := sorted(pids.iterdir())):
            time.sleep(0.02)
        blow(int(found[0].name))
        struck.append(int(found[0].name))

    threading.Thread(target=wait, daemon=True).start()
    return struck


@pytest.mark.slow
def test_a_killed_dask_worker_changes_nothing(local, pids, dataset, tmp_path, tree):
    distributed = pytest.importorskip("distributed", reason="needs the dask extra")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        with distributed.Client(cluster, set_as_default=False) as client:
            before = set(client.run(os.getpid).values())
        struck = strike(pids, lambda pid: os.kill(pid, signal.SIGKILL))
        resources = Resources(scheduler=cluster.scheduler_address, show_progress=False)
        report = run_participants(dataset, tmp_path / "dask", PUBLISH, resources)
    assert struck[0] in before
    # Others worked on, and one of them did the work of the dead one again.
    assert len(list(pids.iterdir())) >= 2
    assert [line.partition(":")[0] for line in report.failures] == [SHOWS]
    assert tree(tmp_path / "dask") == local


@pytest.mark.slow
def test_jobs_of_slurm_that_are_cancelled_change_nothing(
    slurm, local, pids, dataset, tmp_path, tree, monkeypatch
):
    if importlib.util.find_spec("dask_jobqueue") is None:
        pytest.skip("needs the queue extra")
    monkeypatch.setattr(job_cluster, "TEND_S", 1.0)
    struck = strike(pids, lambda _: subprocess.run(["scancel", "--name=faceblind"], check=True))
    resources = Resources(
        n_jobs=2, show_progress=False, queue="slurm", queue_options=("--time=10",)
    )
    out = tmp_path / "in a queue"
    report = run_participants(dataset, out, PUBLISH, resources)
    assert struck
    assert [line.partition(":")[0] for line in report.failures] == [SHOWS]
    assert tree(out) == local
    jobs = out / "private" / "jobs"
    # Others came instead of the two that were cancelled; no key is left.
    assert max(int(path.stem.removeprefix("job-")) for path in jobs.glob("job-*.log")) >= 3
    assert [path for path in jobs.iterdir() if path.suffix != ".log"] == []
    queued = subprocess.run(
        ["squeue", "--noheader", "--states=PENDING,RUNNING"], capture_output=True, check=True
    )
    assert queued.stdout == b""


@pytest.mark.slow
def test_a_slurm_job_array_gives_the_same_bytes(slurm, local, dataset, tmp_path, tree):
    script, out = HERE / "run_stand_in.py", tmp_path / "array"
    one = f"{sys.executable} {script} {dataset} {out} publish"
    subprocess.run(
        ["sbatch", "--wait", "--array=1-2", "--output", tmp_path / "job-%a.txt", "--export=ALL",
         "--wrap", f"{one} $SLURM_ARRAY_TASK_ID"],
        check=False, capture_output=True, timeout=120,
    )  # fmt: skip
    said = "".join(path.read_text() for path in tmp_path.glob("job-*.txt"))
    assert (out / "sub-1").is_dir(), said
    assert (out / "sub-2").is_dir(), said
    # The last one finds all done and settles the tables.
    subprocess.run(one.split(), check=False, timeout=60)
    assert tree(out) == local


def test_only_sessions_of_workers_elsewhere_are_waited_for():
    """A scheduler may give up a worker that still ends its session."""
    assert patience_s(Resources()) == 0.0
    assert patience_s(Resources(scheduler="tcp://node:8786")) == PATIENCE_S
    assert patience_s(Resources(queue="slurm", n_jobs=2)) == PATIENCE_S
