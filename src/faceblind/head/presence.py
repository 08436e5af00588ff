"""What an alignment says of the face in a scan: whether it is there, and where its points lie."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from faceblind.errors import ScanError
from faceblind.head.alignment import Alignment
from faceblind.head.skin import Skin
from faceblind.scan import Scan

_FEATURES = ("brow", "eyes", "nose", "mouth")
_GONE = 0.45
"""Share of brow, eyes, nose and mouth with skin below which a face was taken out before: scans with
a face had 0.66 or more, one defaced by its authors 0.05, and one of ours, which kept the skin of
the brow because the brain is near, 0.30."""
_NEAR_MM = 5.0
"""A place of the face has skin if some is this near, as where `Alignment.support` is measured."""


def face_is_gone(alignment: Alignment) -> bool:
    """Whether the head has no face where its field of view should show one."""
    seen = [name for name in _FEATURES if alignment.seen[name] > 0.5]
    if len(seen) < 2:
        return False
    share = [alignment.support[name] / alignment.seen[name] for name in seen]
    return float(np.mean(share)) < _GONE


def shows_face(alignment: Alignment, skin: Skin, scan: Scan) -> bool:
    """Whether a scan's own skin bears out a face that another scan's alignment puts there.

    Parameters
    ----------
    alignment : Alignment
        Of another scan of the same head, moved to this one.
    skin : Skin
        Of this scan, RAS+ mm.
    scan : Scan
    """
    template = alignment.template
    face = alignment.fitted()[template.region(*_FEATURES)]
    index = scan.index(face)
    face = face[((index >= 0) & (index <= np.asarray(scan.shape) - 1)).all(axis=1)]
    if not len(face):
        return False
    away, _ = cKDTree(skin.points[~skin.edge]).query(face, distance_upper_bound=_NEAR_MM)
    return float(np.isfinite(away).mean()) >= _GONE


def faceless(name: str) -> ScanError:
    """The error for a head that shows no face, which was taken out before or is dark.

    Never to be overruled: what lies over the brain is measured under the skin, and a head without a
    face is found less well. Cut a second time, two of seven synthetic heads and three of six real
    ones lost brain (20 to 12500 mm3).

    Parameters
    ----------
    name : str
        The scan's.
    """
    return ScanError(
        f"{name}: no face was found where the head has one: it was taken out before, is too dark "
        "to be seen, or something lies on it (gel pads, a mask); a cut could reach the brain, so "
        "protect the original, or this scan "
        "together with one of its session that shows the face"
    )
