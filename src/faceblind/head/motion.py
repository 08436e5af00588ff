"""How the head moves through a series of volumes.

Each volume is registered to the leading one, rigidly and on coarse voxels: by least squares where
the two look the same up to brightness, by normalised mutual information where contrast differs. A
volume that was placed and looks like no other becomes a model for those after it, as the
diffusion-weighted ones beside the one without.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.geometry.grid import dilate
from faceblind.geometry.icp import rigid_update
from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import template_fields
from faceblind.head.least_squares import (
    FINE_MM,
    LEAST_OVERLAP,
    RADIUS_MM,
    Coarse,
    Model,
    best_shift,
)
from faceblind.head.reference_volume import LEAST_CONTRAST, at_time, volumes
from faceblind.head.registration import LEAST_INFORMATION, Levels, normalised_information, register
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.scan import Scan

OUTSIDE_MM = 6.0
"""How far around the head volumes and scans are compared."""
POINTS = 8000
SIMILAR = 0.98
"""Correlation from which two volumes are the same picture in the same place. A wrong place, 40 mm
off, reached 0.92 between a T1- and a T2-weighted volume."""
FAR_MM = 5.0
"""Motion since the volume before from which the outlines must agree, too."""
AGREED_MM = 1.5
"""Distance at the head's surface up to which answers from several starts are one."""
SAME_CONTRAST = 0.9
"""Correlation from which an answer is believed that several starts give; between contrasts least
squares miss by several millimetres."""
RESEMBLES = 0.5
"""Correlation from which least squares tell where mutual information starts."""
UNSURE_MM = 2.0
"""By how much mutual information between contrasts may miss: less is no motion."""
NOTHING = 0.15
"""Correlation below which, without mutual information, a volume shows nothing of the head."""
STILL_MM = 1.0
"""Motion, at the head's surface, up to which volumes share one place."""
MODELS = 6
SEARCHES = 8
"""Full searches by mutual information in one series, at most; each takes seconds."""
OUTSIDE = 0.04
"""Share of a volume's own head that may lie outside the leading volume's, once registered to it."""


class How(StrEnum):
    """Why a volume is believed to lie where it does."""

    SIMILAR = "similar"
    SEARCHED = "searched"
    STILL = "still"
    """Its own picture says nothing else than that of the volume beside it."""
    SILENT = "silent"
    """It shows nothing; it lies where the volume beside it does."""
    LOST = "lost"
    """It shows a head, but not where."""


@dataclass(frozen=True)
class Motion:
    """Where the head lies in each volume of a series.

    Parameters
    ----------
    volume_to_leader : (T, 4, 4) float64 ndarray
        Rigid, each volume's mm to the mm in which the leading volume's head lies.
    how : tuple of How
        By volume.
    centre : (3,) float64 ndarray
        Of the head in the leading volume, mm.
    """

    volume_to_leader: NDArray[np.float64]
    how: tuple[How, ...]
    centre: NDArray[np.float64]

    def millimetres(self) -> NDArray[np.float64]:
        """(T,) greatest distance by which a place at the head's surface moved."""
        return np.array([apart(move, np.eye(4), self.centre) for move in self.volume_to_leader])

    def groups(self) -> list[tuple[NDArray[np.float64], list[int]]]:
        """Moves, and the volumes that share each within `STILL_MM`; the leader's place is first."""
        found: list[tuple[NDArray[np.float64], list[int]]] = [(np.eye(4), [])]
        for t, move in enumerate(self.volume_to_leader):
            near = (group for at, group in found if apart(at, move, self.centre) <= STILL_MM)
            group = next(near, None)
            if group is None:
                found.append((move, [t]))
            else:
                group.append(t)
        return found


def around(alignment: Alignment) -> NDArray[np.float64]:
    """(N, 3) places in and near the head, scan mm.

    Parameters
    ----------
    alignment : Alignment
    """
    fields = template_fields()
    low, size = fields.affine[:3, 3], np.array(fields.depth.shape)
    high = low + fields.affine[:3, :3].diagonal() * (size - 1)
    axes = [np.arange(a, b, 5.0) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    # Below the skull the neck bends between scans.
    grid = grid[(fields.at("depth", grid) > -OUTSIDE_MM) & (grid[:, 2] > -60.0)]
    back = np.linalg.inv(alignment.scan_to_template)
    return np.asarray(apply_affine(back, grid), np.float64)


def follow(
    scan: Scan, lead: int, places: NDArray[np.floating], *, whole_heads: bool = True
) -> Motion:
    """Find the head of every volume of a series.

    Parameters
    ----------
    scan : Scan
        3-D or 4-D.
    lead : int
        The volume that shows the head best.
    places : (N, 3) ndarray
        Around and in the head of the leading volume, scan mm.
    whole_heads : bool
        Nothing was taken out of any volume, so that the outlines of heads must agree.
    """
    count = volumes(scan)
    centre = places.mean(axis=0).astype(np.float64)
    moves = np.tile(np.eye(4), (count, 1, 1))
    how = [How.SIMILAR] * count
    if count > 1:
        tracker = _Tracker(scan, lead, places, whole_heads=whole_heads)
        for order in (range(lead + 1, count), range(lead - 1, -1, -1)):
            before = np.eye(4)
            for t in order:
                moves[t], how[t] = tracker.place(t, before)
                before = moves[t]
    return Motion(moves, tuple(how), centre)


def apart(
    one: NDArray[np.float64], other: NDArray[np.float64], centre: NDArray[np.float64]
) -> float:
    """Greatest distance, mm, between two rigid maps at the corners of a head's cube.

    Parameters
    ----------
    one, other : (4, 4) float64 ndarray
    centre : (3,) float64 ndarray
        Of the head, where the maps lead to.
    """
    back, other_back = (np.asarray(np.linalg.inv(m), np.float64) for m in (one, other))
    return _apart_back(back, other_back, centre)


def _apart_back(
    one: NDArray[np.float64], other: NDArray[np.float64], centre: NDArray[np.float64]
) -> float:
    """The same of maps that lead away from where the head's centre is given."""
    signs = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    corners = centre + RADIUS_MM / np.sqrt(3) * signs
    gap = apply_affine(one, corners) - apply_affine(other, corners)
    return float(np.linalg.norm(gap, axis=1).max())


class _Tracker:
    """Places one volume after the other."""

    def __init__(
        self, scan: Scan, lead: int, places: NDArray[np.floating], *, whole_heads: bool
    ) -> None:
        self.scan = scan
        self.lead = at_time(scan, lead)
        self.places = places
        self.points = places[:: max(1, len(places) // POINTS)].astype(np.float64)
        self.centre = places.mean(axis=0).astype(np.float64)
        self.searches = 0
        self.levels = Levels.of(self.lead, FINE_MM)
        self.models = [self._model(self.lead, np.eye(4))]
        self.head: HeadMask | None = _head(self.lead) if whole_heads else None

    def _model(self, scan: Scan, move: NDArray[np.float64]) -> Model:
        levels = self.levels.at(self.points)[0]
        return Model.of(Coarse.of(scan), levels, self.points, move)

    def place(self, t: int, before: NDArray[np.float64]) -> tuple[NDArray[np.float64], How]:
        """Where one volume lies, given where the one before it does."""
        scan = at_time(self.scan, t)
        volume = Coarse.of(scan)
        if np.ptp(volume.fine) == 0:
            return before, How.SILENT
        near = np.asarray(np.linalg.inv(before), np.float64)
        back, good, model = self._by_least_squares(volume, near)
        move = np.asarray(np.linalg.inv(back), np.float64)
        same = good >= SIMILAR or (good >= SAME_CONTRAST and self._agreed(volume, back, model))
        if same and self._leap_fits(scan, move, before):
            return move, How.SIMILAR
        told = max(self._information(scan, at) for at in (near, back))
        if told < LEAST_INFORMATION and good < NOTHING:
            return before, How.SILENT
        return self._by_search(scan, before, move if good >= RESEMBLES else before)

    def _leap_fits(
        self, scan: Scan, move: NDArray[np.float64], before: NDArray[np.float64]
    ) -> bool:
        """Whether a volume lies near the one before, or else its outline agrees."""
        return apart(move, before, self.centre) <= FAR_MM or self._outline_fits(scan, move)

    def _by_least_squares(
        self, volume: Coarse, near: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float, Model]:
        """The best of all models from where the volume before lies, then from further starts."""
        best, good, chosen = near, -1.0, self.models[0]
        for model in self.models:
            back, similarity = model.fit(volume, near, 1)
            if similarity > good:
                best, good, chosen = back, similarity, model
            if good >= SIMILAR:
                return best, good, chosen
        for start in self._starts(near, volume, chosen):
            back, similarity = chosen.fit(volume, chosen.fit(volume, start, 0)[0], 1)
            if similarity > good:
                best, good = back, similarity
            if good >= SIMILAR:
                break
        return best, good, chosen

    def _starts(
        self, near: NDArray[np.float64], volume: Coarse, model: Model
    ) -> list[NDArray[np.float64]]:
        """The place before, the leader's, and that shift by which the two overlap best."""
        starts = [near]
        if apart(near, np.eye(4), self.centre) > 2.0:
            starts.append(np.eye(4))
        return [*starts, best_shift(volume, model)]

    def _agreed(self, volume: Coarse, best: NDArray[np.float64], model: Model) -> bool:
        """Whether starts around an answer lead back to it."""
        for axis in range(3):
            step = np.zeros(6)
            sign = 1.0 if axis % 2 else -1.0
            step[axis], step[3 + axis] = 0.06 * sign, 5.0 * sign
            back, _ = model.fit(volume, best @ rigid_update(step, self.centre), 1)
            if _apart_back(back, best, self.centre) > AGREED_MM:
                return False
        return True

    def _information(self, scan: Scan, back: NDArray[np.float64]) -> float:
        """Normalised mutual information with the leader at a place."""
        theirs, inside = Levels.of(scan, FINE_MM).at(apply_affine(back, self.points))
        if inside.mean() < LEAST_OVERLAP:
            return 1.0
        return normalised_information(self.models[0].levels[inside], theirs[inside])

    def _by_search(
        self, scan: Scan, before: NDArray[np.float64], start: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], How]:
        """By mutual information; else beside its neighbour, if its outline agrees."""
        if self.searches < SEARCHES:
            self.searches += 1
            placed = Scan(scan.voxels, start @ scan.affine)
            found = register(placed, self.lead, self.places)
            move = found.scan_to_target @ start
            if found.is_sure and self._leap_fits(scan, move, before):
                if apart(move, before, self.centre) <= UNSURE_MM:
                    move = before
                if len(self.models) < MODELS:
                    self.models.append(self._model(scan, move))
                return move, How.SEARCHED
        return before, How.STILL if self._outline_fits(scan, before) else How.LOST

    def _outline_fits(self, scan: Scan, move: NDArray[np.float64]) -> bool:
        """Whether a volume's own head, if one stands out, lies within the leader's."""
        head = None if self.head is None else _head(scan)
        if head is None or self.head is None:
            return True
        points = apply_affine(move @ head.affine, np.argwhere(head.mask)[::7])
        allowed = dilate(self.head.mask, 2)
        index = np.rint(apply_affine(np.linalg.inv(self.head.affine), points)).astype(int)
        inside = ((index >= 0) & (index < self.head.mask.shape)).all(axis=1)
        if not inside.any():
            return False
        # What the leader's field of view does not show cannot speak against it.
        return float((~allowed[tuple(index[inside].T)]).mean()) <= OUTSIDE


def _head(scan: Scan) -> HeadMask | None:
    """The head that stands out of a volume, if any does clearly."""
    try:
        head = find_head(scan)
    except FaceblindError:
        return None
    contrast = (head.tissue_level - head.air_level) / max(head.air_noise, 1e-9)
    return head if contrast >= LEAST_CONTRAST else None
