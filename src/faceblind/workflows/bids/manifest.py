"""What a run has done, on the disk before it counts: one SQLite file under the private folder."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from faceblind.errors import OutputError
from faceblind.system.claims import locks_exclude
from faceblind.system.mounts import network_file_system
from faceblind.system.outputs import PRIVATE, private_dir

VERB = "bids"
"""Made the outputs that hold a manifest."""
State = Literal["waiting", "protected", "passed", "done", "failed"]
"""``protected``: not audited yet (``--protect-only``). ``passed``: what passed its audit is being
put in place. ``done`` and ``failed``: it is in place; of ``failed`` something else is not."""
REJECTED = "rejected in a review; protect it again in 'faceblind review'"
DATASET = "dataset"
"""The piece of work that is no session: files of the whole dataset."""

_TABLES = """
CREATE TABLE IF NOT EXISTS run (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    key TEXT PRIMARY KEY, state TEXT NOT NULL, inputs TEXT NOT NULL DEFAULT '',
    looks TEXT NOT NULL DEFAULT '', settings TEXT NOT NULL DEFAULT '',
    version TEXT NOT NULL DEFAULT '', seconds REAL, finished REAL);
CREATE TABLE IF NOT EXISTS scans (
    task TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, status TEXT NOT NULL,
    reason TEXT NOT NULL, PRIMARY KEY (task, source));
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, task TEXT NOT NULL, role TEXT NOT NULL, size INTEGER NOT NULL,
    sha256 TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS files_of_task ON files (task);
"""


@dataclass(frozen=True)
class TaskRecord:
    """What the manifest knows of a piece of work.

    Parameters
    ----------
    key : str
    state : State
    inputs : str
        Digest of what went in.
    looks : str
        Digest of sizes and times of what went in, which is quick to compare.
    settings : str
        Digest of the settings.
    version : str
        Of faceblind.
    seconds : float or None
        How long it took.
    finished : float or None
        When, in seconds since 1970; for estimates only.
    """

    key: str
    state: State
    inputs: str = ""
    looks: str = ""
    settings: str = ""
    version: str = ""
    seconds: float | None = None
    finished: float | None = None


@dataclass(frozen=True)
class ScanRecord:
    """What became of a scan.

    Parameters
    ----------
    source, target : str
        Paths in the dataset and in the output.
    status : str
        ``"pass"``, or why it is not public: ``"fail"``, ``"unsure"``, ``"failed"``,
        ``"rejected"``.
    reason : str
    """

    source: str
    target: str
    status: str
    reason: str


@dataclass(frozen=True)
class FileRecord:
    """A file of the public tree.

    Parameters
    ----------
    path : str
        In the output, with ``/``.
    role : str
        ``"protected"``; ``"follower"`` for a map that was judged by its companion; ``"sidecar"``,
        ``"copy"``, ``"unprotected"`` or ``"dataset"``.
    size : int
    sha256 : str
    """

    path: str
    role: str
    size: int
    sha256: str


class Manifest:
    """The manifest of an output; every change is on the disk when its method returns.

    Parameters
    ----------
    root : Path
        The output.
    make : bool
        Make it where there is none.

    Raises
    ------
    OutputError
        If there is none, or it cannot be kept there.
    """

    def __init__(self, root: Path, *, make: bool = False) -> None:
        path = root / PRIVATE / "manifest.sqlite"
        if not make and not path.is_file():
            raise OutputError(f"{root}: holds no run of 'faceblind bids'; check the path")
        try:
            if make:
                private_dir(path.parent)
            self._base = sqlite3.connect(path, timeout=120.0, isolation_level=None)
            with closing(self._base.cursor()) as cursor:
                mode = _journal(path.parent) if make else None
                if mode:
                    cursor.execute(f"PRAGMA journal_mode={mode}")
                cursor.execute("PRAGMA synchronous=FULL")
                if make:
                    cursor.executescript(_TABLES)
        except sqlite3.Error as error:
            raise OutputError(
                f"{root}: its manifest cannot be opened ({error}); check space and permissions"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Cursor]:
        try:
            with closing(self._base.cursor()) as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                try:
                    yield cursor
                except BaseException:
                    cursor.execute("ROLLBACK")
                    raise
                cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise OutputError(
                f"the manifest cannot be written ({error}); check space and permissions"
            ) from error

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        try:
            return self._base.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise OutputError(f"the manifest cannot be read ({error})") from error

    def describe(self, name: str, value: object) -> None:
        """Keep something about the run as JSON."""
        with self._change() as cursor:
            cursor.execute("REPLACE INTO run VALUES (?, ?)", (name, json.dumps(value)))

    def described(self, name: str) -> object:
        """What `describe` kept; None if nothing."""
        rows = self._rows("SELECT value FROM run WHERE name = ?", (name,))
        return json.loads(str(rows[0][0])) if rows else None

    def expect(self, keys: Iterable[str]) -> None:
        """Note pieces of work that are to be done, unless they are known."""
        with self._change() as cursor:
            cursor.executemany(
                "INSERT OR IGNORE INTO tasks (key, state) VALUES (?, 'waiting')",
                [(key,) for key in keys],
            )

    def task(self, key: str) -> TaskRecord | None:
        """What is known of a piece of work."""
        rows = self._rows("SELECT * FROM tasks WHERE key = ?", (key,))
        return TaskRecord(*rows[0]) if rows else None  # type: ignore[arg-type]

    def tasks(self) -> list[TaskRecord]:
        """All pieces of work, sorted."""
        return [
            TaskRecord(*row)  # type: ignore[arg-type]
            for row in self._rows("SELECT * FROM tasks ORDER BY key")
        ]

    def begin_placing(
        self, task: TaskRecord, scans: Sequence[ScanRecord], files: Sequence[FileRecord]
    ) -> None:
        """Note what is going to be public, before it is.

        Parameters
        ----------
        task : TaskRecord
            Of the state ``passed`` or ``protected``.
        scans : sequence of ScanRecord
        files : sequence of FileRecord
            All files of this piece of work.
        """
        with self._change() as cursor:
            self._put(cursor, task)
            cursor.execute("DELETE FROM scans WHERE task = ?", (task.key,))
            cursor.executemany(
                "INSERT INTO scans VALUES (?, ?, ?, ?, ?)",
                [(task.key, s.source, s.target, s.status, s.reason) for s in scans],
            )
            cursor.execute("DELETE FROM files WHERE task = ?", (task.key,))
            cursor.executemany(
                "REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                [(f.path, task.key, f.role, f.size, f.sha256) for f in files],
            )

    def finish(self, task: TaskRecord) -> None:
        """Note that a piece of work is finished."""
        with self._change() as cursor:
            self._put(cursor, task)

    def retract(self, target: str, files: Sequence[str]) -> None:
        """Note that a reviewer took a scan out of the public tree.

        Its piece of work counts as failed, so that the next run also takes it out of tables.

        Parameters
        ----------
        target : str
            Path of the scan in the output.
        files : sequence of str
            Paths of all files that went.
        """
        with self._change() as cursor:
            cursor.execute(
                "UPDATE tasks SET state = 'failed' WHERE key IN "
                "(SELECT task FROM scans WHERE target = ? AND status != 'rejected')",
                (target,),
            )
            cursor.execute(
                "UPDATE scans SET status = 'rejected', reason = ? WHERE target = ?",
                (REJECTED, target),
            )
            cursor.executemany("DELETE FROM files WHERE path = ?", [(one,) for one in files])

    def admit(self, target: str, reason: str, files: Sequence[FileRecord]) -> None:
        """Note that a scan is public, before it is.

        Parameters
        ----------
        target : str
            Path of the scan in the output.
        reason : str
            What its audit says.
        files : sequence of FileRecord
            It and what belongs to it.
        """
        with self._change() as cursor:
            rows = cursor.execute("SELECT task FROM scans WHERE target = ?", (target,)).fetchall()
            if not rows:
                raise OutputError(f"{target}: the manifest does not know this scan")
            cursor.execute(
                "UPDATE scans SET status = 'pass', reason = ? WHERE target = ?", (reason, target)
            )
            cursor.executemany(
                "REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                [(f.path, rows[0][0], f.role, f.size, f.sha256) for f in files],
            )

    @staticmethod
    def _put(cursor: sqlite3.Cursor, task: TaskRecord) -> None:
        finished = time.time() if task.state in ("done", "failed") else None
        cursor.execute(
            "REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                task.key, task.state, task.inputs, task.looks, task.settings, task.version,
                task.seconds, finished,
            ),
        )  # fmt: skip

    def scans(self, task: str | None = None) -> list[ScanRecord]:
        """What became of the scans of a piece of work, or of all."""
        columns = "SELECT source, target, status, reason FROM scans"
        rows = (
            self._rows(f"{columns} ORDER BY source")
            if task is None
            else self._rows(f"{columns} WHERE task = ? ORDER BY source", (task,))
        )
        return [ScanRecord(*map(str, row)) for row in rows]

    def files(self, task: str | None = None) -> list[FileRecord]:
        """The public files of a piece of work, or of all."""
        columns = "SELECT path, role, size, sha256 FROM files"
        rows = (
            self._rows(f"{columns} ORDER BY path")
            if task is None
            else self._rows(f"{columns} WHERE task = ? ORDER BY path", (task,))
        )
        return [FileRecord(*row) for row in rows]  # type: ignore[arg-type]

    def public(self, people: Collection[str] | None = None) -> dict[str, tuple[FileRecord, bool]]:
        """All public files by path, and whether their piece of work is finished.

        Parameters
        ----------
        people : collection of str, optional
            Only files of these participants and of none.
        """
        select = (
            "SELECT path, role, size, sha256, state IN ('done', 'failed') FROM files "
            "JOIN tasks ON files.task = tasks.key"
        )
        if people is None:
            rows = self._rows(select)
        else:
            rows = self._rows(f"{select} WHERE path NOT GLOB 'sub-*/*'")
            for name in people:
                # '0' is the sign after '/': all paths in one folder, by the index.
                rows += self._rows(
                    f"{select} WHERE path >= ? AND path < ?", (f"{name}/", f"{name}0")
                )
        return {str(row[0]): (FileRecord(*row[:4]), bool(row[4])) for row in rows}  # type: ignore[arg-type]

    def participants(self) -> set[str]:
        """Who has a public file, as ``"sub-01"``."""
        rows = self._rows(
            "SELECT DISTINCT substr(path, 1, instr(path, '/') - 1) FROM files "
            "WHERE path LIKE 'sub-%/%'"
        )
        return {str(row[0]) for row in rows}


def _journal(folder: Path) -> str:
    """How SQLite keeps its changes: several machines cannot share the memory that WAL needs."""
    kind = network_file_system(folder)
    if not kind:
        return "WAL"
    if not locks_exclude(folder):
        raise OutputError(
            f"{folder}: locks do not work on this network file system ({kind}); choose an output "
            "on a local disk, and copy the result"
        )
    return "DELETE"
