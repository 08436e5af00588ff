"""How far apart the volunteers of a cohort are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.head.template import load_template
from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.shape import Person

FACE = ("face", "brow", "eyes", "nose", "mouth", "chin", "cheeks")
"""Regions of the template that are compared."""


@dataclass(frozen=True, eq=False)
class FaceDistances:
    """Distances between the faces of all pairs of people.

    Attributes
    ----------
    pairs : (N (N - 1) / 2,) ndarray
        Root mean square distance of corresponding points after rigid alignment, mm.
    closest : (N,) ndarray
        Of each person to the most similar one, mm.
    twins : tuple of int
        Places of the two people who resemble each other most.
    """

    pairs: NDArray[np.float64]
    closest: NDArray[np.float64]
    twins: tuple[int, int]

    @property
    def smallest(self) -> float:
        """Distance of the two most similar, mm."""
        return float(self.pairs.min())

    def quantiles(self) -> dict[str, float]:
        """Smallest, 5 %, median and 95 % of the pairs, and the median of the closest, mm."""
        low, middle, high = np.quantile(self.pairs, [0.05, 0.5, 0.95])
        return {
            "smallest": self.smallest, "5 %": float(low), "median": float(middle),
            "95 %": float(high), "median closest": float(np.median(self.closest)),
        }  # fmt: skip


def distances(people: Sequence[Person]) -> FaceDistances:
    """Distances between the faces of all pairs of people, eyes closed, size kept.

    Parameters
    ----------
    people : sequence of Person
        At least two.

    Raises
    ------
    FaceblindError
        With fewer than two people.
    """
    if len(people) < 2:
        raise FaceblindError(f"distances: expected at least two people, got {len(people)}")
    model = HeadModel.load()
    face = load_template().region(*FACE)
    shapes = np.stack([model.outer_skin(p.points(model.closed_eyes))[face] for p in people])
    return apart(shapes)


def apart(shapes: NDArray[np.floating]) -> FaceDistances:
    """Distances between all pairs of shapes (N, P, 3) whose points correspond."""
    centred = np.asarray(shapes, np.float64)
    centred = centred - centred.mean(axis=1, keepdims=True)
    count, points, _ = centred.shape
    rows = np.moveaxis(centred, 2, 1).reshape(3 * count, points)
    cross = (rows @ rows.T).reshape(count, 3, count, 3).transpose(0, 2, 1, 3)
    # Kabsch: the best rotation leaves |a|^2 + |b|^2 - 2 (sum of singular values, the last one
    # negative if it would take a reflection).
    values = np.linalg.svd(cross, compute_uv=False)
    values[..., 2] *= np.where(np.linalg.det(cross) < 0, -1, 1)
    size = (centred**2).sum(axis=(1, 2))
    square = size[:, None] + size[None] - 2 * values.sum(axis=2)
    gap = np.sqrt(np.maximum(square, 0) / points)
    np.fill_diagonal(gap, np.inf)
    first, second = np.unravel_index(gap.argmin(), gap.shape)
    return FaceDistances(
        pairs=gap[np.triu_indices(count, 1)],
        closest=gap.min(axis=1),
        twins=(int(first), int(second)),
    )
