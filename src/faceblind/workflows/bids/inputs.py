"""Digests of what goes into a piece of work, so that a later run knows whether it is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from faceblind.datasets.sidecar import applicable, sidecar_path
from faceblind.system.files import file_digest
from faceblind.workflows.bids.plan import Task


def looks_of(task: Task) -> str:
    """Digest of names, sizes and times of all that goes in: quick, and different in doubt.

    Parameters
    ----------
    task : Task
    """
    return _digest([inside, *_look(path)] for inside, path in _inputs(task))


def inputs_of(task: Task) -> str:
    """Digest of names and bytes of all that goes in.

    Parameters
    ----------
    task : Task
    """
    return _digest([inside, _bytes(path)] for inside, path in _inputs(task))


def _inputs(task: Task) -> Iterator[tuple[str, Path]]:
    seen: set[Path] = set()
    for image in task.images:
        yield image.inside, image.source
        for path in applicable(sidecar_path(image.source)):
            if path not in seen:
                seen.add(path)
                yield f"{image.inside} {path.name}", path
    for copy in task.copies:
        yield copy.inside, copy.source


def _look(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _bytes(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError:
        return "absent"


def _digest(parts: Iterable[list[object]]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps(part).encode() + b"\n")
    return digest.hexdigest()
