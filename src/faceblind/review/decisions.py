"""What raters decided, with who and when: one SQLite file that only its owner can open.

Nothing is ever changed or removed in it: a later decision stands above an earlier one.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, get_args

from faceblind.errors import FaceblindError, OutputError
from faceblind.system.outputs import private_dir

Choice = Literal["accept", "reject", "redo", "unsure", "later", "none"]
"""``none`` takes the decision before it back."""
Fault = Literal["brain removed", "eyes", "ears", "brow", "unique mark"]
FAULTS: tuple[str, ...] = get_args(Fault)
LONGEST_COMMENT = 2000
NAME = "decisions.sqlite"
OPEN: tuple[Choice, ...] = ("none", "later")
"""Choices after which a scan still waits for one."""

_TABLES = """
CREATE TABLE IF NOT EXISTS decisions (
    id INTEGER PRIMARY KEY, scan TEXT NOT NULL, rater TEXT NOT NULL, round INTEGER NOT NULL,
    choice TEXT NOT NULL, faults TEXT NOT NULL, comment TEXT NOT NULL, made TEXT NOT NULL,
    sha256 TEXT NOT NULL, settings TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS decisions_of_scan ON decisions (scan, rater, round, id);
CREATE TABLE IF NOT EXISTS verdicts (
    id INTEGER PRIMARY KEY, scan TEXT NOT NULL, sha256 TEXT NOT NULL, verdict TEXT NOT NULL);
"""
_COLUMNS = "scan, rater, round, choice, faults, comment, made, sha256, settings"


@dataclass(frozen=True)
class Decision:
    """What one rater decided on one scan.

    Parameters
    ----------
    scan : str
        Path in the protected folder, with ``/``.
    rater : str
    round : int
        1, or more where a rater looks at the same scans again.
    choice : Choice
    faults : tuple of str
        Of `FAULTS`.
    comment : str
    made : str
        When, in UTC (ISO 8601).
    sha256 : str
        Of the file that was looked at.
    settings : dict
        How to protect again; of ``redo`` only.
    """

    scan: str
    rater: str
    round: int
    choice: Choice
    faults: tuple[str, ...] = ()
    comment: str = ""
    made: str = ""
    sha256: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def categories(self) -> tuple[str, ...]:
        """The choice and the faults in VisualQC's words."""
        words = {"accept": "pass", "reject": "fail", "redo": "fail", "later": "review later"}
        first = {"none": ()}.get(self.choice, (words.get(self.choice, self.choice),))
        return (*first, *self.faults)


def check(decision: Decision) -> None:
    """Refuse a decision that contradicts itself or holds what no page sends.

    Parameters
    ----------
    decision : Decision

    Raises
    ------
    FaceblindError
    """
    if decision.choice not in get_args(Choice):
        raise FaceblindError(f"choice: expected one of {', '.join(get_args(Choice))}")
    if not set(decision.faults) <= set(FAULTS):
        raise FaceblindError(f"faults: expected some of {', '.join(FAULTS)}")
    if decision.choice == "accept" and decision.faults:
        raise FaceblindError("a scan with a fault is not accepted: take the fault off or reject it")
    if len(decision.comment) > LONGEST_COMMENT:
        raise FaceblindError(f"comment: expected at most {LONGEST_COMMENT} characters")


class Decisions:
    """The decisions on an output; each is on the disk when its method returns.

    Parameters
    ----------
    folder : Path
        Private; made where it is missing.

    Raises
    ------
    OutputError
        If they cannot be kept there.
    """

    def __init__(self, folder: Path) -> None:
        path = private_dir(folder) / NAME
        self._lock = threading.Lock()
        try:
            # SQLite would make it with the rights that the umask leaves.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
            self._base = sqlite3.connect(path, timeout=30.0, check_same_thread=False)
            self._base.execute("PRAGMA synchronous=FULL")
            with self._base:
                self._base.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                f"{path}: cannot be opened ({error}); check space and permissions"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._base.close()

    def add(self, decision: Decision) -> Decision:
        """Keep a decision.

        Parameters
        ----------
        decision : Decision
            Without `made` that is now.

        Returns
        -------
        Decision
            With `made`.

        Raises
        ------
        FaceblindError
            See `check`.
        OutputError
            If it cannot be written.
        """
        check(decision)
        made = decision.made or datetime.now(UTC).isoformat(timespec="seconds")
        whole = Decision(**(vars(decision) | {"made": made}))
        values = (
            whole.scan, whole.rater, whole.round, whole.choice, json.dumps(whole.faults),
            whole.comment, made, whole.sha256, json.dumps(whole.settings),
        )  # fmt: skip
        self._write(
            f"INSERT INTO decisions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            values,
        )
        return whole

    def current(self) -> list[Decision]:
        """The last decision of each rater and round on each scan, by scan; none taken back."""
        query = (
            f"SELECT {_COLUMNS} FROM decisions WHERE id IN (SELECT max(id) FROM decisions "  # noqa: S608
            "GROUP BY scan, rater, round) AND choice != 'none' ORDER BY scan, rater, round"
        )
        return [_decision(row) for row in self._read(query)]

    def of_scan(self, scan: str) -> list[Decision]:
        """As `current`, of one scan."""
        query = (
            f"SELECT {_COLUMNS} FROM decisions WHERE id IN (SELECT max(id) FROM decisions "  # noqa: S608
            "WHERE scan = ? GROUP BY rater, round) AND choice != 'none' ORDER BY rater, round"
        )
        return [_decision(row) for row in self._read(query, (scan,))]

    def history(self) -> list[Decision]:
        """All that was ever decided, in the order in which it was."""
        query = f"SELECT {_COLUMNS} FROM decisions ORDER BY id"  # noqa: S608
        return [_decision(row) for row in self._read(query)]

    def add_verdict(self, scan: str, sha256: str, verdict: dict[str, Any]) -> None:
        """Keep what the audit says of a scan that was protected again."""
        query = "INSERT INTO verdicts (scan, sha256, verdict) VALUES (?, ?, ?)"
        self._write(query, (scan, sha256, json.dumps(verdict)))

    def verdicts(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """By scan, the digest of what was audited last and its verdict."""
        query = (
            "SELECT scan, sha256, verdict FROM verdicts WHERE id IN "
            "(SELECT max(id) FROM verdicts GROUP BY scan)"
        )
        return {str(scan): (str(sha), json.loads(text)) for scan, sha, text in self._read(query)}

    def _write(self, query: str, values: Sequence[object]) -> None:
        try:
            with self._lock, self._base:
                self._base.execute(query, values)
        except sqlite3.Error as error:
            raise OutputError(f"the decision cannot be written ({error})") from error

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return self._base.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise OutputError(f"the decisions cannot be read ({error})") from error


def _decision(row: tuple[Any, ...]) -> Decision:
    scan, rater, turn, choice, faults, comment, made, sha256, settings = row
    return Decision(
        scan, rater, turn, choice, tuple(json.loads(faults)), comment, made, sha256,
        json.loads(settings),
    )  # fmt: skip
