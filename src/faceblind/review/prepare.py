"""What the page shows of a scan, made ahead in other processes and kept in a private folder."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from faceblind.errors import FaceblindError
from faceblind.review.scans import Source
from faceblind.system.outputs import private_dir

KEPT = 24
"""Scans of which something is kept: with 1 mm scans 2.5 GB of disk. The oldest goes first."""
WORKERS = 2
FILES = {
    "volumes.json": "volumes", "before.nii": "volumes", "after.nii": "volumes",
    "replaced.nii": "volumes", "skins.json": "skins", "before.mz3": "skins", "after.mz3": "skins",
    "overlays.json": "overlays", "protected.nii": "overlays", "leaking.mz3": "overlays",
    "coarse-volumes.json": "coarse-volumes", "coarse-before.nii": "coarse-volumes",
    "coarse-after.nii": "coarse-volumes", "coarse-skins.json": "coarse-skins",
    "coarse-before.mz3": "coarse-skins", "coarse-after.mz3": "coarse-skins", "tile.png": "tile",
}  # fmt: skip
"""What may be asked for, and which step of `faceblind.review.steps` makes it."""
DIED = "a worker process died, most likely for lack of memory; close other programs and try again"


class Pictures:
    """The store of what is shown.

    Parameters
    ----------
    folder : Path
        Private; what an earlier run left in it goes.
    workers : int
    """

    def __init__(self, folder: Path, workers: int = WORKERS) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = private_dir(folder)
        self._workers = workers
        self._lock = threading.Lock()
        self._pool = self._new_pool()
        self._running: dict[tuple[str, str], Future[None]] = {}
        self._recent: dict[str, None] = {}

    def _new_pool(self) -> ProcessPoolExecutor:
        # Forks of a process with threads may hang.
        return ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))

    def warm(self) -> None:
        """Have the workers import what they need, while the page is being opened."""
        from faceblind.review.steps import ready

        for _ in range(self._workers):
            self._pool.submit(ready)

    def close(self) -> None:
        """End the workers and remove what was made: it shows people."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def get(self, number: int, source: Source, name: str) -> Path:
        """A file of a scan, made if it is not there; waits for it.

        Parameters
        ----------
        number : int
            Of the scan in the queue.
        source : Source
        name : str
            Of `FILES`.

        Raises
        ------
        FaceblindError
            If it cannot be made.
        """
        step = FILES[name]
        key = f"{number}-{source.mark()}"
        folder = self.folder / (f"tile-{key}" if step == "tile" else key)
        if step != "tile":
            self._keep(key)
        if not (folder / f"{step}.done").is_file():
            try:
                self._made(key, step, source, folder).result()
            except BrokenProcessPool as error:
                with self._lock:
                    self._pool, self._running = self._new_pool(), {}
                raise FaceblindError(DIED) from error
        path = folder / name
        if not path.is_file():
            raise FaceblindError(f"{name}: this scan has none")
        return path

    def _made(self, key: str, step: str, source: Source, folder: Path) -> Future[None]:
        from faceblind.review.steps import make

        with self._lock:
            future = self._running.get((key, step))
            if future is None or future.done():
                private_dir(folder)
                future = self._pool.submit(make, step, source, folder)
                self._running[key, step] = future
            return future

    def _keep(self, key: str) -> None:
        """Note that a scan was asked for, and drop those that were not for longest."""
        with self._lock:
            self._recent.pop(key, None)
            self._recent[key] = None
            old = list(self._recent)[:-KEPT]
            for one in old:
                del self._recent[one]
            self._running = {k: f for k, f in self._running.items() if k[0] not in old}
        for one in old:
            shutil.rmtree(self.folder / one, ignore_errors=True)
