"""What lies under the skin: one map of tissues of the average head, varied by person.

Built once per process in the template frame, from the template's surface and landmarks, the
ICBM average brain and a few solids for eyes, air spaces, jaws, teeth and spine. Every volunteer's
inside is this map, with their thickness of fat and bone, warped by what takes the average skin to
theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, spatial

from faceblind.head.template import REGIONS, Template, load_template
from faceblind.volunteers import anatomy_solids as solids
from faceblind.volunteers.anatomy_grid import Space, make_space, place_brain
from faceblind.volunteers.artefacts import blur
from faceblind.volunteers.tissue import Tissue

__all__ = ["BRAIN", "EARS", "FACE", "FACE_DEPTH_MM", "Anatomy", "Tissue", "load_anatomy",
           "region_names"]  # fmt: skip

_FACE = ("face", "brow", "eyes", "nose", "mouth", "chin", "cheeks")
FACE_DEPTH_MM = 14.0
"""How deep under the skin the true face mask reaches."""

BRAIN, FACE, EARS = 1, 2, 3
"""Labels of `Anatomy.zones`."""


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Tissue map of a head in the average shape.

    Attributes
    ----------
    labels : (A, B, C) uint8 ndarray
        `Tissue`; within the brain CSF, over which `grey` and `white` lie.
    grey, white : (A, B, C) float32 ndarray
        Shares of the brain's tissues, 0 to 1.
    brain : (A, B, C) float32 ndarray
        Brain (with its sulcal and ventricular fluid), 0 to 1.
    zones : (A, B, C) uint8 ndarray
        `BRAIN`, `FACE` (soft tissue and bone under the face's skin to `FACE_DEPTH_MM`), `EARS`.
    affine : (4, 4) float64 ndarray
        Voxel index to the template frame, mm.
    """

    labels: NDArray[np.uint8]
    grey: NDArray[np.float32]
    white: NDArray[np.float32]
    brain: NDArray[np.float32]
    zones: NDArray[np.uint8]
    affine: NDArray[np.float64]

    def signal(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """(A, B, C) signal for one value per tissue, edges softened by part of a voxel."""
        table = np.asarray(values, np.float32)
        total = blur(table[self.labels], 0.45)
        for share, tissue in ((self.grey, Tissue.GREY), (self.white, Tissue.WHITE)):
            step = np.float32(table[tissue] - table[Tissue.CSF])
            if step:
                total += step * share
        return total

    def share(self, tissue: Tissue) -> NDArray[np.float32]:
        """(A, B, C) share of one tissue, 0 to 1."""
        return np.clip(self.signal(np.eye(len(Tissue))[tissue]), 0, 1)


@lru_cache(maxsize=1)
def load_anatomy() -> Anatomy:
    """Build the average map (some seconds), then share it."""
    template = load_template()
    space, inside = make_space(template)
    grey, white, brain = place_brain(space)
    label = np.full(space.depth.shape, Tissue.MUSCLE, np.uint8)
    solids.soft_tissue(label, space, template)
    solids.neck(label, space)
    solids.skull(label, space, brain)
    solids.face_bones(label, space, template)
    solids.air_spaces(label, space, template)
    solids.eyes(label, space, template)
    label[brain > 0.5] = Tissue.CSF
    label[(space.depth < 1.8) & (label != Tissue.AIR)] = Tissue.SKIN
    # Outside, the map continues the skin: the warped surface cuts it to size.
    label[~inside] = Tissue.SKIN
    core = ndimage.gaussian_filter((brain > 0.5).astype(np.float32), 0.4)
    affine = space.affine
    zones = _zones(space, template, inside, brain)
    return Anatomy(label, grey * core, white * core, brain, zones, affine)


def _zones(
    space: Space, template: Template, inside: NDArray[np.bool_], brain: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Brain, face and ears; the face and the ears keep away from the brain."""
    face = template.region(*_FACE) & (template.points[:, 1] > 5)
    ears = template.region("ears")
    region = np.where(face, FACE, np.where(ears, EARS, 0)).astype(np.uint8)
    tree = spatial.cKDTree(template.points)
    wanted = inside & (space.depth < FACE_DEPTH_MM) & (space.y > -60)
    nearest = tree.query(space.places[wanted.ravel()], workers=1)[1]
    zones = np.zeros(space.depth.shape, np.uint8)
    zones[wanted] = region[nearest]
    # The skin itself and a rim outside belong to them, so that warping leaves no film.
    rim = ndimage.maximum_filter(zones, 3)
    zones = np.where((zones == 0) & ~inside, rim, zones)
    zones[ndimage.maximum_filter(brain, 5) > 0.3] = 0
    zones[brain > 0.5] = BRAIN
    return zones


def region_names() -> tuple[str, ...]:
    """Regions of the template that the face mask covers."""
    return tuple(name for name in REGIONS if name in _FACE)
