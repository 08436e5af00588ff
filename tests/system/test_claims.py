"""One holder at a time, and none after its death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from faceblind.errors import OutputError
from faceblind.system.claims import claim, claimed, locks_exclude

HOLDER = """
import sys, time
from faceblind.system.claims import claim
with claim(sys.argv[1]) as held:
    print(held, flush=True)
    time.sleep(60)
"""


def test_one_holder_and_no_litter(tmp_path):
    path = tmp_path / "work"
    with claim(path) as first:
        with claim(path) as second:
            assert (first, second) == (True, False)
        assert claimed(tmp_path) == 1
        with claim(path) as third:
            assert not third, "looking gives nothing back"
    assert list(tmp_path.iterdir()) == []
    with claim(path) as again:
        assert again


def test_threads_exclude_one_another(tmp_path):
    seen = []

    def other():
        with claim(tmp_path / "work") as held:
            seen.append(held)

    with claim(tmp_path / "work"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert seen == [False]


def test_a_killed_holder_gives_it_back(tmp_path):
    path = tmp_path / "work"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "True\n"
    assert claimed(tmp_path) == 1
    with claim(path) as held:
        assert not held
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert claimed(tmp_path) == 0
    with claim(path) as held:
        assert held


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match="its folder is missing"), claim(tmp_path / "a" / "b"):
        pass


def test_locks_work_here(tmp_path):
    assert locks_exclude(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not locks_exclude(tmp_path / "absent")
