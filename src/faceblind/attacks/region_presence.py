"""Attack 1: which regions of the face still have skin, or a surface that runs parallel to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.surface import FACE, LOOKED_AT, Surface, region_mask
from faceblind.head.presence import weigh
from faceblind.head.template import Template

ON_SKIN_MM = 5.0
"""Tissue this near the fitted head is its skin. The fit itself is good to about 2 mm."""
FACING = 0.5
"""Cosine between normals below which tissue is the wall of a cut, not skin."""
HUG_DEPTH_MM = 9.0
"""A surface parallel to the skin is looked for down to this depth. Deeper, muscle and bone end
what can be read of a face; the brow's bone is met first."""
PARALLEL_MM = 1.8
"""Spread of the depth, after a tilted curved sheet is taken off, that counts as parallel. A cut
that ignores the face differs from nose to cheek by a centimetre."""
PARALLEL_FACING = 0.7
"""Cosine of normals that parallel surfaces keep."""

EARS = 0.2
"""What both ears alone give to the score, where they are all that is left: more than a scan that
passes has, less than one that fails. 3D ears alone find people (Chen and Bhanu 2007,
doi:10.1109/TPAMI.2007.1005)."""


@dataclass(frozen=True)
class RegionPresence:
    """What a scan shows of one region.

    Parameters
    ----------
    area_mm2 : float
        Skin that is left.
    share : float
        Of the region's area in the field of view, 0 to 1.
    parallel : float
        Share where a surface under the skin runs parallel to it.
    seen : float
        Share of the region in the field of view.
    """

    area_mm2: float
    share: float
    parallel: float
    seen: float

    @property
    def shown(self) -> float:
        """Share that gives the region away, as skin or as a surface parallel to it."""
        return max(self.share, self.parallel)


def find_regions(
    surface: Surface,
    template: Template,
    known: NDArray[np.bool_] | None = None,
    own: NDArray[np.bool_] | None = None,
) -> dict[str, RegionPresence]:
    """Presence of every region of `LOOKED_AT`.

    Parameters
    ----------
    surface : Surface
    template : Template
        That the surface was measured on.
    known : (P,) bool ndarray, optional
        Vertices whose tissue says nothing about the person, see
        `faceblind.attacks.own_protection.find`.
    own : (P,) bool ndarray, optional
        Vertices at which the person's skin shows, wherever the template was thought to lie, see
        `faceblind.attacks.own_skin`.
    """
    offset = np.where(np.isnan(surface.offset), -np.inf, surface.offset)
    facing = surface.facing
    skin = surface.seen & (np.abs(offset) <= ON_SKIN_MM) & (facing > FACING)
    parallel = _parallel(surface, template)
    if known is not None:
        skin, parallel = skin & ~known, parallel & ~known
    if own is not None:
        skin = skin | (own & surface.seen)
    regions = {}
    for name in LOOKED_AT:
        here = region_mask(template, name)
        whole = surface.area[here].sum()
        seen = surface.area[here & surface.seen].sum()
        remaining = surface.area[here & skin].sum()
        along = surface.area[here & parallel].sum()
        regions[name] = RegionPresence(
            area_mm2=float(remaining),
            share=float(remaining / seen) if seen else 0.0,
            parallel=float(along / seen) if seen else 0.0,
            seen=float(seen / whole) if whole else 0.0,
        )
    return regions


def _parallel(surface: Surface, template: Template) -> NDArray[np.bool_]:
    """(P,) vertices under which a surface runs parallel to the skin of the face.

    The depth is fitted by a tilted, curved sheet over the face (robustly, by turns); where most of
    the face keeps to the sheet, its features are still there, however deep.
    """
    face = template.region(*FACE)
    offset = np.nan_to_num(surface.offset, nan=-99.0)
    usable = face & surface.seen & (offset > -HUG_DEPTH_MM) & (surface.facing > PARALLEL_FACING)
    if surface.area[usable].sum() < 0.15 * surface.area[face].sum():
        return np.zeros(len(face), bool)
    away = offset - sheet_over_face(offset, surface.area * usable, template.points)
    found: NDArray[np.bool_] = usable & (np.abs(away) < PARALLEL_MM)
    return found


def sheet_over_face(
    offset: NDArray[np.float64], weight: NDArray[np.float64], points: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(P,) the tilted, curved sheet over a face that most of its depths keep to.

    Parameters
    ----------
    offset : (P,) ndarray
        Depths, mm.
    weight : (P,) ndarray
        0 where a depth does not count.
    points : (P, 3) ndarray
        Template mm.
    """
    x, z = points[:, 0] / 50.0, points[:, 2] / 50.0
    design = np.column_stack([np.ones_like(x), x, z, x * x, x * z, z * z]).astype(np.float64)
    sheet: NDArray[np.float64] = np.zeros(len(points))
    robust = np.sqrt(weight)
    for _ in range(6):
        fit, *_ = np.linalg.lstsq(design * robust[:, None], offset * robust, rcond=None)
        sheet = design @ fit
        robust = np.sqrt(weight) / (1.0 + ((offset - sheet) / PARALLEL_MM) ** 2)
    return sheet


def remaining_face_share(regions: dict[str, RegionPresence]) -> float:
    """How much of a recognisable face is left, 0 to 1, see `faceblind.head.presence.weigh`."""
    seen = {name: regions[name].seen for name in FACE}
    return weigh({name: seen[name] * regions[name].shown for name in FACE}, seen).share


def remaining_person_share(face: float, regions: dict[str, RegionPresence]) -> float:
    """How much of a recognisable person is left, 0 to 1.

    Parameters
    ----------
    face : float
        Share of a face, see `remaining_face_share`.
    regions : dict of str to RegionPresence
        Whose ears add to it.
    """
    ears = sum(regions[name].share for name in ("left ear", "right ear")) / 2.0
    return 1.0 - (1.0 - face) * (1.0 - EARS * ears)
