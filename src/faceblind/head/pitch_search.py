"""A head's pitch and shift, and the search for the best of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from faceblind.geometry.icp import rigid_update
from faceblind.head.brain_cover import PIVOT


def pitch_step(step: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) template mm to template mm: a pitch in degrees, then shifts forwards and up, mm."""
    return rigid_update(np.array([np.radians(step[0]), 0.0, 0.0, 0.0, step[1], step[2]]), PIVOT)


def nearest_minimum(
    cost: Callable[[NDArray[np.float64]], float], start: NDArray[np.float64], reach: float
) -> NDArray[np.float64]:
    """The (3,) step of the nearest minimum, from a simplex of `reach` degrees and millimetres."""
    simplex = start + np.vstack([np.zeros(3), reach * np.eye(3)])
    found = minimize(
        cost, start, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.1, "fatol": 1e-5, "maxfev": 120},
    )  # fmt: skip
    return np.asarray(found.x, np.float64)
