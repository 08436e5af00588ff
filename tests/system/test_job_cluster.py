"""Jobs of a batch system give the outcomes that worker processes give."""

from __future__ import annotations

import importlib.util
import os
import stat

import pytest

from faceblind.errors import FaceblindError
from faceblind.system import job_cluster
from faceblind.system.job_cluster import JobCluster, run_in_queue
from faceblind.system.job_queue import JobQueue
from faceblind.system.workers import run_many


def queue_of(tmp_path, **options):
    (tmp_path / "it's private").mkdir(exist_ok=True)
    wanted = {"system": "pbs", "jobs": 1, "threads": 1, "memory_mb": 900} | options
    return JobQueue(**wanted, home=tmp_path / "it's private" / "jobs")


@pytest.mark.slow
def test_jobs_do_what_processes_do(batch, tmp_path):
    pytest.importorskip("dask_jobqueue", reason="needs the queue extra")
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


@pytest.mark.slow
def test_strangers_cannot_join(batch, tmp_path):
    pytest.importorskip("dask_jobqueue", reason="needs the queue extra")
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


@pytest.mark.slow
def test_jobs_that_are_refused_or_die_at_once(batch, tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue", reason="needs the queue extra")
    batch(qsub="echo 'qsub: Unknown queue' >&2; exit 1\n")
    with pytest.raises(FaceblindError, match=r"^qsub refuses the jobs: qsub: Unknown queue$"):
        run_in_queue(str, [1], queue_of(tmp_path), show_progress=False)
    monkeypatch.setattr(job_cluster, "TEND_S", 0.1)
    home = batch(qsub="echo x >>{home}/asked; true & wait; echo $!.server\n")
    with pytest.raises(FaceblindError, match="all jobs ended before they reached this run"):
        run_in_queue(str, [1], queue_of(tmp_path), show_progress=False)
    # They were replaced, but not for ever.
    assert 2 <= len((home / "asked").read_text().split()) <= 4


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setattr(job_cluster.importlib.util, "find_spec", lambda name: name)
    with pytest.raises(FaceblindError, match="--queue pbs needs qsub on this machine"):
        run_in_queue(str, [1], queue_of(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FaceblindError, match=r"pip install faceblind\[queue\]"):
        run_in_queue(str, [1], queue_of(tmp_path))
    assert run_in_queue(str, [], queue_of(tmp_path)) == []
