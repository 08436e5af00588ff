"""Programs of others, run with a time limit, and what they cost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CHILD = """
import json, subprocess, sys, time
start = time.perf_counter()
try:
    code = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode
except OSError as error:
    sys.exit(str(error.strerror))
wall = time.perf_counter() - start
try:
    import resource
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    kib = use.ru_maxrss / 1024 if sys.platform == "darwin" else use.ru_maxrss
    spent = [use.ru_utime + use.ru_stime, kib / 1024]
except ImportError:
    spent = [None, None]
with open(sys.argv[1], "w") as file:
    json.dump([code, wall, *spent], file)
"""
"""A small process that starts the program. A program started from here would inherit this process's
peak memory as its own."""

_SAID = 4000
"""Bytes of a program's last words that are read."""


@dataclass(frozen=True)
class Measured:
    """What one run of a program cost.

    Parameters
    ----------
    failure : str
        One line: why it did not end with code 0. Empty if it did. May quote names of files.
    wall_s : float
        Seconds.
    cpu_s, peak_mb : float or None
        Processor seconds of it and of what it started; largest resident memory (MiB) of any one
        of these processes. None where the system does not tell.
    """

    failure: str
    wall_s: float = 0.0
    cpu_s: float | None = None
    peak_mb: float | None = None


def run_measured(command: Sequence[str], timeout_s: float) -> Measured:
    """Run a program, without a shell, and wait for its end.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    timeout_s : float
        Seconds until it, and what it started, is killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        told, said = Path(folder) / "told.json", Path(folder) / "said.txt"
        start = [sys.executable, "-I", "-S", "-c", _CHILD, str(told), *command]
        with said.open("wb") as sink:
            # No shell; what the user named or installed is what shall run.
            child = subprocess.Popen(  # noqa: S603
                start,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                child.wait(timeout_s)
            except subprocess.TimeoutExpired:
                return Measured(f"was stopped after {timeout_s:g} s")
            finally:
                _end(child)
        try:
            code, wall, processor, peak = json.loads(told.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return Measured(f"could not be started: {_last_line(said)}")
        failure = f"ended with code {code}: {_last_line(said)}" if code else ""
        return Measured(failure, wall, processor, peak)


def _end(child: subprocess.Popen[Any]) -> None:
    """Kill what is left of a program and of what it started."""
    with contextlib.suppress(OSError, AttributeError):
        os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()


def _last_line(said: Path) -> str:
    with said.open("rb") as stream:
        stream.seek(max(0, said.stat().st_size - _SAID))
        lines = stream.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
