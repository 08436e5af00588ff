"""A cluster gives the outcomes that worker processes give."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from faceblind.errors import FaceblindError
from faceblind.system import cluster
from faceblind.system.workers import DIED, run_many

HERE = Path(__file__).parent


@pytest.fixture
def tasks(monkeypatch):
    """The functions of `worker_tasks`, importable by workers, too."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=":")
    import worker_tasks

    return worker_tasks


@pytest.mark.slow
def test_a_real_cluster_of_processes(tasks, tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs the dask extra")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as local:
        address = local.scheduler_address
        done = cluster.run_on_cluster(tasks.picky, range(6), address, show_progress=False)
        here = run_many(tasks.picky, range(6), show_progress=False)
        assert [(o.name, o.value, o.error) for o in done] == [
            (o.name, o.value, o.error) for o in here
        ]
        # Item 2 kills each worker that takes it, until that is noticed; the others get theirs.
        done = cluster.run_on_cluster(tasks.deadly, range(4), address, show_progress=False)
        assert [one.value for one in done] == [0, 1, None, 3]
        assert done[2].error == DIED
        # A cluster that is closed while it starts a worker again ends with an error of its own.
        with distributed.Client(local, set_as_default=False) as client:
            client.wait_for_workers(2, timeout="30s")


def test_without_dask_or_without_a_scheduler(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == "distributed" else found(n)
    )
    with pytest.raises(FaceblindError, match=r"pip install faceblind\[dask\]"):
        cluster.run_on_cluster(str, [1], "tcp://127.0.0.1:1")
