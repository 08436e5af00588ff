"""Functions for worker processes, which import them by name."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from pathlib import Path

from faceblind.errors import ScanError
from faceblind.system.threads import thread_budget

logger = logging.getLogger("faceblind.tasks")


def square(number: int) -> int:
    logger.info("squared something")
    # Late items finish first unless results are put back in order.
    time.sleep(0.02 * (number % 3))
    return number * number


def picky(number: int) -> int:
    if number == 1:
        raise ScanError("scan 1: constant volume;\n check the file")
    if number == 2:
        raise KeyError("PatientName: Doe^Jane")
    if number == 3:
        raise MemoryError
    if number == 4:
        sys.exit(7)
    return number


def deadly(number: int) -> int:
    if number in (2, 5):
        os._exit(9)
    return number


def unpicklable(number: int) -> object:
    return threading.Lock() if number == 1 else number


def threads(_: int) -> tuple[int, str | None, str | None]:
    read = os.environ.get
    return thread_budget(), read("OMP_NUM_THREADS"), read("OPENBLAS_NUM_THREADS")


def slow_note(path: str) -> int:
    """Notes the worker's process id, then the first item ends soon and the others never."""
    Path(path).write_text(str(os.getpid()))
    time.sleep(0.1 if path.endswith("-0") else 600)
    return os.getpid()
