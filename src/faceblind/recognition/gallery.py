"""Which embeddings belong to whom."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError, OutputError
from faceblind.store import atomic_path

KINDS = ("render", "photograph")
"""Where a picture came from: a scan or a camera."""

_UNIT_TOLERANCE = 1e-3
_FORMAT = "faceblind-embeddings-1"


@dataclass(frozen=True)
class Embeddings:
    """Vectors of pictures with the person and kind of each; copied and frozen at construction.

    Parameters
    ----------
    vectors : (N, D) float32 ndarray
        One unit vector per picture.
    person : (N,) str ndarray
        Normalised participant labels, such as ``sub-01``.
    kind : (N,) str ndarray
        ``"render"`` or ``"photograph"``.
    recogniser : str
        Identity of the recogniser: name and hash of its weights.

    Raises
    ------
    FaceblindError
        If shapes disagree, a vector has not length one, or a label is empty or unknown.
    """

    vectors: NDArray[np.float32]
    person: NDArray[np.str_]
    kind: NDArray[np.str_]
    recogniser: str

    def __post_init__(self) -> None:
        vectors = np.array(self.vectors, dtype=np.float32)
        person, kind = np.array(self.person, dtype=np.str_), np.array(self.kind, dtype=np.str_)
        if vectors.ndim != 2:
            raise FaceblindError(f"embeddings: expected (N, D) vectors, got shape {vectors.shape}")
        count = len(vectors)
        for name, labels in (("person", person), ("kind", kind)):
            if labels.shape != (count,):
                raise FaceblindError(
                    f"embeddings: expected {count} entries in {name}, got shape {labels.shape}"
                )
        length = np.linalg.norm(vectors.astype(np.float64), axis=1)
        wrong = np.flatnonzero(~(np.abs(length - 1) <= _UNIT_TOLERANCE))
        if len(wrong):
            raise FaceblindError(
                f"embeddings: expected vectors of length one, got {length[wrong[0]]:.3g} at row "
                f"{wrong[0]} ({len(wrong)} of {count} rows)"
            )
        if (person == "").any():
            raise FaceblindError("embeddings: every picture needs a person")
        unknown = sorted(set(kind.tolist()) - set(KINDS))
        if unknown:
            raise FaceblindError(f"embeddings: expected kinds {KINDS}, got {unknown[0]!r}")
        if not self.recogniser:
            raise FaceblindError("embeddings: the recogniser must be named")
        for name, array in (("vectors", vectors), ("person", person), ("kind", kind)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def persons(self) -> NDArray[np.str_]:
        """(P,) each person once, sorted."""
        return np.unique(self.person)

    def select(
        self,
        rows: NDArray[Any] | None = None,
        *,
        kind: str | None = None,
        persons: Sequence[str] | NDArray[np.str_] | None = None,
    ) -> Embeddings:
        """The pictures that meet all given conditions, in their order.

        Parameters
        ----------
        rows : (N,) bool or (M,) int ndarray, optional
            Mask or indices of pictures; with indices, their order is taken.
        kind : {"render", "photograph"}, optional
        persons : sequence of str, optional
        """
        chosen = np.arange(len(self))
        if rows is not None:
            chosen = chosen[np.asarray(rows)]
        if kind is not None:
            chosen = chosen[self.kind[chosen] == kind]
        if persons is not None:
            chosen = chosen[np.isin(self.person[chosen], np.asarray(persons, dtype=np.str_))]
        return Embeddings(
            self.vectors[chosen], self.person[chosen], self.kind[chosen], self.recogniser
        )

    @classmethod
    def of(
        cls, vectors: NDArray[np.float32], person: str, kind: str, recogniser: str
    ) -> Embeddings:
        """Embeddings of (N, D) pictures of one person and kind."""
        return cls(vectors, np.full(len(vectors), person), np.full(len(vectors), kind), recogniser)


def concatenate(parts: Sequence[Embeddings]) -> Embeddings:
    """All pictures of all parts, in order.

    Raises
    ------
    FaceblindError
        If there is no part, or recognisers or dimensions differ.
    """
    if not parts:
        raise FaceblindError("embeddings: nothing to concatenate")
    recognisers = sorted({part.recogniser for part in parts})
    if len(recognisers) > 1:
        raise FaceblindError(
            f"embeddings: recognisers differ ({', '.join(recognisers)}); "
            "compare pictures of one recogniser only"
        )
    sizes = sorted({part.vectors.shape[1] for part in parts})
    if len(sizes) > 1:
        raise FaceblindError(f"embeddings: expected one vector length, got {sizes}")
    return Embeddings(
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.kind for part in parts]),
        recognisers[0],
    )


def save_embeddings(embeddings: Embeddings, path: Path) -> None:
    """Write embeddings so that the file is either whole or absent, readable by its owner only.

    Embeddings identify people: write them into private folders.

    Parameters
    ----------
    embeddings : Embeddings
    path : Path
        NPZ file; its folder must exist.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            temporary.chmod(0o600)
            np.savez(
                stream,
                format=np.array(_FORMAT),
                vectors=embeddings.vectors,
                person=embeddings.person,
                kind=embeddings.kind,
                recogniser=np.array(embeddings.recogniser),
            )
    except OSError as error:
        raise OutputError(f"{path.name}: cannot be written ({error.strerror})") from error


def load_embeddings(path: Path) -> Embeddings:
    """Read what `save_embeddings` wrote.

    Raises
    ------
    FaceblindError
        If the file is missing, damaged or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["format"]) != _FORMAT:
                raise FaceblindError(f"{path.name}: written by another version; delete it")
            return Embeddings(
                stored["vectors"], stored["person"], stored["kind"], str(stored["recogniser"])
            )
    except FileNotFoundError as error:
        raise FaceblindError(f"{path.name}: no such file") from error
    except (OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise FaceblindError(f"{path.name}: not a whole embeddings file; delete it") from error
    except ValueError as error:
        if isinstance(error, FaceblindError):
            raise
        raise FaceblindError(f"{path.name}: not a whole embeddings file; delete it") from error
