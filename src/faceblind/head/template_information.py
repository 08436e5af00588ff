"""What an average head holds, and how much of a scan's grey levels that says."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.head.brain_cover import template_fields
from faceblind.head.registration import Levels, normalised_information

LEAST_OVERLAP = 0.4
"""Share of the places that must lie in the scan."""
_PLACES = 6000


@lru_cache(maxsize=1)
def contents() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(N, 3) places in and around the average brain, template mm, and their classes (N,)."""
    fields = template_fields()
    index = np.argwhere(fields.inside > 0)
    # Places in a grid's order repeat its rows; a drawn sample does not.
    index = index[np.random.default_rng(0).permutation(len(index))[:_PLACES]]
    classes = fields.inside[tuple(index.T)].astype(np.int64)
    return apply_affine(fields.affine, index), classes


def information(levels: Levels, scan_to_template: NDArray[np.float64]) -> float:
    """Normalised mutual information of an average head's contents and a scan, 1 to 2.

    Parameters
    ----------
    levels : Levels
        Of the scan.
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm.

    Returns
    -------
    float
        1 where too little lies in the scan.
    """
    places, classes = contents()
    found, seen = levels.at(apply_affine(np.linalg.inv(scan_to_template), places))
    if seen.mean() < LEAST_OVERLAP:
        return 1.0
    return normalised_information(classes[seen], found[seen])
