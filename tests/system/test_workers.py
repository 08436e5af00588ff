"""Ordered results, single failures, dead workers and interruption."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from faceblind.errors import FaceblindError
from faceblind.system.threads import (
    LIBRARY_VARIABLES,
    VARIABLE,
    available_processors,
    thread_budget,
)
from faceblind.system.workers import DIED, Outcome, run_many

HERE = Path(__file__).parent


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The functions of `worker_tasks`, importable in spawned processes too."""
    monkeypatch.syspath_prepend(str(HERE))
    import worker_tasks

    return worker_tasks


def label(number: int) -> str:
    return f"scan-{number}"


def comparable(outcomes: list[Outcome]) -> list[tuple]:
    return [(one.item, one.name, one.value, one.error) for one in outcomes]


def test_one_job_and_two_agree(tasks: ModuleType) -> None:
    inline = run_many(tasks.square, range(7), name=label)
    spawned = run_many(tasks.square, range(7), n_jobs=2, name=label)
    assert [one.value for one in inline] == [0, 1, 4, 9, 16, 25, 36]
    assert comparable(inline) == comparable(spawned)
    assert spawned[3].name == "scan-3"
    assert spawned[3].ok
    assert spawned[2].seconds >= 0.03


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_failures_stay_single(tasks: ModuleType, n_jobs: int) -> None:
    outcomes = run_many(tasks.picky, range(6), n_jobs=n_jobs, name=label)
    assert [one.value for one in outcomes] == [0, None, None, None, None, 5]
    assert outcomes[1].error == "scan 1: constant volume; check the file"
    assert outcomes[3].error is not None
    assert outcomes[3].error.startswith("not enough memory")
    for i, kind in ((2, "KeyError"), (4, "SystemExit")):
        error = outcomes[i].error
        assert error is not None
        assert error.startswith(f"internal error ({kind} at worker_tasks.py:")
        assert "Doe" not in error


def test_dead_workers_are_named_and_the_rest_goes_on(tasks: ModuleType) -> None:
    outcomes = run_many(tasks.deadly, range(7), n_jobs=2, name=label)
    assert [one.value for one in outcomes] == [0, 1, None, 3, 4, None, 6]
    assert [one.name for one in outcomes if not one.ok] == ["scan-2", "scan-5"]
    assert outcomes[2].error == DIED
    assert [one.item for one in outcomes] == list(range(7))


def test_what_cannot_travel_is_that_items_failure(tasks: ModuleType) -> None:
    outcomes = run_many(tasks.unpicklable, range(3), n_jobs=2)
    assert [one.value for one in outcomes] == [0, None, 2]
    assert "internal error" in (outcomes[1].error or "")
    local = run_many(lambda number: number, range(2), n_jobs=2)
    assert all("internal error" in (one.error or "") for one in local)


def test_processors_are_shared_out(tasks: ModuleType) -> None:
    before = dict(os.environ)
    outcomes = run_many(tasks.threads, range(2), n_jobs=2)
    share = max(1, available_processors() // 2)
    # Linear algebra has one in every worker, or results would depend on the number of jobs.
    assert [one.value for one in outcomes] == [(share, str(share), "1")] * 2
    assert dict(os.environ) == before


def test_thread_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, *LIBRARY_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    assert thread_budget() == available_processors()
    for value, expected in (("3", 3), ("0", 1), ("many", available_processors())):
        monkeypatch.setenv(VARIABLE, value)
        assert thread_budget() == expected


def test_log_lines_come_home_and_name_nobody(
    tasks: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="faceblind"):
        run_many(tasks.square, range(4), n_jobs=2, label="Scans", name=label)
    lines = [record.getMessage() for record in caplog.records]
    assert lines.count("squared something") == 4
    assert lines[-1] == "Scans: 4 of 4 done"
    assert "scan-" not in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="faceblind"):
        run_many(tasks.square, range(2), n_jobs=2)
    assert caplog.records == []


def test_silent_without_progress(tasks: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="faceblind"):
        run_many(tasks.deadly, range(2), show_progress=False)
    assert caplog.records == []


def test_nothing_to_do_and_nonsense() -> None:
    assert run_many(str, [], n_jobs=-1) == []
    for n_jobs in (0, -2):
        with pytest.raises(FaceblindError, match="n-jobs"):
            run_many(str, [1], n_jobs=n_jobs)


def _exists(pid: int) -> bool:
    try:
        # A process that ended but was not waited for by whoever inherited it does not count.
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _gone(pids: list[int], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(_exists(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_or_killed_leaves_no_worker(tmp_path: Path, number: signal.Signals) -> None:
    paths = [str(tmp_path / f"note-{i}") for i in range(4)]
    script = tmp_path / "main.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(HERE)!r})\n"
        "from worker_tasks import slow_note\n"
        "from faceblind.system.workers import run_many\n"
        "if __name__ == '__main__':\n"
        f"    run_many(slow_note, {paths!r}, n_jobs=2)\n"
    )
    parent = subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 60
        while sum(Path(path).exists() for path in paths) < 3:
            assert time.monotonic() < end, "the workers did not start"
            time.sleep(0.05)
        time.sleep(0.2)
        pids = [int(Path(path).read_text()) for path in paths[:3]]
        parent.send_signal(number)
        _, stderr = parent.communicate(timeout=10)
    finally:
        parent.kill()
        parent.wait()
    assert _gone(pids)
    assert not Path(paths[3]).exists()
    if number == signal.SIGINT:
        assert stderr.rstrip().endswith("KeyboardInterrupt")
        assert stderr.count("Traceback") == 1


def test_a_script_without_guard_is_told(tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text(
        "from faceblind.system.workers import run_many\nrun_many(str, range(4), n_jobs=2)\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "worker processes cannot start" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_run_may_end_early(tasks: ModuleType, n_jobs: int) -> None:
    outcomes = run_many(tasks.picky, range(6), n_jobs=n_jobs, until=lambda one: not one.ok)
    assert not outcomes[-1].ok or n_jobs == 2
    assert sum(not one.ok for one in outcomes) == 1
    assert len(outcomes) < 6


def test_threads_of_workers_can_be_chosen(tasks: ModuleType) -> None:
    outcomes = run_many(tasks.threads, range(2), n_jobs=2, threads=3)
    assert {one.value[0] for one in outcomes} == {3}
