"""Lay two scans of one head on each other by what is inside, where their skins do not suffice.

Rigid, by normalised mutual information (Studholme et al. 1999, Pattern Recognition 32:71), which
assumes no contrast: a T2*-weighted series whose skin is as dark as the air still shows the same
brain as its companion. An answer is only believed if the search finds it from several starts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import minimize

from faceblind.geometry.grid import blur, from_scan, regrid
from faceblind.geometry.icp import rigid_update
from faceblind.scan import Scan

WORKING_MM = 3.0
"""Voxels to which both scans are averaged; finer ones do not move the optimum by a millimetre."""
LEVELS = 24
"""Grey levels, equally frequent."""
SOFT_MM, FINE_MM = 3.0, 1.2
"""Gaussian that smooths the first searches, which must find their way from afar, and the last."""
FEW, MANY = 4000, 16000
"""Places compared while searching, and for the last step."""
STARTS_MM = 6.0
"""How far from the header's answer the other searches start, each along and about one axis."""
AGREED_MM = 2.0
"""Distance, at the head's surface, up to which two searches gave one answer."""
ENOUGH_AGREE = 4
"""Searches of seven that must give the answer."""
AROUND_MM = 30.0
RADIUS_MM = 80.0
"""Of a head: turns are searched in millimetres at this distance."""
LEAST_OVERLAP = 0.4
"""Share of the places that must lie in both scans."""
LEAST_INFORMATION = 1.02
"""Normalised mutual information from which scans show the same thing; 1 is none. Slices of 5 mm
against a T1-weighted scan reach 1.06 and more, noise 1.01."""


@dataclass(frozen=True)
class Registration:
    """One scan registered to another.

    Parameters
    ----------
    scan_to_target : (4, 4) float64 ndarray
        Rigid, scan mm to target mm.
    information : float
        Normalised mutual information, 1 to 2.
    agree : int
        Searches of seven that gave this answer.
    """

    scan_to_target: NDArray[np.float64]
    information: float
    agree: int

    @property
    def is_sure(self) -> bool:
        """Whether the answer may be believed."""
        return self.agree >= ENOUGH_AGREE and self.information >= LEAST_INFORMATION


@dataclass(frozen=True)
class Levels:
    """A scan on coarse voxels, as grey levels of equal frequency.

    Parameters
    ----------
    values : (I, J, K) float32 ndarray
    to_index : (4, 4) float64 ndarray
        Scan mm to index.
    bounds : (L,) float32 ndarray
        Between the levels.
    """

    values: NDArray[np.float32]
    to_index: NDArray[np.float64]
    bounds: NDArray[np.float32]

    @classmethod
    def of(cls, scan: Scan, sigma_mm: float) -> Levels:
        """Of a scan's first volume, smoothed by a Gaussian."""
        grid = from_scan(scan)
        grid = regrid(grid, np.maximum(grid.spacing, WORKING_MM))
        values = blur(np.asarray(grid.values, np.float32), sigma_mm / grid.spacing)
        # The darker third is air; its levels would crowd out those of the head.
        bright = values[values > np.quantile(values, 1 / 3)]
        if not len(bright):
            bright = values.ravel()
        bounds = np.unique(np.quantile(bright, np.linspace(0, 1, LEVELS)[:-1]))
        to_index = np.asarray(np.linalg.inv(grid.affine), np.float64)
        return cls(values, to_index, bounds.astype(np.float32))

    def at(self, points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Levels (N,) at places in mm, and which of them lie in the scan."""
        index = apply_affine(self.to_index, points)
        last = np.array(self.values.shape) - 1
        inside = np.asarray(((index >= 0) & (index <= last)).all(axis=1), np.bool_)
        found = ndimage.map_coordinates(self.values, index.T, order=1, mode="nearest")
        return np.searchsorted(self.bounds, found).astype(np.int64), inside


def normalised_information(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """(H(a) + H(b)) / H(a, b) of two rows of levels: 1 for none, 2 where each tells the other.

    Parameters
    ----------
    a, b : (N,) int64 ndarray
        Not negative.
    """
    width = int(b.max()) + 1
    joint = np.bincount(a * width + b, minlength=(int(a.max()) + 1) * width).reshape(-1, width)
    return _information(joint)


def _information(joint: NDArray[np.int64]) -> float:
    """The same, of how often each pair of levels (A, B) meets."""
    together = _entropy(joint.ravel())
    return (_entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0))) / max(together, 1e-12)


def _entropy(counts: NDArray[np.int64]) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def register(scan: Scan, target: Scan, places: NDArray[np.floating]) -> Registration:
    """The small rigid motion that takes a scan to a target in about the same place.

    Parameters
    ----------
    scan, target : Scan
        First volumes are used; headers in one world space.
    places : (N, 3) ndarray
        Target mm: around and in the head.

    Returns
    -------
    Registration
        Ask `is_sure` before use.
    """
    centre = places.mean(axis=0).astype(np.float64)
    many, few = (
        places[:: max(1, len(places) // count)].astype(np.float64) for count in (MANY, FEW)
    )
    soft, sharp = (
        (Levels.of(target, sigma), Levels.of(scan, sigma)) for sigma in (SOFT_MM, FINE_MM)
    )
    coarse, fine, last = (
        _Cost(points, fixed.at(points)[0], moving, centre)
        for points, (fixed, moving) in ((few, soft), (few, sharp), (many, sharp))
    )
    found = [_search(fine, _search(coarse, start, 4.0), 1.5) for start in _starts()]
    best = min(found, key=fine)
    agree = sum(_apart(one, best, centre) <= AGREED_MM for one in found)
    end = _search(last, best, 0.5)
    move = np.asarray(np.linalg.inv(_back(end, centre)), np.float64)
    return Registration(move, -last(end), agree)


def look_around(
    scan: Scan, target: Scan, places: NDArray[np.floating]
) -> tuple[float, Registration]:
    """How similar two scans are where their headers put them, and where they are most similar.

    Looks further than `register`, 30 mm to all sides, and less often: `agree` says nothing.

    Parameters
    ----------
    scan, target, places
        As for `register`.

    Returns
    -------
    float
        Normalised mutual information as the scans lie.
    Registration
        At the best place.
    """
    centre = places.mean(axis=0).astype(np.float64)
    points = places[:: max(1, len(places) // FEW)].astype(np.float64)
    soft, sharp = (
        _Cost(points, fixed.at(points)[0], Levels.of(scan, sigma), centre)
        for sigma, fixed in ((s, Levels.of(target, s)) for s in (SOFT_MM, FINE_MM))
    )
    reach = np.linspace(-AROUND_MM, AROUND_MM, 5)
    lattice = np.stack(np.meshgrid(reach, reach, reach, indexing="ij"), -1).reshape(-1, 3)
    steps = np.hstack([np.zeros_like(lattice), lattice])
    starts = [np.zeros(6), min(steps, key=soft)]
    starts = starts[:1] if not starts[1].any() else starts
    best = min((_search(sharp, _search(soft, s, 4.0), 1.5) for s in starts), key=sharp)
    move = np.asarray(np.linalg.inv(_back(best, centre)), np.float64)
    return -sharp(np.zeros(6)), Registration(move, -sharp(best), 1)


@dataclass(frozen=True)
class _Cost:
    """Less is more similar: minus the information that the moving scan gives of the fixed one."""

    points: NDArray[np.float64]
    levels: NDArray[np.int64]
    moving: Levels
    centre: NDArray[np.float64]

    def __call__(self, step: NDArray[np.float64]) -> float:
        # Few scans need it, and numba takes a quarter of a second to load.
        from faceblind.head.joint_counts import joint_counts

        moving = self.moving
        to_index = moving.to_index @ _back(step, self.centre)
        joint, inside = joint_counts(
            self.points, self.levels, to_index, moving.values, moving.bounds
        )
        if inside < LEAST_OVERLAP * len(self.points):
            return -1.0
        return -_information(joint)


def _back(step: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) target mm to scan mm of six numbers in mm: turns at `RADIUS_MM`, then shifts."""
    return rigid_update(np.concatenate([step[:3] / RADIUS_MM, step[3:]]), centre)


def _starts() -> list[NDArray[np.float64]]:
    """The header's answer, and six that are turned about and shifted along one axis."""
    starts = [np.zeros(6)]
    for axis in range(3):
        for sign in (-1.0, 1.0):
            start = np.zeros(6)
            start[axis], start[3 + axis] = 0.5 * sign * STARTS_MM, sign * STARTS_MM
            starts.append(start)
    return starts


def _search(cost: _Cost, start: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """The nearest minimum: a simplex of `reach` mm, then along the axes."""
    # Grey levels make the cost a staircase, which has no gradient.
    simplex = np.vstack([start, start + reach * np.eye(6)])
    found = minimize(
        cost, start, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.2, "fatol": 1e-5, "maxfev": 600},
    )  # fmt: skip
    found = minimize(
        cost, found.x, method="Powell", options={"xtol": 0.05, "ftol": 1e-5, "maxfev": 600}
    )
    return np.asarray(found.x, np.float64)


def _apart(
    one: NDArray[np.float64], other: NDArray[np.float64], centre: NDArray[np.float64]
) -> float:
    """Greatest distance, mm, between two answers at the corners of a head's cube."""
    signs = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    corners = centre + RADIUS_MM / np.sqrt(3) * signs
    first, second = (
        apply_affine(back, corners) for back in (_back(one, centre), _back(other, centre))
    )
    return float(np.linalg.norm(first - second, axis=1).max())
