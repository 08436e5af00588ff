"""Anatomical landmarks of the original head, for EEG and MEG."""

from __future__ import annotations

import numpy as np

from faceblind.head.alignment import Alignment
from faceblind.scan import Scan


def fiducials(scan: Scan, alignment: Alignment) -> dict[str, list[float]]:
    """Nasion and preauricular points of the original head, in BIDS' terms.

    Parameters
    ----------
    scan : Scan
    alignment : Alignment
        Of that scan.

    Returns
    -------
    dict of str to list of float
        ``NAS``, ``LPA``, ``RPA`` to voxel indices that count from 0, rounded to a tenth.
    """
    found = alignment.landmarks()
    names = {"NAS": "nasion", "LPA": "preauricular_left", "RPA": "preauricular_right"}
    index = scan.index(np.array([found[name] for name in names.values()]))
    return {key: [round(float(v), 1) for v in row] for key, row in zip(names, index, strict=True)}
