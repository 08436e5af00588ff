"""How far a cut or a new face of ours lies from where the head wants it."""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.attacks.own_protection.find import OwnProtection
from faceblind.head.alignment import Alignment

BROW_MM = np.array([0.0, 95.0, 25.0])
"""Template mm at which the place of a cut or a new face is compared with the brain's."""
USUAL_CUT_MM, USUAL_FACE_MM = np.array([0.0, -0.5, -3.0]), np.array([0.0, -1.5, 1.0])
"""Where they usually lie there, template mm from the brain's: the means of sixteen and of eight
heads that we protected."""


def apart_mm(one: Alignment, other: Alignment) -> float:
    """Distance between where two alignments of a scan have the middle of the face, mm."""
    template = one.template
    middle = template.points[template.region("eyes", "nose")].mean(axis=0).astype(np.float64)
    here, there = (apply_affine(np.linalg.inv(a.scan_to_template), middle) for a in (one, other))
    return float(np.linalg.norm(here - there))


def aside_mm(known: OwnProtection, inside: Alignment) -> float:
    """How far our cut or our face lies from where the brain has the brow, mm.

    Forwards and upwards only: to the sides, the scalp tells better.

    Parameters
    ----------
    known : OwnProtection
        Which tells the place of what faceblind put there.
    inside : Alignment
        Of the same scan, by its brain.
    """
    return float(np.linalg.norm(_off_mm(known, inside.scan_to_template)))


def short_mm(known: OwnProtection, scan_to_template: NDArray[np.float64]) -> float:
    """How far forwards and downwards our cut or our face lies from where the brow should be, mm.

    Along the diagonal of the two, as only what lies above and behind a protection is left: below
    zero where it covers more than it needs to.

    Parameters
    ----------
    known : OwnProtection
    scan_to_template : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm, by anything that the protection does not draw along.
    """
    forwards, upwards = _off_mm(known, scan_to_template)
    return float((forwards - upwards) / np.sqrt(2.0))


def _off_mm(known: OwnProtection, scan_to_template: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2,) by how much our protection lies forwards and upwards of its usual place, template mm."""
    if known.place is not None:
        from_scan, usual = known.place.scan_to_cut, USUAL_CUT_MM
    elif known.face_at is not None:
        from_scan, usual = known.face_at.scan_to_face, USUAL_FACE_MM
    else:
        return np.zeros(2)
    there = apply_affine(scan_to_template @ np.linalg.inv(from_scan), BROW_MM)
    return np.asarray((there - BROW_MM - usual)[1:], np.float64)
