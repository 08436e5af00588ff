"""Whether a scan shows a face: one measure and one set of bounds for study, protection and audit.

Each region of the face counts by what it gives a recogniser, as far as it can be seen. Study and
protection ask for skin near the fitted head (`find_presence`), the audit for skin that faces
outwards, or a surface parallel to it (`faceblind.attacks.region_presence`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from faceblind.errors import ScanError
from faceblind.head.alignment import Alignment
from faceblind.head.skin import Skin
from faceblind.scan import Scan

IMPORTANCE = {
    "brow": 0.16, "eyes": 0.22, "nose": 0.24, "mouth": 0.16, "chin": 0.08, "cheeks": 0.14,
}  # fmt: skip
"""What each region gives a recogniser; eyes and nose most (the parts that aligned crops centre
on), sums to 1."""
_NEAR_MM = 5.0
"""A place of the face has skin if some is this near, as where `Alignment.support` is measured."""


@dataclass(frozen=True)
class FaceBounds:
    """Shares of a face, 0 to 1, by which all verbs say whether a scan shows one.

    Parameters
    ----------
    whole : float
        From here on a face is whole: a fit that used it is not doubted. Intact faces of 12 real
        scans have 0.83 and more.
    gone : float
        Below it, skin near the fitted head does not make a face: it was taken out before, and the
        scan is neither searched nor protected. Eight scans that we or others defaced have 0.27
        and less.
    none : float
        Below it, skin that faces outwards is no face: the bound from which an audit fails.
    least_seen : float
        Share of the face that must lie in the field of view before anything is said of it.
    """

    whole: float = 0.75
    gone: float = 0.45
    none: float = 0.25
    least_seen: float = 0.2


BOUNDS = FaceBounds()
"""The bounds of every verb."""


@dataclass(frozen=True)
class Presence:
    """How much of a face a scan shows.

    Parameters
    ----------
    share : float
        Of the face in the field of view, what has skin; 0 to 1.
    seen : float
        Share of the face in the field of view, 0 to 1.
    """

    share: float
    seen: float

    @property
    def is_gone(self) -> bool:
        """Whether the head has no face where its field of view should show one."""
        return self.seen >= BOUNDS.least_seen and self.share < BOUNDS.gone


def weigh(shown: Mapping[str, float], seen: Mapping[str, float]) -> Presence:
    """Put the regions of a face together by their `IMPORTANCE`.

    Parameters
    ----------
    shown : mapping of str to float
        For each region, the share of all its surface that shows.
    seen : mapping of str to float
        For each region, the share of all its surface in the field of view.
    """
    whole = sum(weight * seen[name] for name, weight in IMPORTANCE.items())
    part = sum(weight * shown[name] for name, weight in IMPORTANCE.items())
    return Presence(part / whole if whole > 1e-6 else 0.0, whole)


def find_presence(alignment: Alignment) -> Presence:
    """How much of a face lies on the skin that an alignment was fitted to."""
    return weigh(alignment.support, alignment.seen)


def presence_of_moved(alignment: Alignment, skin: Skin, scan: Scan) -> Presence:
    """How far a scan's own skin bears out a face that another scan's alignment puts there.

    Parameters
    ----------
    alignment : Alignment
        Of another scan of the same head, moved to this one.
    skin : Skin
        Of this scan, RAS+ mm.
    scan : Scan
    """
    template, places = alignment.template, alignment.fitted()
    index = scan.index(places)
    inside = np.asarray(((index >= 0) & (index <= np.asarray(scan.shape) - 1)).all(axis=1), bool)
    face = np.asarray(inside & template.region(*IMPORTANCE), bool)
    near = np.zeros(len(places), bool)
    if face.any():
        tree = cKDTree(skin.points[~skin.edge])
        away, _ = tree.query(places[face], distance_upper_bound=_NEAR_MM)
        near[face] = np.isfinite(away)
    shown = {name: float(near[template.region(name)].mean()) for name in IMPORTANCE}
    seen = {name: float(inside[template.region(name)].mean()) for name in IMPORTANCE}
    return weigh(shown, seen)


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
