"""Embeddings and the persons that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError

KINDS = ("render", "photograph")
"""Where a picture came from: a scan or a camera."""

_UNIT_TOLERANCE = 1e-3


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

    @classmethod
    def of_people(
        cls, vectors: Mapping[str, NDArray[np.float32]], kind: str, recogniser: str
    ) -> Embeddings:
        """Embeddings of pictures of one kind.

        Parameters
        ----------
        vectors : mapping of str to (n, D) ndarray
            Unit vectors by person; at least one person.
        kind : {"render", "photograph"}
        recogniser : str
        """
        people = [person for person in sorted(vectors) for _ in vectors[person]]
        stacked = np.concatenate([vectors[person] for person in sorted(vectors)])
        return cls(stacked, np.array(people), np.full(len(people), kind), recogniser)
