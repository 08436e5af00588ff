"""How similar every person searched for and every person searched are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.identification.fusion import Fusion

Matching = Literal["adapted", "centred", "nearest"]
Direction = Literal["photo-to-scan", "scan-to-photo", "scan-to-scan"]

SCORE_DECIMALS = 6
"""Scores are rounded to this many decimals, so that the rounding noise of float32 embeddings and
of the matrix product (about 1e-7, and different from one processor to the next) neither breaks
ties between identical pictures nor changes ranks from one machine to another."""


@dataclass(frozen=True)
class Scores:
    """How similar every probe person and every gallery person are.

    Parameters
    ----------
    values : (P, G) float64 ndarray
        Higher is more similar; cosines (or means of cosines) in [-1, 1], or standard deviations for
        ``adapted``.
    probe_persons : (P,) str ndarray
        Who is searched for, sorted, each person once.
    gallery_persons : (G,) str ndarray
        Who is searched, sorted, each person once.
    direction : {"photo-to-scan", "scan-to-photo", "scan-to-scan"}
        Probe kind to gallery kind.
    matching : {"adapted", "centred", "nearest", "service"}
        The recipe; ``service``: a service compared, see `faceblind.identification.candidates`.
    fusion : {"mean", "top", "best"}
        How the pictures of two persons became one score, see `fuse`.
    recogniser : str
        Identity of the recogniser (name and hash of its weights).
    probe_pictures : (P,) int ndarray
        Number of pictures of each probe person.
    gallery_pictures : (G,) int ndarray
        Number of pictures of each gallery person.
    returned : (P, G) bool ndarray, optional
        Which pairs a service gave a score for; all of them if absent. The others have no rank.

    Raises
    ------
    FaceblindError
        If the shapes disagree or a score is not finite.
    """

    values: NDArray[np.float64]
    probe_persons: NDArray[np.str_]
    gallery_persons: NDArray[np.str_]
    direction: Direction
    matching: Matching | Literal["service"]
    fusion: Fusion
    recogniser: str
    probe_pictures: NDArray[np.int64]
    gallery_pictures: NDArray[np.int64]
    returned: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        expected = (len(self.probe_persons), len(self.gallery_persons))
        if self.values.shape != expected:
            raise FaceblindError(f"scores: expected shape {expected}, got {self.values.shape}")
        if (len(self.probe_pictures), len(self.gallery_pictures)) != expected:
            raise FaceblindError("scores: one picture count per person is needed")
        if self.returned is not None and self.returned.shape != expected:
            raise FaceblindError(
                f"scores: expected returned of shape {expected}, got {self.returned.shape}"
            )
        if not np.isfinite(self.values).all():
            raise FaceblindError("scores: NaN or infinite scores cannot be ranked")

    @classmethod
    def empty(cls, direction: Direction, matching: Matching, recogniser: str) -> Scores:
        """Scores of nobody, for when no face could be enrolled on one of the sides.

        Parameters
        ----------
        direction, matching, recogniser
            As of other scores.
        """
        nobody, none = np.array([], dtype=str), np.array([], dtype=np.int64)
        values = np.zeros((0, 0))
        return cls(values, nobody, nobody, direction, matching, "mean", recogniser, none, none)

    @property
    def complete(self) -> bool:
        """Whether every pair has a score, so that all ranks are known."""
        return self.returned is None or bool(self.returned.all())

    @property
    def settings(self) -> dict[str, Any]:
        """What a reader needs to repeat the comparison; no person is named."""
        return {
            "matching": self.matching,
            "fusion": self.fusion,
            "score_decimals": SCORE_DECIMALS,
            "pictures_per_probe": _span(self.probe_pictures),
            "pictures_per_gallery_person": _span(self.gallery_pictures),
        }


def _span(counts: NDArray[np.int64]) -> list[int]:
    return [int(counts.min()), int(counts.max())] if len(counts) else [0, 0]
