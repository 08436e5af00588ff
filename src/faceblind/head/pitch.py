"""How far a head nods, by what is inside it.

Scalps are nearly round. Where the face is missing, a template fitted to the scalp of a real head
nods by 6 to 22 degrees, and what is left of a face seems to lie elsewhere. The brain is not round:
the average head is turned and shifted until classes of what it holds say most of the scan's grey
levels (normalised mutual information, as `faceblind.head.registration`), whatever the contrast.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from faceblind.head.alignment import Alignment, moved
from faceblind.head.pitch_search import nearest_minimum, nod_step
from faceblind.head.registration import SOFT_MM, Levels
from faceblind.head.template_information import information
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
        return -information(levels, np.asarray(np.linalg.inv(to_scan @ nod_step(step)), np.float64))

    soft, sharp = (partial(cost, levels=Levels.of(scan, mm)) for mm in (SOFT_MM, _SHARP_MM))
    grid = np.stack(np.meshgrid(_NODS, _SHIFTS_MM, _SHIFTS_MM, indexing="ij"), -1).reshape(-1, 3)
    starts = grid[np.argsort([soft(step) for step in grid], kind="stable")[:3]]
    best = min((nearest_minimum(soft, start, 4.0) for start in starts), key=soft)
    best = nearest_minimum(sharp, best, 2.0)
    if -sharp(best) < LEAST_INFORMATION:
        return None
    best[1:] -= OFFSET_MM
    return moved(alignment, to_scan @ np.linalg.inv(nod_step(best)) @ alignment.affine)
