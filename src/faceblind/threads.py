"""How many threads this process may use."""

from __future__ import annotations

import os

VARIABLE = "FACEBLIND_THREADS"
"""Environment variable that holds this process's share of the processors."""

LIBRARY_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
"""What numerical libraries read when they are first imported."""


def available_processors() -> int:
    """Processors that this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def thread_budget() -> int:
    """Threads that a library call of this process may start.

    The share that `faceblind.runner` gave this worker; otherwise all available processors. Session
    options of inference engines are set from it, because engines do not read the environment.
    """
    try:
        budget = int(os.environ.get(VARIABLE, ""))
    except ValueError:
        return available_processors()
    return max(1, budget)
