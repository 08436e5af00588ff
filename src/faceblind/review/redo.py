"""Protect a scan again, in another process; the result waits in the private folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_args

from faceblind.datasets.census import ScanFile
from faceblind.datasets.sidecar import sidecar_path
from faceblind.errors import FaceblindError, ScanError, why
from faceblind.formats.names import suffix_of
from faceblind.protect.region_options import RegionOptions
from faceblind.system.files import file_digest
from faceblind.system.outputs import private_dir
from faceblind.system.tables import write_json
from faceblind.system.threads import one_algebra_thread
from faceblind.workflows.protect_settings import Method, ProtectionSettings

OPTIONS = tuple(asdict(RegionOptions()))


@dataclass(frozen=True)
class RedoTask:
    """One scan to protect again.

    Parameters
    ----------
    source : Path
        The original.
    target : Path
        Where the result waits.
    settings : mapping
        ``method``, and of `OPTIONS` what is true.
    sidecar : Path or None
        Of the result before: what it says and the new one does not is taken over.
    participant : str
    """

    source: Path
    target: Path
    settings: Mapping[str, Any]
    sidecar: Path | None
    participant: str


@dataclass(frozen=True)
class Redone:
    """What came of it.

    Parameters
    ----------
    error : str
        Why there is no result; empty if there is one.
    sha256 : str
    verdict : dict
        As `faceblind.attacks.verdict.Verdict.as_dict` gives it.
    """

    error: str = ""
    sha256: str = ""
    verdict: dict[str, Any] = field(default_factory=dict)


def check_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a page may ask for.

    Raises
    ------
    FaceblindError
        If there are others.
    """
    method = settings.get("method")
    chosen = {name: value for name, value in settings.items() if name != "method"}
    if method not in get_args(Method):
        raise FaceblindError(f"method: expected one of {', '.join(get_args(Method))}")
    if not set(chosen) <= set(OPTIONS) or not all(isinstance(v, bool) for v in chosen.values()):
        raise FaceblindError(f"options: expected true or false for some of {', '.join(OPTIONS)}")
    return {"method": method} | chosen


def redo(task: RedoTask) -> Redone:
    """Protect a scan and audit the result.

    Parameters
    ----------
    task : RedoTask

    Returns
    -------
    Redone
        Never raises: the review goes on.
    """
    one_algebra_thread()
    try:
        return _redo(task)
    except FaceblindError as error:
        return Redone(why(error))
    except Exception as error:  # noqa: BLE001 - a review must survive one scan
        return Redone(f"{task.source.name}: {why(error)}")


def _redo(task: RedoTask) -> Redone:
    # Protection and audit take a second to import; a review starts without them.
    from faceblind.system.workers import run_many
    from faceblind.workflows.audit import judge_scans
    from faceblind.workflows.protect_outputs import OutputFiles
    from faceblind.workflows.protect_session import Job, protect_job

    chosen = dict(task.settings)
    method = chosen.pop("method")
    settings = ProtectionSettings(method, options=RegionOptions(**chosen), force=True)
    private_dir(task.target.parent)
    output = OutputFiles(task.source, task.target, settings)
    result = protect_job(Job((output,)), settings)[0]
    if result.error:
        raise ScanError(result.error)
    if task.sidecar is not None and task.sidecar.is_file():
        _complete(sidecar_path(task.target), task.sidecar)
    file = ScanFile(task.target, task.participant, None, suffix_of(task.target.name))
    run = partial(run_many, n_jobs=1, show_progress=False)
    verdicts, _ = judge_scans([file], task.target.parent, run)
    return Redone(sha256=file_digest(task.target), verdict=verdicts[0].as_dict())


def _complete(new: Path, old: Path) -> None:
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in (old, new)]
    write_json(new, contents[0] | contents[1])


class Redoing:
    """Scans that are being protected again, one after the other."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._running: dict[str, Future[Redone]] = {}

    def start(self, inside: str, task: RedoTask, done: Callable[[Redone], None]) -> None:
        """Begin with a scan.

        Parameters
        ----------
        inside : str
            Its name here.
        task : RedoTask
        done : callable
            Called in another thread with the result.
        """
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        future = self._pool.submit(redo, task)
        self._running[inside] = future
        future.add_done_callback(partial(self._finish, inside, done))

    def _finish(self, inside: str, done: Callable[[Redone], None], future: Future[Redone]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is not None:
            self._pool = None
        try:
            done(Redone(why(error)) if error is not None else future.result())
        finally:
            self._running.pop(inside, None)

    def is_running(self, inside: str) -> bool:
        """Whether a scan waits for its turn or is worked on."""
        return inside in self._running

    def close(self) -> None:
        """Drop what waits; what is worked on ends first, whole or not at all."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
