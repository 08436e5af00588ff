"""The searches of an experiment as arrays, for every figure that needs more than the ranks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.identification import metrics
from faceblind.identification.match import Scores

FEWEST = 20
"""Persons from which a figure beyond this gallery is given. The 95 % interval of a rate of one half
is 42 points wide at 20 persons, and wider below; the tail of the scores has too few values, too."""

LEAST = -np.inf
"""Score of nobody: what a search in an empty gallery returns."""


@dataclass(frozen=True)
class Searches:
    """Mated and non-mated searches in one gallery (ISO/IEC 19795-1).

    Parameters
    ----------
    values : (P, G) float64 ndarray
        Scores of all probes that could be searched; higher is more similar.
    mates : (P,) int64 ndarray
        Column of each probe's mate; `metrics.NO_MATE` where the person is not in the gallery.
    probe_persons, gallery_persons : (P,) and (G,) str ndarray
        Labels. Private.
    failed : tuple of str
        Persons who should have been searched for and were not (failure to enrol): misses of every
        mated search, and no non-mated search.
    """

    values: NDArray[np.float64]
    mates: NDArray[np.int64]
    probe_persons: NDArray[np.str_]
    gallery_persons: NDArray[np.str_]
    failed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.probe_persons), len(self.gallery_persons))
        if self.values.shape != shape or self.mates.shape != shape[:1]:
            raise FaceblindError(
                f"searches: expected {shape} scores and {shape[:1]} mates, "
                f"got {self.values.shape} and {self.mates.shape}"
            )

    @classmethod
    def of(cls, scores: Scores, persons: Iterable[str]) -> Searches:
        """Searches of these persons, and of every probe whose person is not in the gallery.

        Parameters
        ----------
        scores : Scores
        persons : iterable of str
            Everybody whose search has an answer, see `faceblind.identification.result.evaluate`.
        """
        wanted = set(persons)
        mates = metrics.mate_indices(scores.probe_persons, scores.gallery_persons)
        mated = mates != metrics.NO_MATE
        named = np.array([str(person) in wanted for person in scores.probe_persons], dtype=bool)
        kept = np.flatnonzero(np.where(mated, named, ~named))
        found = {str(person) for person in scores.probe_persons[mated]}
        return cls(
            values=scores.values[kept],
            mates=mates[kept],
            probe_persons=scores.probe_persons[kept],
            gallery_persons=scores.gallery_persons,
            failed=tuple(sorted(wanted - found)),
        )

    @property
    def mated(self) -> NDArray[np.bool_]:
        """(P,) whether the probe's person is in the gallery."""
        return self.mates != metrics.NO_MATE

    @property
    def mated_count(self) -> int:
        """Mated searches that should have been made, failures to enrol included."""
        return int(self.mated.sum()) + len(self.failed)

    @property
    def gallery_size(self) -> int:
        """Persons in the gallery."""
        return len(self.gallery_persons)

    def mate_scores(self) -> NDArray[np.float64]:
        """(P,) score of the mate; `LEAST` where there is none."""
        scores = np.full(len(self.mates), LEAST)
        rows = np.flatnonzero(self.mated)
        scores[rows] = self.values[rows, self.mates[rows]]
        return scores

    def best_others(self) -> NDArray[np.float64]:
        """(P,) greatest score with anybody else: what a search returns once the mate is left out.

        `LEAST` where nobody else is in the gallery.
        """
        others = self.values.copy()
        rows = np.flatnonzero(self.mated)
        others[rows, self.mates[rows]] = LEAST
        best: NDArray[np.float64] = others.max(axis=1, initial=LEAST)
        return best
