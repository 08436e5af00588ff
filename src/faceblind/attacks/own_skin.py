"""What is left of the person's own skin, in view or under the new face, where faceblind protected.

That tissue follows our cut explains it only if it is cut. Skin that the scanner saw is the person's
wherever the cut lies, so that a misplaced protection does not pass. A new face is cut off again
first, as anybody can who knows this package.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.edge_sharpness import Edges, find_edges
from faceblind.attacks.laid_open import without_brain
from faceblind.attacks.locate import LocatedHead
from faceblind.attacks.own_protection.cut import beyond_cut, on_cut_mm
from faceblind.attacks.region_presence import FACING, ON_SKIN_MM
from faceblind.attacks.surface import FACE, Surface, find_surface
from faceblind.errors import FaceblindError
from faceblind.geometry.grid import from_scan, regrid
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.head.skin import find_skin
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.cut_lift import USUAL_LIFT_MM
from faceblind.protect.placement import Placement, hung, one_size
from faceblind.protect.region import face_region
from faceblind.scan import Scan

REACH_MM = 20.0
"""Depth under the fitted head to which the person's skin is looked for: a head whose place the cut
told is as wrong as the cut, and deeper lie only walls of the nose, the mouth and the throat."""
MOST_FRONT_MM = (-15.0, 5.0)
"""Depth of the forehead under the fitted head that is believed, and taken off first."""
FRONT_MM, FRONT_ABOVE_MM = 30.0, 40.0
"""Template mm: skin in front and above is the forehead's."""
LEAST_FRONT_MM2 = 300.0
MOST_NATURAL = 0.6
"""Share of the cut whose edge is the scanner's from which the scan was resampled after protection,
so that edges tell nothing: 0.05 and less in scans as they were written."""
COARSE_MM = 1.9
"""Spacing on which a new face is cut off again."""


@dataclass(frozen=True)
class OwnSkin:
    """The person's skin where faceblind's protection was recognised.

    Parameters
    ----------
    shows : (P,) bool ndarray
        Vertices of the template at which the person's skin was found.
    is_sure : bool
        False where the scan's edges do not tell, so that `shows` is empty.
    """

    shows: NDArray[np.bool_]
    is_sure: bool

    def explained(self, located: LocatedHead) -> NDArray[np.bool_]:
        """(P,) vertices of the template whose skin is faceblind's.

        Under a new face that was cut off again, `shows` is all that is left of the person's: what
        merely lies beside the average face is the new face's rim.
        """
        ours = located.known.ours
        if not (located.known.is_face and self.is_sure):
            return ours
        return ours | located.alignment.template.region(*FACE)


def find_own_skin(located: LocatedHead, scan: Scan, head: HeadMask) -> OwnSkin:
    """The person's own skin at face and ears of a head that faceblind protected.

    Parameters
    ----------
    located : LocatedHead
        Whose `known` is our cut or our face.
    scan : Scan
        That was looked at.
    head : HeadMask
        Of `scan`.
    """
    if located.known.is_face:
        return _under_new_face(located, scan, head.air_level)
    if located.edges is None or _is_resampled(located, located.edges, scan):
        return OwnSkin(np.zeros(len(located.surface.offset), bool), is_sure=False)
    placed = _by_its_brain(located)
    surface = located.surface
    if placed is not located:
        surface = find_surface(located.skin, placed.alignment, scan, located.scene)
    shows = _shows(placed, surface, located.edges)
    shows = without_brain(shows, surface, located.skin, placed, scan, head.air_level)
    return OwnSkin(shows, is_sure=True)


def _by_its_brain(located: LocatedHead) -> LocatedHead:
    """The same head where its brain has it: a misplaced cut tells its place wrong."""
    if located.inside is None or located.inside is located.alignment:
        return located
    return replace(located, alignment=located.inside)


def _under_new_face(located: LocatedHead, scan: Scan, air_level: float) -> OwnSkin:
    """The same once the new face is cut off."""
    nothing = OwnSkin(np.zeros(len(located.surface.offset), bool), is_sure=False)
    placement = located.known.face_at
    if placement is None:
        return nothing
    coarse = coarsely(scan)
    without = _without_face(coarse, located, placement, air_level)
    try:
        head = find_head(without)
        skin = find_skin(without, head)
    except FaceblindError:
        return nothing
    edges = find_edges(skin, without, head, located.alignment.scan_to_template)
    if edges is None:
        return nothing
    placed = _by_its_brain(located)
    surface = find_surface(skin, placed.alignment, without)
    shows = _shows(placed, surface, edges)
    return OwnSkin(without_brain(shows, surface, skin, placed, scan, air_level), is_sure=True)


def _without_face(scan: Scan, located: LocatedHead, placement: Placement, air_level: float) -> Scan:
    """A scan with air where a new face at `placement` may have been put."""
    taken = region_under_face(scan, located, placement)
    level = np.asarray(scan.voxels).dtype.type(air_level)
    return replace(scan, voxels=np.where(taken, level, scan.voxels), stored=None)


def coarsely(scan: Scan) -> Scan:
    """The first volume on voxels of `COARSE_MM` or more."""
    coarse = Scan(scan.volume(), scan.affine, scan.modality)
    if scan.spacing.min() >= COARSE_MM:
        return coarse
    grid = regrid(from_scan(coarse), np.maximum(scan.spacing, COARSE_MM))
    return Scan(grid.values, grid.affine, scan.modality)


def region_under_face(scan: Scan, located: LocatedHead, placement: Placement) -> NDArray[np.bool_]:
    """(I, J, K) voxels of a scan in which a new face at `placement` may have been put."""
    cut = hung(placement.scan_to_template, one_size(placement.scales), placement.turn)
    fit = CutFit(cut, USUAL_LIFT_MM)
    return face_region(scan, located.skin, located.alignment, placement, None, fit).mask


def _is_resampled(located: LocatedHead, edges: Edges, scan: Scan) -> bool:
    """Whether even what follows the cut has the scanner's edges."""
    surface, place = located.surface, located.known.place
    if place is None or surface.vertex is None:
        return False
    rows = np.flatnonzero(located.alignment.template.region(*FACE) & (surface.vertex >= 0))
    on = rows[np.abs(beyond_cut(surface.points[rows], place)) <= on_cut_mm(scan)]
    natural = edges.natural[surface.vertex[on]]
    return bool(surface.area[on][natural].sum() > MOST_NATURAL * surface.area[on].sum())


def _shows(located: LocatedHead, surface: Surface, edges: Edges) -> NDArray[np.bool_]:
    """(P,) where the person's skin lies, by its edge and about where the head has it."""
    if surface.vertex is None:
        return np.zeros(len(surface.offset), bool)
    template = located.alignment.template
    natural = (surface.vertex >= 0) & edges.natural[np.maximum(surface.vertex, 0)]
    natural &= surface.seen & (surface.facing > FACING)
    offset = np.nan_to_num(surface.offset, nan=-np.inf)
    _, y, z = template.points.T
    front = natural & template.region("scalp") & (y > FRONT_MM) & (z > FRONT_ABOVE_MM)
    if surface.area[front].sum() >= LEAST_FRONT_MM2:
        offset = offset - np.clip(np.median(offset[front]), *MOST_FRONT_MM)
    near: NDArray[np.bool_] = natural & (offset > -REACH_MM)
    # Behind an ear that is gone lies the scalp.
    ears = template.region("ears")
    near[ears] = (natural & (np.abs(offset) <= ON_SKIN_MM))[ears]
    return near
