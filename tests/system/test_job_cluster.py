"""Jobs of a batch system give the outcomes that worker processes give."""

from __future__ import annotations

import importlib.util
import os
import stat
import subprocess
import sys

import pytest

from faceblind.errors import FaceblindError
from faceblind.system import job_cluster
from faceblind.system.job_cluster import JobCluster, run_in_queue
from faceblind.system.job_queue import JobQueue
from faceblind.system.workers import run_many

# Importing it changes what Ctrl-C does, which is tested below.
needs_queue = pytest.mark.skipif(
    importlib.util.find_spec("dask_jobqueue") is None, reason="needs the queue extra"
)
INTERRUPTED = """
import os, pathlib, signal, threading, time
from faceblind.system.job_cluster import run_in_queue
from faceblind.system.job_queue import JobQueue

def strike():
    while not pathlib.Path({submitted!r}).exists():
        time.sleep(0.1)
    time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGINT)


queue = JobQueue("pbs", 1, 1, 900, pathlib.Path({home!r}))
threading.Thread(target=strike, daemon=True).start()
try:
    run_in_queue(time.sleep, [60], queue, show_progress=False)
except KeyboardInterrupt:
    print("interrupted")
"""


def queue_of(tmp_path, **options):
    (tmp_path / "it's private").mkdir(exist_ok=True)
    wanted = {"system": "pbs", "jobs": 1, "threads": 1, "memory_mb": 900} | options
    return JobQueue(**wanted, home=tmp_path / "it's private" / "jobs")


@needs_queue
@pytest.mark.slow
def test_jobs_do_what_processes_do(batch, tmp_path):
    import worker_tasks

    home = batch()
    queue = queue_of(tmp_path, options=("-q long",))
    done = run_in_queue(worker_tasks.picky, range(6), queue, show_progress=False)
    here = run_many(worker_tasks.picky, range(6), show_progress=False)
    assert [(o.name, o.value, o.error) for o in done] == [(o.name, o.value, o.error) for o in here]
    script = (home / "script.txt").read_text()
    assert "#PBS -q long\n" in script
    # The site's own limit of time holds unless an option says another.
    assert "walltime" not in script
    assert "PRIVATE KEY" not in script
    (log,) = queue.home.iterdir()
    assert "Registered to" in log.read_text()
    assert stat.S_IMODE(queue.home.stat().st_mode) == 0o700
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@needs_queue
@pytest.mark.slow
def test_strangers_cannot_join(batch, tmp_path):
    from distributed import Client
    from distributed.security import Security

    batch(qsub="sleep 600 >&- 2>&- & echo $!.server\n")
    with JobCluster(queue_of(tmp_path), 1) as jobs:
        address = jobs.cluster.scheduler_address
        assert address.startswith("tls://")
        keys = [path for path in jobs.queue.home.rglob("*") if path.is_file()]
        assert sorted(path.name for path in keys) == ["ca_file", "cert", "key"]
        assert stat.S_IMODE(keys[0].parent.stat().st_mode) == 0o700
        for other in (address, address.replace("tls", "tcp")):
            own = Security.temporary() if other == address else None
            with pytest.raises(OSError):
                Client(other, security=own, timeout="2s", set_as_default=False)
    assert list(queue_of(tmp_path).home.iterdir()) == []


@needs_queue
@pytest.mark.slow
def test_jobs_that_are_refused_or_die_at_once(batch, tmp_path, monkeypatch):
    batch(qsub="echo 'qsub: Unknown queue' >&2; exit 1\n")
    with pytest.raises(FaceblindError, match=r"^qsub refuses the jobs: qsub: Unknown queue$"):
        run_in_queue(str, [1], queue_of(tmp_path), show_progress=False)
    monkeypatch.setattr(job_cluster, "TEND_S", 0.1)
    home = batch(qsub="echo x >>{home}/asked; true & wait; echo $!.server\n")
    with pytest.raises(FaceblindError, match="all jobs ended before they reached this run"):
        run_in_queue(str, [1], queue_of(tmp_path), show_progress=False)
    # They were replaced, but not for ever.
    assert 2 <= len((home / "asked").read_text().split()) <= 4


@needs_queue
@pytest.mark.slow
def test_ctrl_c_is_passed_on_and_ends_the_jobs(batch, tmp_path):
    home = batch(
        qsub="sleep 600 >&- 2>&- & echo $! >{home}/pid; echo $!.server\n",
        qdel="kill $1; echo $1 >{home}/ended\n",
    )
    code = INTERRUPTED.format(home=str(queue_of(tmp_path).home), submitted=str(home / "pid"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "interrupted\n", done.stderr
    assert (home / "ended").read_text() == (home / "pid").read_text()


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr(job_cluster.importlib.util, "find_spec", lambda name: name)
    with pytest.raises(FaceblindError, match="--queue pbs needs qsub on this machine"):
        run_in_queue(str, [1], queue_of(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FaceblindError, match=r"pip install faceblind\[queue\]"):
        run_in_queue(str, [1], queue_of(tmp_path))
    assert run_in_queue(str, [], queue_of(tmp_path)) == []
