"""Results that several tests need, made once in a run."""

from __future__ import annotations

import fcntl
import hashlib
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from faceblind.head.dim_face import DimHead, find_dim_head
from faceblind.scan import Scan

Made = TypeVar("Made")


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder of this run that all its workers see."""
    base = factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


def once(folder: Path, name: str, make: Callable[[], Made]) -> Made:
    """What `make` gives, made by the first worker that asks; the others wait for it.

    Parameters
    ----------
    folder : Path
        See `shared_folder`.
    name : str
        Of the result.
    make : callable
        Its result can be pickled. Files that it writes stay where they are.
    """
    kept = folder / f"{name}.pickle"
    with _alone(folder / f"{name}.lock"):
        if not kept.is_file():
            kept.write_bytes(pickle.dumps(make()))
        result: Made = pickle.loads(kept.read_bytes())
    return result


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


class RememberedDimHeads:
    """`find_dim_head`, which takes seconds, once for each scan of the same voxels and place."""

    def __init__(self) -> None:
        self.found: dict[str, DimHead | None] = {}

    def __call__(self, scan: Scan) -> DimHead | None:
        """What the search finds in this scan."""
        voxels = np.ascontiguousarray(scan.voxels)
        told = f"{voxels.dtype.str} {voxels.shape}".encode()
        key = hashlib.sha256(told + scan.affine.tobytes() + voxels.tobytes()).hexdigest()
        if key not in self.found:
            self.found[key] = find_dim_head(scan)
        dim = self.found[key]
        if dim is None:
            return None
        words = {"modality": scan.modality, "source": scan.source, "doubt": scan.doubt}
        return replace(dim, flat=replace(dim.flat, **words))  # type: ignore[arg-type]
