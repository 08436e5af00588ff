"""``faceblind status OUT``: what a run has done, and what is left."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from faceblind.system.claims import claimed
from faceblind.workflows.bids.manifest import DATASET, Manifest, ScanRecord
from faceblind.workflows.bids.session import Output


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands.

    Parameters
    ----------
    sessions : dict of str to int
        State to number; see `faceblind.workflows.bids.manifest.State`.
    scans : dict of str to int
        Status to number.
    running : int
        Sessions that are worked on now.
    seconds : float
        Mean time of a session; 0 where none is finished.
    absent : tuple of ScanRecord
        Scans that are not public, and why.
    """

    sessions: dict[str, int]
    scans: dict[str, int]
    running: int
    seconds: float
    absent: tuple[ScanRecord, ...]

    @property
    def left(self) -> int:
        """Sessions that are not finished."""
        return sum(n for state, n in self.sessions.items() if state not in ("done", "failed"))

    @property
    def left_s(self) -> float | None:
        """Time that the rest takes at the present number of sessions at once; None if unknown."""
        if not self.running or not self.seconds:
            return None
        return self.left * self.seconds / self.running


def run_status(out: str | Path) -> RunStatus:
    """Where the run into an output stands.

    Parameters
    ----------
    out : path

    Raises
    ------
    OutputError
        If there was none.
    """
    root = Path(out).expanduser().resolve()
    with Manifest(root) as manifest:
        tasks = [task for task in manifest.tasks() if task.key != DATASET]
        scans = manifest.scans()
    spent = [task.seconds for task in tasks if task.seconds and task.state in ("done", "failed")]
    return RunStatus(
        dict(Counter(task.state for task in tasks)),
        dict(Counter(scan.status for scan in scans)),
        claimed(Output(root).claim("x").parent),
        sum(spent) / len(spent) if spent else 0.0,
        tuple(scan for scan in scans if scan.status not in ("pass", "protected")),
    )
