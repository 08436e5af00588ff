"""What an alignment says of the face in a scan: whether it is there, and where its points lie."""

from __future__ import annotations

import numpy as np

from faceblind.head.align import Alignment
from faceblind.scan import Scan

_FEATURES = ("brow", "eyes", "nose", "mouth")
_GONE = 0.45
"""Share of brow, eyes, nose and mouth with skin below which a face was taken out before: scans with
a face had 0.66 or more, one defaced by its authors 0.05, and one of ours, which kept the skin of
the brow because the brain is near, 0.30."""


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


def face_is_gone(alignment: Alignment) -> bool:
    """Whether the head has no face where its field of view should show one."""
    seen = [name for name in _FEATURES if alignment.seen[name] > 0.5]
    if len(seen) < 2:
        return False
    share = [alignment.support[name] / alignment.seen[name] for name in seen]
    return float(np.mean(share)) < _GONE
