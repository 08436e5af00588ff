"""The brain where a cut laid it open, told from the skin of the person's brow.

Behind a cut lie bone and an empty sinus, as dark as air, and then the brain: where they end, it has
the scanner's own edge, like skin. But below skin follows bone, and below the brain's surface brain.
"""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.attacks.locate import LocatedHead
from faceblind.attacks.surface import Surface
from faceblind.geometry.points import thin
from faceblind.head.skin import Skin
from faceblind.head.skin_profile import values_along
from faceblind.scan import Scan

DEEP_MM = 8.0
"""Depth under the fitted head from which a surface may be the brain's: 10 to 28 mm in eight heads
that we cut."""
LEAST_BELOW = 0.6
"""Least brightness from `BELOW_MM` down to `DOWN_MM` below the brain, against what lies `FIRST_MM`
below: 0.7 and more in four real scans; 0.5 and less below skin where bone is dark."""
BELOW_MM, DOWN_MM, FIRST_MM = 2.0, 15.0, (0.75, 3.0)
MOST_SCALP, MARGIN, DARKEST = 0.85, 0.05, 0.9
"""It must be brighter by `MARGIN` than below this share, `DARKEST`, of the scan's own scalp: slices
of 5 mm blur bone. Where the scalp has more than `MOST_SCALP`, bone is not dark enough to tell
anything: in CT, and in a scan without contrast between bone and the rest."""
BEHIND_MM, ABOVE_MM = 20.0, 20.0
"""Template mm: skin behind and above is scalp that no protection reaches."""
FACES_BACK = 0.7
"""Cosine between the way out of that scalp and the way back: thick slices blur bone along one axis
only, which is that of the brow, too."""
FEWEST = 30
_SPACING_MM, _EVERY_MM, _NEIGHBOURS = 1.5, 8.0, 20
_STEPS = np.arange(0.0, DOWN_MM + 0.1, 0.75)


def without_brain(
    shows: NDArray[np.bool_],
    surface: Surface,
    skin: Skin,
    placed: LocatedHead,
    scan: Scan,
    air_level: float,
) -> NDArray[np.bool_]:
    """(P,) `shows` without vertices of the brow at which brain, not skin, is what a cut left.

    Parameters
    ----------
    shows : (P,) bool ndarray
        Vertices of the template at which a surface has the scanner's own edge.
    surface : Surface
        Of `skin`, measured with the alignment of `placed`.
    skin : Skin
        Of the scan, or of the scan once a new face is cut off.
    placed : LocatedHead
        The head as it was found in the scan.
    scan : Scan
        That was looked at.
    air_level : float
        Of `scan`.
    """
    deep = np.nan_to_num(surface.offset, nan=0.0) < -DEEP_MM
    rows = np.flatnonzero(shows & deep & placed.alignment.template.region("brow"))
    least = least_below_brain(placed, scan, air_level) if len(rows) else None
    if least is None:
        return shows
    left = shows.copy()
    left[rows] = brightness_below(surface.points[rows], skin, scan, air_level) <= least
    return left


def least_below_brain(placed: LocatedHead, scan: Scan, air_level: float) -> float | None:
    """Brightness from which what lies below a surface is no bone; None where bone is not dark.

    Parameters
    ----------
    placed, scan, air_level
        As for `without_brain`.
    """
    skin, alignment = placed.skin, placed.alignment
    where = apply_affine(alignment.scan_to_template, skin.points)
    back = -np.linalg.inv(alignment.scan_to_template_rigid)[:3, 1]
    scalp = (where[:, 1] < BEHIND_MM) & (where[:, 2] > ABOVE_MM) & ~skin.edge
    scalp &= skin.normals @ back > FACES_BACK
    rows = np.flatnonzero(scalp)
    rows = rows[thin(skin.points[rows], _EVERY_MM)]
    if len(rows) < FEWEST:
        return None
    below = brightness_below(skin.points[rows].astype(np.float64), skin, scan, air_level)
    least = max(LEAST_BELOW, float(np.quantile(below, DARKEST)) + MARGIN)
    return least if least <= MOST_SCALP else None


def brightness_below(
    points: NDArray[np.float64], skin: Skin, scan: Scan, air_level: float
) -> NDArray[np.float64]:
    """(N,) the darkest of what lies below places of a surface, against the brightest just below.

    Parameters
    ----------
    points : (N, 3) float64 ndarray
        Scan RAS+ mm, on `skin`.
    skin : Skin
        Whose profiles around each place are averaged.
    scan : Scan
    air_level : float
        Of `scan`.
    """
    some = thin(skin.points, _SPACING_MM)
    tree = cKDTree(skin.points[some])
    near = np.asarray(tree.query(points, k=min(_NEIGHBOURS, len(some)))[1]).reshape(len(points), -1)
    asked, back = np.unique(near, return_inverse=True)
    chosen = some[asked]
    places, normals = (a[chosen].astype(np.float64) for a in (skin.points, skin.normals))
    values = values_along(scan, places, normals, _STEPS) - np.float32(air_level)
    profiles = np.median(values[back.reshape(near.shape)], axis=1)
    start, end, below = np.searchsorted(_STEPS, (*FIRST_MM, BELOW_MM))
    bright = np.maximum(profiles[:, start : end + 1].max(axis=1), 1e-6)
    return np.asarray(profiles[:, below:].min(axis=1) / bright, np.float64)
