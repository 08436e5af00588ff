"""How bright a scan is from place to place, whatever the tissue: the sensitivity of its coil.

Ten numbers for the whole head, and a smooth field beside what stays. Both say little of a person:
ten numbers bend over decimetres, and what lies beside the seam is in the scan anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.grid import blur
from faceblind.geometry.points import thin

LIMITS = (0.08, 6.0)
"""Of the field: surface coils make a chin ten times darker than the nape."""
SMOOTH_MM, GRID_MM = 22.0, 6.0
"""Width of the Gaussian for what ten numbers miss beside the skin that stays, and its grid."""
FAINT = 0.05
"""Share of the greatest weight below which that fades out: a few centimetres from what stays."""
_CELL_MM = 8.0
_UNIT_MM = 100.0
_ROUNDS, _HUBER = 8, 0.25
_LOW = np.array([-120.0, -140.0, -160.0])
_EXTENT_MM = np.array([240.0, 280.0, 320.0])
_WEIGHT = 0.02
"""Of the curvature against the samples' mean square: what no sample speaks of stays straight."""


@dataclass(frozen=True)
class Samples:
    """Signal of one kind of tissue.

    Parameters
    ----------
    places : (N, 3) float64 ndarray
        Template mm.
    signal : (N,) ndarray
        Over air.
    """

    places: NDArray[np.float64]
    signal: NDArray[np.floating]


@dataclass(frozen=True)
class CoilField:
    """Factors around 1 over a head.

    Parameters
    ----------
    terms : (9,) float64 ndarray
        Of the logarithm: linear and quadratic in decimetres.
    rest : (U, V, W) float32 ndarray
        What is added to the logarithm, on a grid of `GRID_MM` over a head's box.
    """

    terms: NDArray[np.float64]
    rest: NDArray[np.float32]

    def at(self, places: NDArray[np.floating]) -> NDArray[np.float32]:
        """(N,) factors at (N, 3) places, template mm."""
        log = _terms(places) @ self.terms
        index = (places - _LOW) / GRID_MM
        log += ndimage.map_coordinates(self.rest, index.T, order=1, mode="nearest")
        return np.exp(np.clip(log, *np.log(LIMITS))).astype(np.float32)


def fit_coil_field(tissues: list[Samples], beside: Samples) -> CoilField:
    """The field that explains how the brightness of each kind of tissue changes over a head.

    Parameters
    ----------
    tissues : list of Samples
        Each of one kind, whose own brightness is unknown; the field is about 1 where the first
        kind's typical signal is.
    beside : Samples
        Of the first kind, where it stays.

    Returns
    -------
    CoilField
    """
    rows, logs, kinds = [], [], []
    for kind, tissue in enumerate(tissues):
        log = _log(tissue.signal)
        good = np.isfinite(log)
        if good.sum() < 20:
            continue
        even = thin(tissue.places[good], _CELL_MM, np.zeros(3))
        rows.append(_terms(tissue.places[good][even]))
        logs.append(log[good][even])
        kinds.append(np.full(len(even), kind))
    if not rows:
        return CoilField(np.zeros(9), np.zeros(_size(), np.float32))
    found = _solved(np.concatenate(rows), np.concatenate(logs), np.concatenate(kinds))
    terms, level = found[:9], found[9]
    own = _log(beside.signal)
    good = np.isfinite(own)
    explained = _terms(beside.places[good]) @ terms + level
    rest = _smooth(beside.places[good], own[good] - explained)
    # About 1 at the typical sample of the first kind.
    centre = float(np.median(rows[0] @ terms))
    return CoilField(terms, (rest - np.float32(centre)).astype(np.float32))


def _log(signal: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) logarithms over the typical signal; not finite where there is none."""
    typical = float(np.median(signal)) if len(signal) else 0.0
    if typical <= 0.0:
        return np.full(len(signal), np.nan)
    return np.log(np.clip(signal.astype(np.float64) / typical, *LIMITS))


def _terms(places: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, 9) linear and quadratic terms of (N, 3) places."""
    x, y, z = places.T / _UNIT_MM
    return np.stack([x, y, z, x * x, y * y, z * z, x * y, x * z, y * z], axis=1)


def _solved(
    rows: NDArray[np.float64], logs: NDArray[np.float64], kinds: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(9 + K,) terms and the levels of K kinds, by least squares that outliers do not move."""
    present = np.unique(kinds)
    levels = (kinds[:, None] == present).astype(np.float64)
    matrix = np.concatenate([rows, levels], axis=1)
    held = np.zeros(matrix.shape[1])
    held[3:9] = _WEIGHT
    weight = np.ones(len(logs))
    found = np.zeros(matrix.shape[1])
    for _ in range(_ROUNDS):
        weighted = matrix * weight[:, None]
        square = weighted.T @ matrix / len(logs) + np.diag(held) * weight.mean()
        found = np.linalg.solve(square + 1e-9 * np.eye(len(square)), weighted.T @ logs / len(logs))
        off = np.abs(logs - matrix @ found)
        weight = np.minimum(1.0, _HUBER / np.maximum(off, 1e-9))
    return np.asarray(found, np.float64)


def _size() -> tuple[int, int, int]:
    a, b, c = (int(n) for n in np.ceil(_EXTENT_MM / GRID_MM))
    return a, b, c


def _smooth(places: NDArray[np.float64], logs: NDArray[np.float64]) -> NDArray[np.float32]:
    """What is left of logarithms at places, smooth, on the grid; 0 far from them."""
    size = _size()
    index = np.rint((places - _LOW) / GRID_MM).astype(int)
    good = ((index >= 0) & (index < size)).all(axis=1)
    flat, count = np.ravel_multi_index(tuple(index[good].T), size), int(np.prod(size))
    weight = np.bincount(flat, minlength=count).reshape(size).astype(np.float32)
    total = np.bincount(flat, logs[good], count).reshape(size).astype(np.float32)
    sigma = np.full(3, SMOOTH_MM / GRID_MM)
    weight, total = blur(weight, sigma), blur(total, sigma)
    least = FAINT * max(float(weight.max()), 1e-12)
    return np.asarray(total / (weight + np.float32(least)), np.float32)
