"""How much the cut rises or sinks over one person's forehead, in few coarse numbers.

What moving the whole cut leaves to do over the forehead is done by a field so smooth and so coarse
that it says little of the person: fifteen whole millimetres, the same left and right, most of them
the usual ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.geometry.arrays import smooth_step
from faceblind.geometry.interpolation import trilinear_on_grid

FADE_LOW_MM, FADE_MM = 8.0, 22.0
"""Template height from which, and over how much, the cut may be lifted or sunk."""
LIFT_MM, SINK_MM = 10.0, 6.0
"""By how much, at most."""
MOST_LIFT_MM = 20.0
"""By how much in a small child, whose brain is large for the head that the cut is made for."""
_LIFT_X = (0.0, 40.0, 62.0)
_LIFT_Z = (20.0, 36.0, 52.0, 68.0, 84.0)
USUAL_LIFT_MM = np.array(
    [[5.0, 3.0, 6.0, 5.0, 4.0], [8.0, 10.0, 5.0, 4.0, 2.0], [2.0, 2.0, 0.0, 0.0, 0.0]]
)
"""The lift that tells nobody, found on 60 synthetic adults: from here most nodes need not move.
Zero suits few."""


def lift_weights(where: NDArray[np.float64]) -> NDArray[np.float64]:
    """(U, V, N) weights of the lift's nodes at (N, 3) places, template mm of the cut.

    Bilinear, fading out below the brow, where bone and air cover the brain.
    """
    across = hats(np.abs(where[:, 0]), _LIFT_X)
    upwards = hats(where[:, 2], _LIFT_Z)
    return across[:, None] * upwards[None] * free_share(where[:, 2])


def free_share(height: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) share of its lift that a cut has at (N,) template heights, mm: none below the brow."""
    return smooth_step((height - FADE_LOW_MM) / FADE_MM)


def hats(values: NDArray[np.float64], nodes: tuple[float, ...]) -> NDArray[np.float64]:
    """(len(nodes), N) weights of a piecewise linear interpolation, constant beyond the ends."""
    return np.array([np.interp(values, nodes, row) for row in np.eye(len(nodes))])


def lift_at(where: NDArray[np.float64], lift_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how much the cut is lifted, or sunk where negative.

    Parameters
    ----------
    where : (N, 3) ndarray
        Template mm.
    lift_mm : (3, 5) ndarray
        See `faceblind.protect.cut_fit.fit_cut`.

    Returns
    -------
    (N,) float64 ndarray
        Millimetres.
    """
    return np.einsum("abn,ab->n", lift_weights(where), lift_mm)


def lift_on_grid(
    affine: NDArray[np.float64], shape: tuple[int, ...], lift_mm: NDArray[np.float64]
) -> NDArray[np.float32]:
    """`lift_at` on a whole grid, from a table in steps of a millimetre.

    Parameters
    ----------
    affine : (4, 4) float64 ndarray
        Index of the grid to template mm.
    shape : tuple of int
    lift_mm : (3, 5) ndarray
        See `faceblind.protect.cut_fit.fit_cut`.

    Returns
    -------
    float32 ndarray of `shape`
        Millimetres.
    """
    if not lift_mm.any():
        return np.zeros(shape, np.float32)
    # All nodes lie on whole millimetres, beyond the outermost of them nothing changes, and what
    # is the same from front to back needs one row of the table.
    wide, top = int(_LIFT_X[-1]), int(_LIFT_Z[-1])
    across, upwards = np.arange(-wide, wide + 1), np.arange(int(FADE_LOW_MM), top + 1)
    x, z = np.meshgrid(across, upwards, indexing="ij")
    where = np.stack([x.ravel(), np.zeros(x.size), z.ravel()], axis=1).astype(np.float64)
    table = lift_at(where, lift_mm).astype(np.float32).reshape(len(across), 1, len(upwards))
    index = affine.copy()
    index[:3, 3] += (wide, 0.0, -FADE_LOW_MM)
    i, j, k = np.ogrid[tuple(slice(n) for n in shape)]
    raised = index[2, 0] * i + index[2, 1] * j + index[2, 2] * k > -index[2, 3]
    return trilinear_on_grid(table, index, shape, raised)
