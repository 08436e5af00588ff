"""What lies under the skin: one map of tissues of the average head, varied by person.

Built once per process in the template frame, from the template's surface and landmarks, the
ICBM average brain and a few solids for eyes, air spaces, jaws, teeth and spine. Every volunteer's
inside is this map, with their thickness of fat and bone, warped by what takes the average skin to
theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, spatial

from faceblind.geometry.grid import resize
from faceblind.head.template import Template, load_template
from faceblind.volunteers.people.shape import Person, generator
from faceblind.volunteers.scanner import anatomy_solids as solids
from faceblind.volunteers.scanner.anatomy_grid import (
    SPACING_MM,
    Space,
    coarse_distance,
    make_space,
    place_brain,
)
from faceblind.volunteers.scanner.artefacts import blur
from faceblind.volunteers.scanner.susceptibility import field_slopes
from faceblind.volunteers.scanner.tissue import Tissue

_FACE = ("face", "brow", "eyes", "nose", "mouth", "chin", "cheeks")
FACE_DEPTH_MM = 14.0
"""How deep under the skin the true face mask reaches."""

BRAIN, FACE, EARS, FLUID = 1, 2, 3, 4
"""Labels of `Anatomy.zones`."""

_DURA_MM = 1.8
"""From the brain to the inner table of the skull: fluid, then dura, whose thickness follows."""

_DURA_THICK_MM = 0.7
_TABLE = 0.3
"""Share of the skull's thickness that each of its two tables takes."""

_FAT_UNIT, _BONE_UNIT = 25.0, 100.0
_NEVER = 2.55
_VARIES = 255
_STREAM = 6


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Tissue map of a head in the average shape.

    Attributes
    ----------
    labels : (A, B, C) uint8 ndarray
        `Tissue`; within the brain CSF, over which `grey` and `white` lie.
    grey, white : (A, B, C) uint8 ndarray
        Shares of the brain's tissues, of 255.
    brain : (A, B, C) uint8 ndarray
        Brain (with its sulcal and ventricular fluid), of 255.
    zones : (A, B, C) uint8 ndarray
        `BRAIN`, `FACE` (soft tissue and bone under the face's skin to `FACE_DEPTH_MM`), `EARS`,
        `FLUID` (between brain and dura).
    slopes : (A', B', C') uint8 ndarray
        How the magnetic field varies, in `SLOPE_UNIT` ppm/mm, on every `SLOPE_STEP`-th voxel.
    affine : (4, 4) float64 ndarray
        Voxel index to the template frame, mm.
    """

    labels: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    white: NDArray[np.uint8]
    brain: NDArray[np.uint8]
    zones: NDArray[np.uint8]
    slopes: NDArray[np.uint8]
    affine: NDArray[np.float64]

    def share(self, tissue: Tissue) -> NDArray[np.float32]:
        """(A, B, C) share of one tissue, 0 to 1."""
        if tissue in (Tissue.GREY, Tissue.WHITE):
            within = self.grey if tissue == Tissue.GREY else self.white
            return np.maximum(within / np.float32(255), self.labels == tissue)
        share = (self.labels == tissue).astype(np.float32)
        if tissue == Tissue.CSF:
            inside = (self.grey.astype(np.float32) + self.white) / 255
            share = np.clip(share - inside, 0, 1)
        return share


@dataclass(frozen=True, eq=False)
class _Layers:
    """The average head and what varies from person to person.

    `fixed` holds what is the same in everyone, 255 elsewhere; `base` what lies under the fat.
    `fat_at` and `bone_at` count depth under the skin and height above the dura in
    hundredths of the average thickness of fat (a quarter of that) and of bone. `solid` marks bone
    without marrow.
    """

    anatomy: Anatomy
    fixed: NDArray[np.uint8]
    base: NDArray[np.uint8]
    fat_at: NDArray[np.uint8]
    bone_at: NDArray[np.uint8]
    solid: NDArray[np.bool_]


def load_anatomy() -> Anatomy:
    """The average map; built once (some seconds), then shared."""
    return _layers(1.0).anatomy


def personal_anatomy(person: Person) -> Anatomy:
    """The map of one person, still in the average shape.

    Fat grows with weight; the skull varies by 15 % (coefficient of variation of Lynnerup 2001,
    Forensic Sci Int 117:45), fat by another 12 %. A brain that is large for its head lies under
    less scalp and skull, see `Person.cover`.
    """
    fat, bone = generator(person.seed, person.index, _STREAM).standard_normal(2)
    fat_factor = (0.45 + 1.1 * person.weight) * np.exp(0.12 * fat)
    bone_factor = np.clip(np.exp(0.15 * bone), 0.72, 1.38)
    layers = _layers(person.cover)
    return replace(layers.anatomy, labels=_compose(layers, float(fat_factor), float(bone_factor)))


def without_teeth(anatomy: Anatomy) -> Anatomy:
    """The map of somebody whose dentures lie beside the scanner: gums take their place."""
    labels = anatomy.labels.copy()
    labels[labels == Tissue.TOOTH] = Tissue.MUCOSA
    return replace(anatomy, labels=labels)


@lru_cache(maxsize=2)
def _layers(cover: float) -> _Layers:
    template = load_template()
    space, inside = make_space(template)
    grey, white, brain = place_brain(space, cover)
    inner = _above_brain(brain)
    base = np.full(space.depth.shape, Tissue.MUSCLE, np.uint8)
    solids.soft_tissue(base, space, template)
    fixed = np.full(space.depth.shape, _VARIES, np.uint8)
    solids.neck(fixed, space)
    solids.skull_base(fixed, space, inner)
    solids.face_bones(fixed, space, template)
    solids.air_spaces(fixed, space, template)
    solids.eyes(fixed, space, template)
    fixed[(inner < _DURA_MM + 1.0) & (fixed == Tissue.AIR)] = Tissue.BONE
    fixed[inner <= _DURA_MM] = Tissue.DURA
    fixed[inner <= _DURA_MM - _DURA_THICK_MM] = Tissue.CSF
    fixed[brain > 0.5] = Tissue.CSF
    fixed[(space.depth < solids.SKIN_MM) & (fixed != Tissue.AIR)] = Tissue.SKIN
    # Outside, the map continues the skin: the warped surface cuts it to size.
    fixed[~inside] = Tissue.SKIN
    fat_at = (space.depth - solids.SKIN_MM) / solids.fat_thickness(space, template)
    thick = cover * solids.skull_thickness(space)
    bone_at = (inner - _DURA_MM) / thick
    bone_at[space.depth < 4.2 * cover] = _NEVER
    # Below the skull base there is no calvaria.
    below = ((space.z < -18) & (space.y > -35)) | (space.z < -45)
    bone_at = np.where(below, np.float32(_NEVER), bone_at)
    core = blur((brain > 0.5).astype(np.float32), 0.5)
    slopes = field_slopes(np.where(inside, fixed == Tissue.AIR, True))
    anatomy = Anatomy(
        fixed, _byte(grey * core), _byte(white * core), _byte(brain),
        _zones(space, template, inside, brain, inner), slopes, space.affine,
    )  # fmt: skip
    solid = (thick < 4.0) | (space.z < -5)
    layers = _Layers(
        anatomy, fixed, base, _byte(fat_at, _FAT_UNIT), _byte(bone_at, _BONE_UNIT), solid
    )
    return replace(layers, anatomy=replace(anatomy, labels=_compose(layers, 1.0, 1.0)))


def _byte(values: NDArray[np.floating], unit: float = 255) -> NDArray[np.uint8]:
    return np.clip(values * unit + 0.5, 0, 255).astype(np.uint8)


def _compose(layers: _Layers, fat: float, bone: float) -> NDArray[np.uint8]:
    labels = np.where(layers.fat_at < fat * _FAT_UNIT, np.uint8(Tissue.FAT), layers.base)
    within = layers.bone_at < bone * _BONE_UNIT
    table = max(_TABLE * bone * _BONE_UNIT, 1)
    diploe = (layers.bone_at > table) & (layers.bone_at < bone * _BONE_UNIT - table)
    diploe &= ~layers.solid
    labels[within] = Tissue.BONE
    labels[diploe] = Tissue.MARROW
    return np.where(layers.fixed == _VARIES, labels, layers.fixed)


def _above_brain(brain: NDArray[np.float32]) -> NDArray[np.float32]:
    """(A, B, C) mm outside the brain's smooth hull; 0 in it."""
    half = resize(brain, tuple(n // 2 for n in brain.shape))
    hull = np.maximum(blur(half, 2.0) > 0.42, half > 0.5).astype(np.float32)
    return coarse_distance(resize(1 - hull, brain.shape))


def _zones(
    space: Space,
    template: Template,
    inside: NDArray[np.bool_],
    brain: NDArray[np.float32],
    inner: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Brain, its fluid, face and ears; the face and the ears keep away from the brain."""
    face = template.region(*_FACE) & (template.points[:, 1] > 5)
    ears = template.region("ears")
    region = np.where(face, FACE, np.where(ears, EARS, 0)).astype(np.uint8)
    depth = space.depth[::2, ::2, ::2]
    wanted = (depth > 0) & (depth < FACE_DEPTH_MM + 1) & (space.y[:, ::2] > -60)
    index = 2 * np.argwhere(wanted)
    nearest = spatial.cKDTree(template.points).query(
        index * SPACING_MM + space.origin, workers=1, distance_upper_bound=40.0
    )[1]
    half = np.zeros(depth.shape, np.uint8)
    half[wanted] = region[np.minimum(nearest, len(region) - 1)]
    # The skin itself and a rim outside belong to them, so that warping leaves no film.
    half = np.where(half == 0, ndimage.maximum_filter(half, 3) * (depth <= 0), half)
    zones = half.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    zones[inside & (space.depth >= FACE_DEPTH_MM)] = 0
    zones[blur(brain, 1.5) > 0.02] = 0
    zones[inner <= _DURA_MM - _DURA_THICK_MM] = FLUID
    zones[brain > 0.5] = BRAIN
    return zones
