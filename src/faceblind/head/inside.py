"""How far a head nods, by what is inside it.

Scalps are nearly round. Where the face is missing, a template fitted to the scalp of a real head
nods by 6 to 22 degrees, and what is left of a face seems to lie elsewhere. The brain is not round:
the average head is turned and shifted until classes of what it holds say most of the scan's grey
levels (normalised mutual information, as `faceblind.head.register`), whatever the contrast.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from faceblind.head.align import Alignment, moved
from faceblind.head.brain import PIVOT
from faceblind.head.contents import information
from faceblind.head.icp import rigid_update
from faceblind.head.register import SOFT_MM, Levels
from faceblind.scan import Scan

OFFSET_MM = np.array([4.0, 2.0])
"""Forwards and up: where the search ends in intact scans, whose place the face tells (mean of nine
real ones, standard deviations 2 and 4 mm; the nod is off by 3 degrees in eight, 9 in one)."""
LEAST_INFORMATION = 1.03
"""Below it nothing of a brain is seen; noise gives 1.01, real scans 1.06 and more."""
_NODS = (-21.0, -15.0, -9.0, -3.0, 3.0, 9.0, 15.0, 21.0)
_SHIFTS_MM = (-8.0, 0.0, 8.0)
_SHARP_MM = 1.5


def nodded(alignment: Alignment, scan: Scan) -> Alignment | None:
    """The same head, turned about its ears and shifted forwards and up to fit its inside.

    Parameters
    ----------
    alignment : Alignment
        By the scalp: left and right, and the head's size, are kept.
    scan : Scan

    Returns
    -------
    Alignment or None
        None where the inside tells nothing.
    """
    to_scan = np.linalg.inv(alignment.affine)

    def cost(step: NDArray[np.float64], levels: Levels) -> float:
        return -information(levels, np.asarray(np.linalg.inv(to_scan @ _step(step)), np.float64))

    soft, sharp = (partial(cost, levels=Levels.of(scan, mm)) for mm in (SOFT_MM, _SHARP_MM))
    grid = np.stack(np.meshgrid(_NODS, _SHIFTS_MM, _SHIFTS_MM, indexing="ij"), -1).reshape(-1, 3)
    starts = grid[np.argsort([soft(step) for step in grid], kind="stable")[:3]]
    best = min((_search(soft, start, 4.0) for start in starts), key=soft)
    best = _search(sharp, best, 2.0)
    if -sharp(best) < LEAST_INFORMATION:
        return None
    best[1:] -= OFFSET_MM
    return moved(alignment, to_scan @ np.linalg.inv(_step(best)) @ alignment.affine)


def _step(step: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) template mm to template mm: a nod in degrees, then shifts forwards and up."""
    return rigid_update(np.array([np.radians(step[0]), 0.0, 0.0, 0.0, step[1], step[2]]), PIVOT)


def _search(cost: partial[float], start: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """The nearest minimum, from a simplex of `reach` degrees and millimetres."""
    simplex = start + np.vstack([np.zeros(3), reach * np.eye(3)])
    found = minimize(
        cost, start, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.1, "fatol": 1e-5, "maxfev": 120},
    )  # fmt: skip
    return np.asarray(found.x, np.float64)
