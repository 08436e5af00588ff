"""Results that several tests need, made once in a run."""

from __future__ import annotations

import fcntl
import hashlib
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

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


class Remembered:
    """A function of scans that takes seconds: once for each scan of the same voxels and place.

    The tests of the function itself call it; only its users share what it gave before.

    Parameters
    ----------
    function : callable
        Gives the same whenever it is given the same; nobody changes what it gave.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.kept: dict[str, Any] = {}

    def __call__(self, *given: object, **named: object) -> Any:
        """What the function gives. Errors are not kept."""
        told = [_told(one) for one in given], sorted(named.items())
        key = hashlib.sha256(pickle.dumps(told)).hexdigest()
        if key not in self.kept:
            self.kept[key] = self.function(*given, **named)
        return self.kept[key]


def _told(given: object) -> object:
    """A scan without its name and its file's numbers, which no search looks at; else the same."""
    if not isinstance(given, Scan):
        return given
    voxels = given.voxels
    told = str(voxels.dtype), voxels.shape, voxels.strides, given.affine.tobytes()
    return (*told, given.modality, given.doubt, voxels.tobytes("A"))


class RememberedDimHeads(Remembered):
    """`find_dim_head`; what it gives has the name of the scan that is asked for."""

    def __init__(self) -> None:
        super().__init__(find_dim_head)

    def __call__(self, scan: Scan) -> DimHead | None:
        """What the search finds in this scan."""
        dim: DimHead | None = super().__call__(scan)
        if dim is None:
            return None
        words = {"modality": scan.modality, "source": scan.source, "doubt": scan.doubt}
        return replace(dim, flat=replace(dim.flat, **words))  # type: ignore[arg-type]
