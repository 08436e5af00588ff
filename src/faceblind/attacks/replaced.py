"""Attack 4: is what shows the person's, or what faceblind itself puts there?

faceblind's own protection is public knowledge. Its cut is a surface of the template and its new
face is the template's, both placed by nine coarse numbers. Tissue that follows either of them says
nothing about the person, and is recognised here without the original. Another tool's average face
is not known, so that a face which is not ours counts as somebody's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from faceblind.attacks.surface import FACE, Surface
from faceblind.head.align import Alignment, thin
from faceblind.head.brain import template_fields
from faceblind.head.template import Template
from faceblind.scan import Scan

FACE_MM = 0.8
"""Distance from the template's skin that the new face keeps to, voxels of 2 mm included. Wider, an
average-looking person would pass for the template."""
CUT_MM = 1.0
"""Distance from the cut that voxels of 1 mm leave to what ends at it."""
CUT_VOXELS = 0.8
"""The same in voxels, for coarser scans: their border is a staircase."""
ENOUGH_CUT = 0.6
"""Share of the face's remaining surface that must follow the cut: 0.76 and more in heads cut by
us, 0.4 and less in heads cut otherwise."""
ENOUGH_FACE = 0.92
"""Share of the face that must follow the template's face: 0.97 and more in heads refaced by us, 0.3
to 0.65 in people's own faces. Coarser scans than 2 mm may miss it and are then doubted."""
FACE_VOXELS = 0.5
"""The same in voxels, for coarser scans than 1.6 mm."""
EAR_MM = 3.5
"""The same for ears, whose folds rays meet at random, far from what places the face."""
LIFT_MM = 9.0
"""The cut is lifted over the forehead by up to this much for the brain's sake."""
LIFTED_Z = 8.0
"""Template mm above which it may be lifted."""
_STEP_MM = 6.0
_REACH = np.array([0.12, 0.12, 0.12, 0.16, 0.16, 0.16, 0.06, 0.06, 0.06])
"""Radians, shifts in 50 mm and shares of size by which the head may have been misplaced."""


@dataclass(frozen=True)
class Known:
    """Whether a face was taken or replaced by faceblind.

    Parameters
    ----------
    cut, face : float
        Share of the face's surface that follows the template's cut, and the template's face.
    ours : (P,) bool ndarray
        Vertices of the face and ears whose tissue is explained by the better of the two.
    """

    cut: float
    face: float
    ours: NDArray[np.bool_]

    @property
    def is_cut(self) -> bool:
        """The face was removed along our cut."""
        return self.cut >= ENOUGH_CUT and self.cut >= self.face

    @property
    def is_face(self) -> bool:
        """The face is our average face."""
        return self.face >= ENOUGH_FACE and self.face > self.cut


def find_known(surface: Surface, alignment: Alignment, scan: Scan) -> Known:
    """Compare the surface of the face with the template's cut and with its face.

    Parameters
    ----------
    surface : Surface
        Measured with `alignment`.
    alignment : Alignment
    scan : Scan
        Gives the voxel size.
    """
    template = alignment.template
    face = template.region(*FACE)
    usable = face & surface.seen & np.isfinite(surface.offset)
    none = np.zeros(len(face), bool)
    if surface.area[usable].sum() < 0.1 * surface.area[face].sum():
        return Known(0.0, 0.0, none)
    ears = template.region("ears") & surface.seen & np.isfinite(surface.offset)
    rows = np.flatnonzero(usable | ears)
    place = surface.points[rows] @ alignment.affine[:3, :3].T + alignment.affine[:3, 3]
    # The face decides where the template lies; the ears are only judged by it.
    facial = np.flatnonzero(usable[rows])
    few = facial[thin(place[facial], _STEP_MM)]
    weight = surface.area[rows] * usable[rows]
    found = []
    voxel = float(np.median(scan.spacing))
    cut_mm, face_mm = max(CUT_MM, CUT_VOXELS * voxel), max(FACE_MM, FACE_VOXELS * voxel)
    for distance, tolerance in ((_to_cut, cut_mm), (_to_face(template), face_mm)):
        away = _best(distance, place, few, tolerance)
        near = np.abs(away) < np.where(usable[rows], tolerance, max(EAR_MM, tolerance))
        found.append((float(weight[near].sum() / weight.sum()), near))
    (cut, near_cut), (own, near_face) = found
    ours = none.copy()
    ours[rows] = near_cut if cut >= own else near_face
    return Known(cut, own, ours)


def _to_cut(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) mm from the cut, the nearest of the heights it may have over the forehead."""
    cut = template_fields().at("cut", places).astype(np.float64)
    lift = np.clip((places[:, 2] - LIFTED_Z) / 22.0, 0.0, 1.0) * LIFT_MM
    # Inside the lifted band nothing is away from the cut; below it the sign stays.
    return np.where(cut > lift, cut - lift, np.minimum(cut, 0.0))


def _to_face(template: Template) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    tree = cKDTree(template.points)
    normals = template.normals.astype(np.float64)
    points = template.points.astype(np.float64)

    def distance(places: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) mm outside the template's skin."""
        _, nearest = tree.query(places)
        away: NDArray[np.float64] = ((places - points[nearest]) * normals[nearest]).sum(axis=1)
        return away

    return distance


def _best(
    distance: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    places: NDArray[np.float64],
    few: NDArray[np.int64],
    tolerance: float,
) -> NDArray[np.float64]:
    """Distances (N,) after the small turn, shift and scaling that makes them smallest.

    Nine numbers, as many as the placement has: they cannot bend the template into a person.
    """
    centre = places.mean(axis=0)

    def moved(step: NDArray[np.float64], which: NDArray[np.float64]) -> NDArray[np.float64]:
        turn = Rotation.from_rotvec(step[:3]).as_matrix()
        result: NDArray[np.float64] = (
            ((which - centre) * (1.0 + step[6:9])) @ turn.T + centre + step[3:6] * 50.0
        )
        return result

    def cost(step: NDArray[np.float64]) -> NDArray[np.float64]:
        return distance(moved(step, places[few]))

    start = np.zeros(9)
    for scale in (4.0 * tolerance, tolerance):
        start = least_squares(
            cost, start, bounds=(-_REACH, _REACH), loss="soft_l1", f_scale=scale, max_nfev=15
        ).x
    return distance(moved(start, places))
