"""The volumes of a series besides the one that leads it, each at its own place.

A head that moved between two volumes shows its face where the first one has air, so that every
volume is moved to where the leading one has its head before it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.attacks.darkened import face_voxels
from faceblind.attacks.surface import Surface
from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import template_fields
from faceblind.head.motion import How, Motion, around, follow
from faceblind.head.reference_volume import at_time, volumes
from faceblind.scan import Scan

LOOKED_AT = 10
"""Volumes that are looked at besides the leading one, at most: those that show most."""

BESIDE_BRAIN_MM = 6.0
"""How far around the brain volumes are compared: no protection reaches there."""
SAME_CUT_MM = 3.0
"""Distance by which tissue may lie further out than the cut in the leading volume: more is not cut.
A voxel of the coarsest series, and what placing a volume may miss."""

UNSURE = (How.STILL, How.LOST)
"""Volumes that were not registered to any other with confidence."""


@dataclass(frozen=True)
class Later:
    """A volume to be looked at.

    Parameters
    ----------
    scan : Scan
        Of one volume, with an affine that puts its head where the leading volume has it.
    placed : bool
        Whether that is sure; else its own evidence must tell where its head is, too.
    """

    scan: Scan
    placed: bool


def followed(scan: Scan, lead: int, alignment: Alignment) -> Motion | None:
    """Where the head lies in each volume of a series; None for single volumes.

    Parameters
    ----------
    scan : Scan
    lead : int
    alignment : Alignment
        Of the leading volume.
    """
    if volumes(scan) == 1:
        return None
    places = around(alignment)
    inside = template_fields().at("brain", apply_affine(alignment.scan_to_template, places))
    # A cut that lies in one place in all volumes would hold them there.
    return follow(scan, lead, places[inside > -BESIDE_BRAIN_MM], whole_heads=False)


def later_volumes(
    scan: Scan, lead: int, alignment: Alignment, motion: Motion | None
) -> list[Later]:
    """The volumes with the most signal where the face is or was, each in the leader's place.

    Those whose head is not found come first, then at least one of each place in which it lies.

    Parameters
    ----------
    scan : Scan
        A series; of single volumes, nothing is given.
    lead : int
    alignment : Alignment
        Of the leading volume.
    motion : Motion or None
        Of `followed`.
    """
    if motion is None:
        return []
    signal: dict[int, float] = {}
    placed: dict[int, Scan] = {}
    order: list[int] = []
    for move, times in motion.groups():
        affine = move @ scan.affine
        at = tuple(face_voxels(Scan(scan.volume(lead), affine), alignment).T)
        for t in times:
            if t != lead:
                volume = at_time(scan, t)
                placed[t] = Scan(volume.voxels, affine, scan.modality, scan.source)
                signal[t] = _signal(volume.voxels, at)
        others = [t for t in times if t in signal]
        if others:
            order.append(max(others, key=lambda t: signal[t]))
    lost = [t for t in signal if motion.how[t] in UNSURE]
    ranked = sorted(signal, key=lambda t: -signal[t])
    chosen = list(dict.fromkeys([*lost, *sorted(order, key=lambda t: -signal[t]), *ranked]))
    return [Later(placed[t], motion.how[t] not in UNSURE) for t in chosen[:LOOKED_AT]]


def same_cut(
    known: NDArray[np.bool_] | None, lead: Surface, other: Surface
) -> NDArray[np.bool_] | None:
    """Vertices of our own cut in the leading volume beyond which another shows no more tissue.

    Parameters
    ----------
    known : (P,) bool ndarray or None
    lead, other : Surface
        At the same alignment.
    """
    if known is None:
        return None
    more = other.offset > np.nan_to_num(lead.offset, nan=-np.inf) + SAME_CUT_MM
    return known & ~more


def _signal(volume: NDArray[np.generic], at: tuple[NDArray[np.int64], ...]) -> float:
    """Mean signal in the face, as a share of what is bright in the volume."""
    if not len(at[0]):
        return 0.0
    some = np.abs(np.asarray(volume[::3, ::3, ::3], np.float64))
    bright = float(np.quantile(some, 0.95)) if some.size else 0.0
    here = float(np.abs(np.asarray(volume[at], np.float64)).mean())
    return here / bright if bright > 0 else 0.0
