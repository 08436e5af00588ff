"""Where the template's cut or face lies in a head, fitted to what a surface shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from faceblind.geometry.transforms import rotation_matrices
from faceblind.protect.placement import Placement, placement_of

STEP_MM = 7.0
"""One place of the face in each cube of this size takes part in a fit."""
USUAL = np.array([0.1, 0.1, 0.1, 8.0, 8.0, 8.0, 0.013, 0.013, 0.013, 0.025, 0.06, 2.0, 1.5])
"""By how much a head usually was misplaced: turn in radians, shift in mm and size along three axes;
for the cut, its size, pitch, and shifts forward and up within the head, too."""
_DIFFERENCE = 0.05
"""Share of the usual by which a slope is measured: fields are single precision on a grid of 2 mm,
so that the slopes of much smaller steps would be those of rounding."""

Fitted = TypeVar("Fitted")


def moved_head(start: Placement, step: NDArray[np.float64]) -> Placement:
    """Placements that differ by (..., 9) turns, shifts and sizes, in the units of `USUAL`."""
    turn = rotation_matrices(step[..., :3]) @ start.turn
    anchor = start.anchor + (start.turn.T @ step[..., 3:6, None])[..., 0]
    return placement_of(start.scales * np.exp(step[..., 6:9]), turn, anchor)


def fitted(
    moved: Callable[[NDArray[np.float64]], Fitted],
    residual: Callable[[Fitted], NDArray[np.float64]],
    first: NDArray[np.float64],
    reach: NDArray[np.float64],
    scales: Sequence[float],
    held: float,
) -> Fitted:
    """What is made of those numbers, within reach of none, that leave the smallest residuals.

    About as many numbers as the protection has: they cannot bend the template into a person.

    Parameters
    ----------
    moved : callable
        Of (K, C) numbers in the units of `USUAL`, gives a stack of what lies so; of (C,) numbers,
        the thing itself.
    residual : callable
        Of a stack, gives (K, N) mm. Many at once cost little more than one.
    first : (C,) float64 ndarray
        Where the search begins.
    reach : (C,) float64 ndarray
        The most that each number may be.
    scales : sequence of float
        Residuals that count as large (Cauchy loss), mm, one search after the other.
    held : float
        What a usual amount weighs against a residual of one scale.
    """
    count = len(first)
    usual = USUAL[:count]

    def costs(steps: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
        unusual = steps - 1.0
        found = residual(moved(unusual * usual)) / scale
        return np.concatenate([found, held * unusual], axis=1)

    def cost(step: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
        return costs(step[None], scale)[0]

    def slope(step: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
        part = _DIFFERENCE * np.eye(count)
        beside = costs(np.concatenate([step + part, step - part]), scale)
        return (beside[:count] - beside[count:]).T / (2.0 * _DIFFERENCE)

    # In usual amounts, counted from 1: a search that starts at 0 itself would begin with steps
    # of no size.
    step = 1.0 + first / usual
    bounds = (1.0 - reach / usual, 1.0 + reach / usual)
    for scale in scales:
        step = least_squares(
            cost, step, slope, bounds, loss="cauchy", max_nfev=12, args=(scale,)
        ).x  # fmt: skip
    return moved((step - 1.0) * usual)
