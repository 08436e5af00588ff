"""Protection and audit without heads, importable by worker processes, too."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from faceblind.attacks.brain import Brain
from faceblind.attacks.examine import Examined
from faceblind.attacks.findings import Findings
from faceblind.attacks.region_presence import RegionPresence
from faceblind.attacks.surface import LOOKED_AT
from faceblind.datasets.sidecar import read_sidecar, write_sidecar
from faceblind.workflows import audit_cache
from faceblind.workflows.bids import session
from faceblind.workflows.protect_session import Job
from faceblind.workflows.protect_settings import ProtectionResult, ProtectionSettings

CLEAN = Findings(
    regions=dict.fromkeys(LOOKED_AT, RegionPresence(0.0, 0.0, 0.0, 1.0)), remaining=0.0,
    remaining_under_fills=0.0, remaining_in_the_dark=0.0, remaining_in_later_volumes=0.0, fills=(),
    replaced="", detector_max=0.0, detector_views=0, pieces=(), brain=Brain(None, (), 0.0),
    metadata=(),
)  # fmt: skip
PAUSE = "STAND_IN_PAUSE"
"""Environment variable: seconds between two steps, so that a test may strike in between."""
PIDS = "STAND_IN_PIDS"
"""Environment variable: a folder in which each process that works leaves its number."""


def protect_job(job: Job, settings: ProtectionSettings) -> list[ProtectionResult]:
    """Copies with a mark; ``rec-lost`` fails."""
    if folder := os.environ.get(PIDS):
        Path(folder, str(os.getpid())).touch()
    results = []
    for output in job.outputs:
        time.sleep(float(os.environ.get(PAUSE, 0)))
        if "rec-lost" in output.source.name:
            error = f"{output.source}: the head was not found with confidence"
            results.append(ProtectionResult(output.source, error=error))
            continue
        if output.source.is_symlink() and not output.source.exists():
            error = f"{output.source}: is a link to a missing file; `datalad get`"
            results.append(ProtectionResult(output.source, error=error))
            continue
        output.target.write_bytes(b"PROTECTED " + output.source.read_bytes())
        write_sidecar(output.target, read_sidecar(output.source), output.method)
        results.append(ProtectionResult(output.source, output.target))
    return results


def examine(path: Path, original: Path | None = None, recogniser: str | None = None) -> Examined:
    """``rec-shows`` shows a face, and so does what was not protected."""
    time.sleep(float(os.environ.get(PAUSE, 0)))
    shows = "rec-shows" in path.name or not path.read_bytes().startswith(b"PROTECTED ")
    return Examined(replace(CLEAN, remaining=0.9) if shows else CLEAN, {})


def run_task(*args: object, **options: object) -> session.TaskReport:
    """`session.run_task` with the stand-ins, for worker processes that nothing else prepares."""
    install()
    return session.run_task(*args, **options)


def install() -> None:
    """Put the stand-ins in place in this process, for good."""
    session.protect_job = protect_job
    audit_cache.examine = examine
    audit_cache.find_metadata = lambda path: ()
