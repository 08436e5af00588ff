"""How many threads this process may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

VARIABLE = "FACEBLIND_THREADS"
"""Environment variable that holds this process's share of the processors."""

ALGEBRA_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What linear algebra reads when it is first imported. Matrices here are small: several threads
wait for one another for a quarter of a protection's processor time, and round sums in another
order, so that results depend on their number."""

LIBRARY_VARIABLES = (
    "OMP_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
"""What other numerical libraries read when they are first imported."""


def available_processors() -> int:
    """Processors that this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def thread_budget() -> int:
    """Threads that a library call of this process may start.

    The share that `faceblind.system.workers` gave this worker; otherwise all available
    processors. Session options of inference engines are set from it, because engines do not read
    the environment.
    """
    try:
        budget = int(os.environ.get(VARIABLE, ""))
    except ValueError:
        return available_processors()
    return max(1, budget)


def one_algebra_thread() -> None:
    """Let linear algebra use one thread unless the user chose; before numpy is imported."""
    for name in ALGEBRA_VARIABLES:
        os.environ.setdefault(name, "1")


def begun(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, one at least; another thread starts on the first of them at once."""
    beside = ThreadPoolExecutor(1)
    first = beside.submit(next, items)
    beside.shutdown(wait=False)

    def all_items() -> Iterator[Item]:
        yield first.result()
        yield from items

    return all_items()


def map_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Results in the order of the items, from as many threads as this process may start."""
    threads = min(thread_budget(), len(items))
    if threads < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
