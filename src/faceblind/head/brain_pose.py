"""Where a head lies by its brain alone: place, turn and size, without a look at the face.

Scalps are nearly round. Where the face is missing, a template fitted to the scalp of a real head
is turned by up to 35 degrees. The average brain is moved until its tissues explain most of what
changes quickly in the scan, relative to its surroundings: coils that shade the scan, and contrasts,
make no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.optimize import minimize

from faceblind.geometry.icp import rigid_update
from faceblind.head.brain_estimate import brain_surface
from faceblind.head.brain_evidence import Changes, Fast, Tissue, deep_brain, whole_brain
from faceblind.head.segmentation import HeadMask
from faceblind.scan import Scan

LEAST_SHARE = 0.1
"""Share of the brain's fast changes that the average brain must explain for its place to be worth
a try: 0.16 and more in sixteen scans (T1w, T2w, PDw, CT, slices up to 5 mm)."""
LEAST_DEEP = 0.05
"""The same below the cortex, for its place to be believed: 0.10 and more in eleven scans. Where
grey and white matter look alike (0.003 in a PDw and a CT scan) only the brain's outline tells, and
it told a simulated CT's place wrong by 25 mm."""
OFFSET_MM = np.array([0.0, 0.0, 2.5])
"""What the brow's place by the brain lies too low, template mm: the mean of sixteen scans
whose faces tell, with standard deviations of 2.6 mm forwards and 2.3 mm upwards."""
CENTRE = np.array([0.0, 20.0, 30.0])
"""Template mm about which a head is turned and scaled, within the brain."""
RADIUS_MM = 80.0
"""Turns and sizes are searched in millimetres at this distance."""
USUAL_MM = np.array([10.0, 4.0, 4.0, 6.0, 10.0, 10.0, 4.0, 4.0, 4.0])
"""By how much a head found by its scalp is usually wrong: turns about x, y, z, shifts and sizes
along them."""
HELD = 0.002
"""What a usual amount costs, as a share of the brain's changes."""
SOFT_MM, SHARP_MM = 3.0, 2.0
_FEW, _MANY = 2500, 6000
_ROUGH, _FINE = (0.5, 1e-3), (0.1, 1e-4)
"""Tolerances of the two searches, mm and share of the cost. Finer ones moved the brow by 0.3 mm at
most in twenty heads and cost half as much again."""
_LEAST_OVERLAP = 0.3


@dataclass(frozen=True)
class BrainPose:
    """A head as its brain has it.

    Parameters
    ----------
    scan_to_template : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm.
    share, deep_share : float
        Of the brain's fast changes that the average brain explains there, 0 to 1; and of those
        below the cortex.
    """

    scan_to_template: NDArray[np.float64]
    share: float
    deep_share: float

    @property
    def is_likely(self) -> bool:
        """Whether the place is worth a try."""
        return self.share >= LEAST_SHARE

    @property
    def is_sure(self) -> bool:
        """Whether the brain tells where the head lies."""
        return self.is_likely and self.deep_share >= LEAST_DEEP

    def surface(self, out_mm: float = 0.0) -> NDArray[np.float64]:
        """(N, 3) scan mm of the average brain's surface, where this brain lies.

        Parameters
        ----------
        out_mm : float
            So far outside of it, template mm.
        """
        to_brain = np.array(self.scan_to_template)
        to_brain[:3, 3] += OFFSET_MM
        return apply_affine(np.linalg.inv(to_brain), brain_surface(out_mm))


def find_brain_pose(scan_to_template: NDArray[np.float64], scan: Scan, head: HeadMask) -> BrainPose:
    """Move a head so that its brain lies where the scan has one.

    Parameters
    ----------
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm, by the scalp; it may be turned by some 35 degrees.
    scan : Scan
        Of a series, the first volume is used.
    head : HeadMask
        Of the same scan.

    Returns
    -------
    BrainPose
        Ask `is_sure` before use.
    """
    to_scan = np.asarray(np.linalg.inv(scan_to_template), np.float64)
    step = np.zeros(9)
    tissue = whole_brain()
    changes = Changes.of(scan, head, relative=True)
    for count, smooth_mm, (xtol, ftol) in ((_FEW, SOFT_MM, _ROUGH), (_MANY, SHARP_MM, _FINE)):
        fast = changes.smoothed(smooth_mm)
        some = Tissue(tissue.places[:count], tissue.shares[:count])
        cost = partial(_cost, tissue=some, fast=fast, to_scan=to_scan)
        step = minimize(
            cost, step, method="Powell", options={"xtol": xtol, "ftol": ftol, "maxfev": 1500}
        ).x
    share, deep_share = (-_cost(step, one, fast, to_scan, held=0.0) for one in (some, deep_brain()))
    lift = np.eye(4)
    lift[:3, 3] = -OFFSET_MM
    return BrainPose(
        np.asarray(lift @ np.linalg.inv(to_scan @ _moved(step)), np.float64), share, deep_share
    )


def _moved(step: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) template mm to template mm of nine numbers in the units of `USUAL_MM`."""
    size = np.eye(4)
    size[:3, :3] = np.diag(np.exp(step[6:9] / RADIUS_MM))
    size[:3, 3] = CENTRE - size[:3, :3] @ CENTRE
    turn = rigid_update(np.concatenate([step[:3] / RADIUS_MM, step[3:6]]), CENTRE)
    return np.asarray(turn @ size, np.float64)


def _cost(
    step: NDArray[np.float64],
    tissue: Tissue,
    fast: Fast,
    to_scan: NDArray[np.float64],
    held: float = HELD,
) -> float:
    found, mixture = fast.at(fast.to_index @ to_scan @ _moved(step), tissue)
    if len(found) < _LEAST_OVERLAP * len(tissue.places):
        return 1.0
    price = held * float(((step / USUAL_MM) ** 2).sum())
    return price - mixture.explained(found)
