"""How far the region keeps from the average brain, and further where a head's own may lie nearer.

Over the forehead the cut is lifted. Below it and around the ears a head gets seven whole
millimetres, which say little of the person: the boundary there is the average brain's, enlarged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.geometry.arrays import smooth_step
from faceblind.protect.cut_lift import free_share, hats

BRAIN_MM = 1.0
"""Outside the average brain by this much, nothing is ever replaced."""
LOW_BRAIN_MM = 8.0
"""The same below the brow, where the brain is not measured. A cut that is not moved keeps 10 mm."""
EARS_FRONT_MM = 10.0
"""Behind this plane, template mm, the cut takes what it would unmoved, too: a pitch of the cut that
suits the forehead carries it past the ears."""
LIFTED_MM = 26.0
"""Template height from which the cut is lifted for a small head's brain; lower, where a lift fades
out, as much as the brain asks for there would leave the lids."""
_EARS_FADE_MM = 10.0
_LOW_TOP_MM, _LOW_FADE_MM = 30.0, 15.0
_MIDDLE_MM, _MIDDLE_FADE_MM = 30.0, 20.0
"""Where what is spared around the ears, below the forehead and in its middle ends, and over how
much it fades out; template mm."""

_BROW_HEIGHTS = (4.0, 16.0, 28.0)
"""Template mm: where it ends at the nasion, then the brow's lower and upper edge, in the middle."""
_EAR_HEIGHTS = (0.0, 20.0, 40.0)
"""Template mm: the canal, where ears are rooted, above it, and where they end beside the brain."""
_MOST_MM = 40.0
NOTHING_SPARED = (0.0,) * (1 + len(_BROW_HEIGHTS) + len(_EAR_HEIGHTS))
_ORBITS, CHILD_ORBITS_MM = 1, 4.0
"""Which of them keeps from the brain's floor behind the orbits, and how much that is in a small
child. No skin lies over the brain there: it was up to 8.6 mm (template) below the average one, and
a cut that pitches for a full forehead goes as deep."""


def brain_margin(height: NDArray[np.floating]) -> NDArray[np.float32]:
    """What is kept around the average brain, mm, at template heights."""
    return LOW_BRAIN_MM + (BRAIN_MM - LOW_BRAIN_MM) * free_share(height).astype(np.float32)


def before_orbits(where: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,) places under the brow, template mm: there the brain lies far behind, as in adults."""
    front = where[:, 1] > EARS_FRONT_MM
    return np.asarray(front & (where[:, 2] < _BROW_HEIGHTS[1]), np.bool_)


def spared(
    cut: NDArray[np.float32],
    brain: NDArray[np.float32],
    where: NDArray[np.float64],
    spared_mm: tuple[float, ...],
) -> NDArray[np.float32]:
    """Millimetres inside a region that keeps further from the average brain than usual.

    Parameters
    ----------
    cut : float32 ndarray of N elements
        Millimetres inside the usual region.
    brain : float32 ndarray in the shape of `cut`
        Depth inside the average brain, mm.
    where : (N, 3) float64 ndarray
        The places, template mm.
    spared_mm : tuple of float
        See `faceblind.protect.cut_fit.CutFit`.
    """
    if not any(spared_mm):
        return cut
    more = (np.array(spared_mm) @ _shares(where)).reshape(cut.shape)
    height = where[:, 2].reshape(cut.shape).astype(np.float32)
    kept = -brain_margin(height) - more.astype(np.float32) - brain
    return np.where(more > 0.0, np.minimum(cut, kept), cut)


def to_spare(
    cut: NDArray[np.float32],
    brain: NDArray[np.float32],
    where: NDArray[np.float64],
    orbits_mm: float = 0.0,
) -> tuple[float, ...]:
    """Few whole millimetres with which `spared` keeps out of places.

    Parameters
    ----------
    cut, brain : (N,) float32 ndarray
    where : (N, 3) float64 ndarray
        As for `spared`: what may be brain.
    orbits_mm : float
        What is spared behind the orbits, whole mm.

    Returns
    -------
    tuple of float
        At the sides below the forehead, in the middle there upwards from the orbits, and around the
        ears upwards.
    """
    entered = cut > 0.0
    shares = _shares(where[entered])
    lacks = -brain[entered] - brain_margin(where[entered, 2].astype(np.float32))
    # Where this fades out the cut is lifted.
    lacks = np.where(shares.sum(axis=0) > 0.99, lacks, 0.0)
    found = np.array(NOTHING_SPARED)
    found[_ORBITS] = orbits_mm
    while len(lacks):
        still = lacks - found @ shares
        worst = int(still.argmax())
        if still[worst] <= 0.0 or found.max() >= _MOST_MM:
            break
        found[shares[:, worst].argmax()] += 1.0
    return tuple(float(mm) for mm in found)


def _shares(where: NDArray[np.float64]) -> NDArray[np.float64]:
    """(7, N) how far places belong to what each number spares; below 1 in sum where that ends."""
    across, forward, height = np.abs(where[:, 0]), where[:, 1], where[:, 2]
    low = 1.0 - smooth_step((height - _LOW_TOP_MM) / _LOW_FADE_MM)
    middle = 1.0 - smooth_step((across - _MIDDLE_MM) / _MIDDLE_FADE_MM)
    ears = smooth_step((EARS_FRONT_MM + _EARS_FADE_MM - forward) / _EARS_FADE_MM)
    front = (1.0 - ears) * low
    return np.concatenate([
        [front * (1.0 - middle)],
        front * middle * hats(height, _BROW_HEIGHTS),
        ears * hats(height, _EAR_HEIGHTS),
    ])  # fmt: skip
