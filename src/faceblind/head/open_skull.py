"""The inside of a skull as dark as air that a cut has opened.

Cavities are filled where air cannot come in. Behind a cut through such a skull it can, and what is
left of the head would fall into a thin shell of scalp and a loose brain.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import ndimage

from faceblind.geometry.grid import Mask

DIRECTIONS = 5
"""Of six along the grid's axes, in which the head lies: fewer below the chin, behind the nape and
before a face; a cut opens one side."""
LEAST_LITRES = 0.1
"""Of the space: an open mouth with nose and sinuses has less."""
LEAST_EXTENT_MM = 90.0
"""Along two axes at least: the space goes round a brain."""


def open_skull(head: Mask, filled: Mask, spacing_mm: float) -> Mask:
    """The dark space that the head surrounds though air can come in.

    Parameters
    ----------
    head : (I, J, K) bool ndarray
        What is brighter than air.
    filled : (I, J, K) bool ndarray
        The same with the cavities that air cannot reach.
    spacing_mm : float
        Of the grid, the same along each axis.

    Returns
    -------
    (I, J, K) bool ndarray
        Nothing in a head whose skull is closed, or shows.
    """
    hits = np.zeros(head.shape, np.uint8)
    for axis in range(3):
        hits += _at_or_after(head, axis)
        hits += np.flip(_at_or_after(np.flip(head, axis), axis), axis)
    labels, count = ndimage.label((hits >= DIRECTIONS) & ~filled)
    if not count:
        return np.zeros_like(head)
    litres = np.bincount(labels.ravel()) * (spacing_mm**3 / 1e6)
    keep = litres >= LEAST_LITRES
    keep[0] = False
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        extents = sorted((side.stop - side.start) * spacing_mm for side in box)
        keep[index] &= extents[1] >= LEAST_EXTENT_MM
    return np.asarray(keep[labels])


def _at_or_after(mask: Mask, axis: int) -> Mask:
    """Whether a voxel, or any before it along an axis, lies in a mask."""
    out = mask.copy()
    planes = np.moveaxis(out, axis, 0)
    # Plane by plane: `numpy.logical_or.accumulate` takes four times as long.
    for before, plane in pairwise(planes):
        plane |= before
    return out
