"""Many items, several processes: ordered results, progress, and failures that stay single.

One item that fails, or takes its worker process with it, is reported and never stops the rest.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from faceblind.errors import FaceblindError, internal_error, why
from faceblind.system.progress import track
from faceblind.system.threads import (
    ALGEBRA_VARIABLES,
    LIBRARY_VARIABLES,
    VARIABLE,
    available_processors,
)

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Value = TypeVar("Value")

DIED = (
    "the worker process died, most likely for lack of memory; try --n-jobs 1 or close other "
    "programs"
)


@dataclass(frozen=True)
class Outcome(Generic[Item, Value]):
    """What became of one item.

    Parameters
    ----------
    item : object
        As given.
    name : str
        What to call the item in a list of failures.
    value : object, optional
        What the function returned; None if it failed.
    error : str, optional
        One line saying why it failed; None if it did not.
    seconds : float
        How long it took.
    records : tuple of LogRecord
        What a worker process logged meanwhile; already handled when the outcome is returned.
    """

    item: Item
    name: str
    value: Value | None = None
    error: str | None = None
    seconds: float = 0.0
    records: tuple[logging.LogRecord, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the function returned."""
        return self.error is None


def run_many(
    function: Callable[[Item], Value],
    items: Iterable[Item],
    *,
    n_jobs: int = 1,
    label: str = "Items",
    name: Callable[[Item], str] = str,
    show_progress: bool = True,
    threads: int | None = None,
    until: Callable[[Outcome[Item, Value]], bool] | None = None,
) -> list[Outcome[Item, Value]]:
    """Apply a function to every item, in several processes.

    Parameters
    ----------
    function : callable
        Of one item. With more than one job it and the items must be importable and picklable
        (`functools.partial` of a module's function is), and a script must call this under
        ``if __name__ == "__main__":``. It should store what is expensive
        (`faceblind.system.cache.Cache`) so that an interrupted run can resume.
    items : iterable
        What to work on.
    n_jobs : int
        Processes; 1 works in this process, -1 takes all processors. The processors are shared out
        among the workers' threads.
    label : str
        What the progress line says; names nobody.
    name : callable
        What to call an item in `Outcome.name`. Shown to the user in the list of failures, never
        written to the log.
    show_progress : bool
        A bar on a terminal, a log line now and then elsewhere. False shows neither.
    threads : int, optional
        Of each worker, where there are several jobs; by default the processors are shared out.
    until : callable, optional
        Ends the run after an outcome for which it is true: what is under way is stopped.

    Returns
    -------
    list of Outcome
        One for each item, in the order given, whatever the number of jobs; with `until` only those
        that came.

    Raises
    ------
    FaceblindError
        If `n_jobs` is neither positive nor -1.
    KeyboardInterrupt
        Passed on at once, after the workers were stopped.
    """
    if n_jobs < 1 and n_jobs != -1:
        raise FaceblindError(f"n-jobs: expected 1 or more, or -1 for all, got {n_jobs}")
    work = list(items)
    jobs = min(available_processors() if n_jobs == -1 else n_jobs, max(1, len(work)))
    names = [name(item) for item in work]
    outcomes: dict[int, Outcome[Item, Value]] = {}
    stream = (
        _run_here(function, work, names)
        if jobs == 1
        else _run_in_processes(function, work, names, jobs, threads)
    )
    with track(label, len(work), show_progress) as progress, contextlib.closing(stream):
        for index, outcome in stream:
            for record in outcome.records:
                logging.getLogger(record.name).handle(record)
            outcomes[index] = replace(outcome, item=work[index], records=())
            progress.advance(failed=not outcome.ok)
            if until is not None and until(outcomes[index]):
                break
    return [outcomes[index] for index in sorted(outcomes)]


_Stream = Generator[tuple[int, Outcome[Item, Value]], None, None]


def _run_here(
    function: Callable[[Item], Value], work: Sequence[Item], names: Sequence[str]
) -> _Stream[Item, Value]:
    for index, item in enumerate(work):
        yield index, attempt(function, item, names[index])


def _run_in_processes(
    function: Callable[[Item], Value],
    work: Sequence[Item],
    names: Sequence[str],
    jobs: int,
    threads: int | None,
) -> _Stream[Item, Value]:
    """Work in a pool; when it breaks, try again alone what was under way, then go on.

    A pool does not say whose worker died. Alone, the culprit dies again and is known, and an
    innocent (or one of two that together exhausted the memory) gets its result.
    """
    waiting = deque(range(len(work)))
    while waiting:
        lost = yield from _run_pool(function, work, names, waiting, jobs, threads)
        for index in lost:
            died = yield from _run_pool(function, work, names, deque([index]), 1, threads)
            if died:
                yield index, Outcome(work[index], names[index], error=DIED)


def _run_pool(
    function: Callable[[Item], Value],
    work: Sequence[Item],
    names: Sequence[str],
    waiting: deque[int],
    jobs: int,
    threads: int | None = None,
) -> Generator[tuple[int, Outcome[Item, Value]], None, list[int]]:
    """Work off `waiting` until it is empty or the pool breaks; return what was then under way."""
    threads = threads or max(1, available_processors() // jobs)
    level = logging.getLogger("faceblind").getEffectiveLevel()
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start_worker, (level,))
    running: dict[Future[Outcome[Item, Value]], int] = {}
    finished = False
    try:
        _check_start(pool, threads)
        while waiting or running:
            # No more than one item for each worker: whatever waits inside a broken pool is lost.
            while waiting and len(running) < jobs:
                index = waiting[0]
                with _thread_share(threads):
                    future = pool.submit(_attempt_recorded, function, work[index], names[index])
                running[future] = waiting.popleft()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=running.__getitem__):
                index = running[future]
                yield index, _collect(future, work[index], names[index])
                del running[future]
        finished = True
    except BrokenProcessPool:
        pass
    finally:
        _stop(pool, gently=finished)
    return sorted(running.values())


def _check_start(pool: ProcessPoolExecutor, threads: int) -> None:
    """Tell workers that cannot even start from items that kill them."""
    try:
        with _thread_share(threads):
            ready = pool.submit(os.getpid)
        ready.result()
    except BrokenProcessPool as error:
        raise FaceblindError(
            "worker processes cannot start; in a script, call this under "
            "'if __name__ == \"__main__\":', or use one job"
        ) from error


def _collect(future: Future[Outcome[Item, Value]], item: Item, name: str) -> Outcome[Item, Value]:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenProcessPool):
        raise error
    # The item or its value could not travel between the processes.
    return Outcome(item, name, error=internal_error(error))


def _stop(pool: ProcessPoolExecutor, gently: bool) -> None:
    """Close the pool; unless `gently`, without waiting for what is under way."""
    workers = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=gently, cancel_futures=True)
    if not gently:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()


@contextlib.contextmanager
def _thread_share(threads: int) -> Iterator[None]:
    """Environment in which workers are started: libraries read it when first imported."""
    share = dict.fromkeys((VARIABLE, *LIBRARY_VARIABLES), str(threads))
    share |= dict.fromkeys(ALGEBRA_VARIABLES, "1")
    before = {name: os.environ.get(name) for name in share}
    os.environ.update(share)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_worker(level: int) -> None:
    """Prepare a worker process."""
    # Ctrl-C reaches all processes of a terminal; the parent decides, workers print no traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("faceblind").setLevel(level)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """End this worker when the parent was killed: nobody else would."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Recorder(logging.Handler):
    """Keeps log records in a form that can travel to the parent process."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), None
        if record.exc_info:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info))
            record.exc_info = None
        self.records.append(record)


def _attempt_recorded(
    function: Callable[[Item], Value], item: Item, name: str
) -> Outcome[Item, Value]:
    """In a worker: `attempt`, with what was logged, and without the item, which stays at home."""
    recorder = _Recorder()
    ours = logging.getLogger("faceblind")
    ours.addHandler(recorder)
    ours.propagate = False
    try:
        outcome = attempt(function, item, name)
    finally:
        ours.removeHandler(recorder)
    return replace(outcome, item=None, records=tuple(recorder.records))  # type: ignore[arg-type]


def attempt(function: Callable[[Item], Value], item: Item, name: str) -> Outcome[Item, Value]:
    """Apply a function to an item; whatever it raises becomes a line.

    Parameters
    ----------
    function : callable
    item : object
    name : str
        What to call it.
    """
    started = time.perf_counter()
    value: Value | None = None
    error: str | None = None
    try:
        value = function(item)
    except (Exception, SystemExit) as problem:  # noqa: BLE001 - one item never stops the rest
        error = why(problem)
    return Outcome(item, name, value, error, time.perf_counter() - started)
