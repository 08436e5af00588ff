"""Each method on each scan of a benchmark: protected copies, their cost, the brain."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from faceblind.errors import FaceblindError
from faceblind.formats import load
from faceblind.system.cache import cache_key
from faceblind.system.files import file_digest
from faceblind.system.outputs import make_folders
from faceblind.system.tables import write_json
from faceblind.system.workers import run_many
from faceblind.workflows.benchmark_result import MethodRun
from faceblind.workflows.peers import Peer

logger = logging.getLogger(__name__)

EQUAL = 1e-6
"""Share of a scan's range below which two values are the same: tools that write floats round."""
_GRID_MM = 1e-3


@dataclass(frozen=True)
class BenchmarkScan:
    """One scan of the cohort.

    Parameters
    ----------
    person, series : str
    path, brain : Path
        The scan, and the mask of its true brain.
    """

    person: str
    series: str
    path: Path
    brain: Path


@dataclass(frozen=True)
class _Protected:
    """One result; kept as JSON beside the protected scan."""

    wall_s: float
    cpu_s: float | None
    peak_mb: float | None
    brain_voxels: int | None


def protect_all(
    method: Peer, scans: Sequence[BenchmarkScan], folder: Path, timeout_s: float, show: bool
) -> tuple[MethodRun, dict[tuple[str, str], Path]]:
    """Protect every scan with one method, one after the other so that times can be compared.

    What an earlier run did with the same program and scan is kept; what failed is tried again.

    Parameters
    ----------
    method : Peer
    scans : sequence of BenchmarkScan
    folder : Path
        For the protected scans.
    timeout_s : float
        For each scan.
    show : bool
        Show progress.

    Returns
    -------
    MethodRun
    dict of (str, str) to Path
        Protected scan by person and series.
    """
    make_folders([folder])
    outcomes = run_many(
        partial(_protect, method=method, folder=folder, timeout_s=timeout_s), scans,
        n_jobs=1, label=method.name, name=_name, show_progress=show,
    )  # fmt: skip
    done: list[_Protected] = []
    failures, paths = [], {}
    for outcome in outcomes:
        scan = outcome.item
        if outcome.value is None:
            failures.append((scan.path.name, outcome.error or "failed"))
        else:
            done.append(outcome.value)
            paths[scan.person, scan.series] = _target(folder, scan)
    brains = [one.brain_voxels for one in done if one.brain_voxels is not None]
    run = MethodRun(
        method.name, method.version, method.digest, len(scans), len(done),
        _median([one.wall_s for one in done]), _median([one.cpu_s for one in done]),
        _median([one.peak_mb for one in done]),
        sum(brains) if brains else None, sum(n > 0 for n in brains) if brains else None,
        len(done) - len(brains), tuple(failures),
    )  # fmt: skip
    return run, paths


def changed_brain(before: Path, after: Path, truth: Path) -> int | None:
    """Voxels of the true brain whose value differs; None where the grids do.

    Parameters
    ----------
    before, after : Path
        The scan and what was made of it. The order of voxel axes may differ.
    truth : Path
        Mask on the grid of `before`.
    """
    first, second, brain = (load(path).canonical() for path in (before, after, truth))
    grids_agree = (
        first.shape[:3] == second.shape[:3] == brain.shape[:3]
        and np.abs(first.affine - second.affine).max() < _GRID_MM
    )
    if not grids_agree:
        return None
    inside = np.asarray(brain.volume(0)) > 0
    a, b = (np.asarray(scan.volume(0), dtype=np.float64)[inside] for scan in (first, second))
    span = float(np.ptp(np.asarray(first.volume(0), dtype=np.float64)))
    # Not "greater than": what is no number has changed, too.
    return int((~(np.abs(a - b) <= EQUAL * span)).sum())


def _target(folder: Path, scan: BenchmarkScan) -> Path:
    return folder / scan.path.name


def _name(scan: BenchmarkScan) -> str:
    return scan.path.name


def _protect(scan: BenchmarkScan, method: Peer, folder: Path, timeout_s: float) -> _Protected:
    target = _target(folder, scan)
    note = target.with_name(f"{target.name}.json")
    digests = [file_digest(path) for path in (scan.path, scan.brain)]
    key = cache_key(digests, method.version, {"program": method.digest, "words": method.command})
    if (known := _known(note, key, target)) is not None:
        return known
    for old in (note, target):
        old.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".run-") as place:
        # Copies: a program that edits its input in place must not spoil the cohort.
        source, brain = Path(place) / "in" / scan.path.name, Path(place) / "in" / "brain.nii.gz"
        written = Path(place) / "out" / scan.path.name
        make_folders([source.parent, written.parent])
        shutil.copyfile(scan.path, source)
        if method.needs_brain:
            shutil.copyfile(scan.brain, brain)
        done = method.run(source, written, brain if method.needs_brain else None, timeout_s)
        if done.failure:
            raise FaceblindError(f"{method.name}: {done.failure.replace(place, '')}")
        voxels = changed_brain(scan.path, written, scan.brain)
        written.replace(target)
    result = _Protected(done.wall_s, done.cpu_s, done.peak_mb, voxels)
    write_json(note, {"key": key, "sha256": file_digest(target), **asdict(result)})
    return result


def _known(note: Path, key: str, target: Path) -> _Protected | None:
    """What an earlier run noted, if it was the same run and its result is still whole."""
    try:
        content: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
        if content.pop("key") != key or content.pop("sha256") != file_digest(target):
            return None
        return _Protected(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 3) if known else None
