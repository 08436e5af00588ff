"""What lies under the skin of the average head: one map of tissue fractions.

Built once per process in the template frame, from the template's surface and landmarks, the
ICBM average brain and a few solids for eyes, air spaces, jaws, teeth and spine. Every volunteer's
inside is this map, warped by what takes the average skin to theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from importlib.resources import as_file, files
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, spatial

from faceblind.head.template import REGIONS, Template, load_template
from faceblind.volunteers.noise import fractal
from faceblind.volunteers.raster import fill, sample

SPACING_MM = 1.5
_MARGIN_MM = 9.0
_FACE = ("face", "brow", "eyes", "nose", "mouth", "chin", "cheeks")
FACE_DEPTH_MM = 14.0
"""How deep under the skin the true face mask reaches."""


class Tissue(IntEnum):
    """Tissues of the map, in the order of its first axis."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    BONE = 4
    MARROW = 5
    CSF = 6
    GREY = 7
    WHITE = 8
    VITREOUS = 9
    MUCOSA = 10


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Tissue map of the average head.

    Attributes
    ----------
    fractions : (len(Tissue), A, B, C) uint8 ndarray
        Share of each tissue in each voxel, of 255.
    brain : (A, B, C) float32 ndarray
        Brain (with its sulcal and ventricular fluid), 0 to 1.
    face : (A, B, C) float32 ndarray
        Soft tissue and bone under the face's skin to `FACE_DEPTH_MM`, without the brain.
    affine : (4, 4) float64 ndarray
        Voxel index to the template frame, mm.
    """

    fractions: NDArray[np.uint8]
    brain: NDArray[np.float32]
    face: NDArray[np.float32]
    affine: NDArray[np.float64]

    def signal(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """(A, B, C) signal for one value per tissue."""
        weights = np.asarray(values, np.float32) / 255
        total = np.zeros(self.fractions.shape[1:], np.float32)
        for fraction, weight in zip(self.fractions, weights, strict=True):
            total += fraction * weight
        return total


@dataclass(frozen=True, eq=False)
class _Space:
    """The grid: coordinates (A, B, C) in mm, depth under the skin in mm, origin (3,) in mm."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    z: NDArray[np.float32]
    depth: NDArray[np.float32]
    origin: NDArray[np.float64]

    @property
    def places(self) -> NDArray[np.float32]:
        grid = np.broadcast_arrays(self.x, self.y, self.z)
        return np.stack([g.ravel() for g in grid], axis=1)

    def ball(
        self, centre: tuple[float, float, float], radii: tuple[float, float, float]
    ) -> NDArray[np.bool_]:
        """Ellipsoid mask."""
        return (
            ((self.x - centre[0]) / radii[0]) ** 2
            + ((self.y - centre[1]) / radii[1]) ** 2
            + ((self.z - centre[2]) / radii[2]) ** 2
        ) < 1

    def tube(
        self, path: list[tuple[float, float, float]], radius: float, flatten: float = 1.0
    ) -> NDArray[np.bool_]:
        """Mask of what lies within `radius` of a polyline; `flatten` widens it along x."""
        result = np.zeros(self.depth.shape, bool)
        for start, end in pairwise(path):
            a, b = np.array(start), np.array(end)
            step = b - a
            t = ((self.x - a[0]) * step[0] + (self.y - a[1]) * step[1]
                 + (self.z - a[2]) * step[2]) / (step @ step)  # fmt: skip
            t = np.clip(t, 0, 1)
            away = (
                ((self.x - a[0] - t * step[0]) / flatten) ** 2
                + (self.y - a[1] - t * step[1]) ** 2
                + (self.z - a[2] - t * step[2]) ** 2
            )
            result |= away < radius**2
        return result


@lru_cache(maxsize=1)
def load_anatomy() -> Anatomy:
    """Build the map (about two seconds), then share it."""
    template = load_template()
    space, inside = _space(template)
    grey, white, brain = _brain(space)
    label = np.full(space.depth.shape, Tissue.MUSCLE, np.uint8)
    _soft_tissue(label, space, template)
    _neck(label, space)
    _skull(label, space, brain)
    _face_bones(label, space, template)
    _air_spaces(label, space, template)
    _eyes(label, space, template)
    label[brain > 0.5] = Tissue.CSF
    label[(space.depth < 1.8) & (label != Tissue.AIR)] = Tissue.SKIN
    # Outside, the map continues the skin: the warped surface cuts it to size.
    label[~inside] = Tissue.SKIN
    fractions = np.empty((len(Tissue), *label.shape), np.uint8)
    core = ndimage.gaussian_filter((brain > 0.5).astype(np.float32), 0.4)
    for tissue in Tissue:
        share = ndimage.gaussian_filter((label == tissue).astype(np.float32), 0.45)
        if tissue == Tissue.GREY:
            share = grey * core
        elif tissue == Tissue.WHITE:
            # The optic nerves and the cord were drawn as white matter outside the brain.
            share = np.minimum(share + white * core, 1)
        elif tissue == Tissue.CSF:
            share = np.clip(share - (grey + white) * core, 0, 1)
        fractions[tissue] = np.rint(share * 255)
    affine = np.diag([SPACING_MM] * 3 + [1.0])
    affine[:3, 3] = space.origin
    face = _face_mask(space, template, inside, brain)
    return Anatomy(fractions, brain, face, affine)


def _space(template: Template) -> tuple[_Space, NDArray[np.bool_]]:
    points, faces = template.closed()
    low = points.min(axis=0) - _MARGIN_MM
    size = np.ceil((points.max(axis=0) + _MARGIN_MM - low) / SPACING_MM).astype(int)
    covered = fill((points - low) / SPACING_MM, faces, (int(size[0]), int(size[1]), int(size[2])))
    inside = covered > 0.5
    depth = ndimage.distance_transform_edt(inside, SPACING_MM).astype(np.float32)
    depth -= 0.5 * SPACING_MM * inside
    axes = [
        (low[k] + SPACING_MM * np.arange(size[k]))
        .astype(np.float32)
        .reshape([-1 if a == k else 1 for a in range(3)])
        for k in range(3)
    ]
    return _Space(axes[0], axes[1], axes[2], depth, low.astype(np.float64)), inside


def _brain(
    space: _Space,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Grey, white and whole-brain fractions on the grid."""
    with (
        as_file(files("faceblind") / "data" / "brain_atlas.npz") as path,
        np.load(path) as atlas,
    ):
        maps = [atlas[k].astype(np.float32) / s for k, s in (("grey", 15), ("white", 15))]
        brain = np.pad(atlas["brain"].astype(np.float32), 2)
        affine = atlas["affine"]
    maps = [np.pad(m, 2) for m in maps]
    affine = affine @ _shift(-2)
    placed = _place_brain(space, brain, affine)
    index = np.linalg.inv(placed @ affine)
    places = space.places @ index[:3, :3].T.astype(np.float32) + index[:3, 3].astype(np.float32)
    shape = space.depth.shape
    grey, white, whole = (sample(m, places).reshape(shape) for m in (*maps, brain))
    # Bone needs room: scalp and skull are nowhere thinner than this together.
    whole = np.minimum(whole, np.clip((space.depth - 7.5) / 2, 0, 1))
    return grey, white, whole


def _shift(by: float) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, 3] = by
    return matrix


def _place_brain(
    space: _Space, brain: NDArray[np.float32], affine: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(4, 4) from ICBM to the template frame, that leaves room for scalp and skull all round.

    Least squares on the depth of the brain's convexity under the skin. Targets are the usual
    distances from scalp to brain: about 11 mm at the sides, 12.5 mm on top, 13.5 mm in front.
    """
    rim = (brain > 0.5) & ~ndimage.binary_erosion(brain > 0.5)
    points = np.argwhere(rim)[::23] @ affine[:3, :3].T + affine[:3, 3]
    points = points[points[:, 2] > -5]
    out = points - np.array([0, -18, 5])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    target = 11.0 + 1.5 * np.abs(out[:, 2]) + 2.5 * np.clip(out[:, 1], 0, 1)

    def matrix(p: NDArray[np.float64]) -> NDArray[np.float64]:
        c, s = np.cos(p[0]), np.sin(p[0])
        turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
        result = np.eye(4)
        result[:3, :3] = turn @ np.diag(p[1:4])
        result[:3, 3] = (0, p[4], p[5])
        return result

    def miss(p: NDArray[np.float64]) -> NDArray[np.float64]:
        m = matrix(p)
        place = points @ m[:3, :3].T + m[:3, 3]
        index = ((place - space.origin) / SPACING_MM).astype(np.float32)
        # The frame's pitch against the line of the commissures is about 8 degrees.
        prior = [(p[0] - 0.14) * 150, *(60 * (p[1:4] - p[1:4].mean()))]
        return np.concatenate([sample(space.depth, index) - target, prior])

    start = np.array([0.14, 0.95, 0.95, 0.95, 18.0, 45.0])
    found = optimize.least_squares(
        miss, start, diff_step=np.array([1e-3]), loss="soft_l1", f_scale=2.0
    )
    return matrix(found.x)


def _soft_tissue(label: NDArray[np.uint8], space: _Space, template: Template) -> None:
    """Subcutaneous fat by region, muscle with fatty planes below."""
    low = space.z < -40
    cheek = np.exp(-(((np.abs(space.x) - 42) / 22) ** 2) - ((space.z + 35) / 30) ** 2
                   - ((space.y - 45) / 35) ** 2)  # fmt: skip
    thickness = 4.2 + 6.0 * cheek + 2.5 * low * (space.y > 20) + 2.0 * (low & (space.y < 0))
    nose = space.ball((0, 90, -15), (16, 16, 30))
    ear = (np.abs(space.x) > 66) & (np.abs(space.y + 12) < 22) & (np.abs(space.z) < 30)
    thickness = np.where(nose, 2.4, thickness)
    label[space.depth < 1.8 + thickness] = Tissue.FAT
    # Cartilage of nose and ear is about as bright as muscle.
    label[ear & (space.depth > 0.9)] = Tissue.MUSCLE
    tip = np.linalg.norm(space.places - template.landmarks["pronasale"], axis=1).reshape(
        label.shape
    )
    label[(tip < 16) & (space.depth > 3.0)] = Tissue.MUSCLE
    planes = fractal(space.places, (9, 9, 26), 11, octaves=2).reshape(label.shape)
    label[(planes > 1.15) & (label == Tissue.MUSCLE) & (space.depth > 6) & (space.z < 30)] = (
        Tissue.FAT
    )
    buccal = np.abs(space.x)
    pad = ((buccal - 38) / 9) ** 2 + ((space.y - 42) / 12) ** 2 + ((space.z + 28) / 17) ** 2
    label[(pad < 1) & (space.depth > 5)] = Tissue.FAT


def _neck(label: NDArray[np.uint8], space: _Space) -> None:
    spine = [(0.0, -14.0, -22.0), (0.0, -12.0, -60.0), (0.0, -18.0, -100.0), (0.0, -26.0, -150.0)]
    label[space.tube(spine, 12.0, 1.15)] = Tissue.BONE
    label[space.tube(spine, 10.5, 1.15)] = Tissue.MARROW
    disc = space.tube(spine, 11.0, 1.15) & (np.mod(space.z + 45, 17.0) < 4.5) & (space.z < -42)
    label[disc] = Tissue.MUSCLE
    canal = [(x, y - 21, z) for x, y, z in spine]
    label[space.tube(canal, 10.5, 1.15)] = Tissue.BONE
    label[space.tube(canal, 7.8, 1.2)] = Tissue.CSF
    label[space.tube(canal, 4.6, 1.2)] = Tissue.WHITE
    process = [(x, y - 40, z - 6) for x, y, z in spine]
    label[space.tube(process, 4.5) & (np.mod(space.z + 40, 17.0) < 8)] = Tissue.MARROW


def _skull(label: NDArray[np.uint8], space: _Space, brain: NDArray[np.float32]) -> None:
    """Cortical tables and diploe around the brain and its fluid."""
    closed = ndimage.gaussian_filter((brain > 0.5).astype(np.float32), 4.0) > 0.42
    inner = ndimage.distance_transform_edt(~(closed | (brain > 0.5)), SPACING_MM)
    wobble = fractal(space.places, 30.0, 5, octaves=2).reshape(label.shape)
    thick = 6.4 + 0.9 * wobble + 2.0 * (space.y < -60) * (space.z < 10)
    room = space.depth > 4.6
    bone = (inner > 1.6) & (inner < 1.6 + thick) & room
    base = (space.z < -2) & (space.z > -60) & (space.y < 40)
    label[bone] = Tissue.BONE
    diploe = (inner > 3.4) & (inner < thick - 0.4) & room & (space.depth > 6.0) & ~(base)
    label[diploe] = Tissue.MARROW
    label[inner <= 1.6] = Tissue.CSF
    side = np.abs(space.x)
    petrous = ((side - 40) / 22) ** 2 + ((space.y + 9) / 11) ** 2 + ((space.z + 3) / 10) ** 2
    label[(petrous < 1) & (inner > 1.6) & (space.depth > 4)] = Tissue.BONE
    core = ((side - 34) / 11) ** 2 + ((space.y + 6) / 5) ** 2 + ((space.z + 3) / 5) ** 2
    label[(core < 1) & (inner > 3)] = Tissue.MARROW
    mastoid = ((side - 54) / 9) ** 2 + ((space.y + 22) / 11) ** 2 + ((space.z + 12) / 16) ** 2
    cells = fractal(space.places, 3.5, 6, octaves=1).reshape(label.shape) > 0.1
    label[(mastoid < 1) & cells & (inner > 2) & (space.depth > 4)] = Tissue.AIR
    clivus = space.tube([(0, 22, -2), (0, 2, -24)], 7.0, 1.6) & (inner > 1.6)
    label[clivus] = Tissue.MARROW


def _face_bones(label: NDArray[np.uint8], space: _Space, template: Template) -> None:
    marks = template.landmarks
    stomion, pogonion = marks["stomion"], marks["pogonion"]
    gonion, zygion = marks["gonion_right"], marks["zygion_right"]
    deep = space.depth > 4.0
    maxilla = space.ball((0, stomion[1] - 27, stomion[2] + 22), (29, 24, 27)) & (space.depth > 7)
    label[maxilla] = Tissue.BONE
    label[space.ball((0, stomion[1] - 27, stomion[2] + 21), (26, 21, 24)) & maxilla] = Tissue.MARROW
    for side in (1.0, -1.0):
        jaw = [
            (0.0, pogonion[1] - 11, pogonion[2] + 4),
            (side * 20, pogonion[1] - 20, pogonion[2] + 4),
            (side * (gonion[0] - 12), gonion[1] + 6, gonion[2] + 8),
            (side * (gonion[0] - 10), 10.0, -8.0),
        ]
        label[space.tube(jaw, 7.5) & deep] = Tissue.BONE
        label[space.tube(jaw, 4.8) & deep] = Tissue.MARROW
        cheekbone = [
            (side * 32, marks["pupil_right"][1] - 12, -8.0),
            (side * (zygion[0] - 10), zygion[1] + 12, -2.0),
            (side * (zygion[0] - 7), 6.0, 2.0),
        ]
        label[space.tube(cheekbone, 5.0) & deep] = Tissue.BONE
        label[space.tube(cheekbone, 2.8) & deep] = Tissue.MARROW
    arch = np.hypot(space.x / 1.05, (space.y - (stomion[1] - 36)) / 1.0)
    row = (np.abs(arch - 25) < 4.5) & (space.y > stomion[1] - 38)
    height = np.abs(space.z - stomion[2])
    teeth = row & (height < 10) & (space.depth > 5)
    label[teeth] = Tissue.BONE
    tongue = space.ball((0, stomion[1] - 40, stomion[2] - 4), (20, 32, 15)) & ~teeth
    label[tongue] = Tissue.MUSCLE


def _air_spaces(label: NDArray[np.uint8], space: _Space, template: Template) -> None:
    marks = template.landmarks
    nose, eye = marks["subnasale"], marks["pupil_right"]
    side = np.abs(space.x)
    cavity = (
        (side < 13 + 0.12 * (nose[2] + 20 - space.z))
        & (space.z > nose[2] + 4)
        & (space.z < eye[2] - 4)
        & (space.y > nose[1] - 66)
        & (space.y < nose[1] - 12 - 0.25 * (space.z - nose[2]))
    )
    cavity &= space.depth > 5
    label[cavity] = Tissue.MUCOSA
    meatus = cavity & (side > 1.6) & (side < 9)
    label[meatus & (np.mod(space.z - nose[2] + 2 * side, 13) > 8.5)] = Tissue.AIR
    for s in (1.0, -1.0):
        antrum = space.ball((s * 27, eye[1] - 28, eye[2] - 36), (12.5, 15, 17))
        label[antrum & (space.depth > 6)] = Tissue.AIR
        vestibule = space.tube(
            [(s * 7, nose[1] - 8, nose[2] + 1), (s * 6, nose[1] - 14, nose[2] + 14)], 3.2
        )
        label[vestibule & (space.depth > 2)] = Tissue.AIR
        frontal = space.ball((s * 11, eye[1] - 2, eye[2] + 24), (10, 5.5, 11))
        label[frontal & (space.depth > 7)] = Tissue.AIR
        canal = space.tube([(s * 67, -2, -2), (s * 44, -4, 2)], 3.0)
        label[canal] = Tissue.AIR
    cells = fractal(space.places, 5.0, 8, octaves=1).reshape(label.shape) > -0.5
    ethmoid = (side < 12) & (np.abs(space.y - eye[1] + 30) < 18) & (np.abs(space.z - eye[2]) < 10)
    label[ethmoid & cells & (side > 1.5)] = Tissue.AIR
    label[space.ball((0, eye[1] - 62, eye[2] - 8), (12, 11, 9))] = Tissue.AIR
    back = nose[1] - 68
    throat = [(0.0, back + 4, nose[2] + 18), (0.0, back, nose[2] - 10), (0.0, back - 2, -62.0),
              (0.0, back - 3, -90.0), (0.0, back + 2, -150.0)]  # fmt: skip
    label[space.tube(throat, 8.5, 1.25)] = Tissue.MUCOSA
    label[space.tube(throat, 6.0, 1.4)] = Tissue.AIR
    palate = space.tube([(0.0, back + 26, nose[2] + 1), (0.0, back + 8, nose[2] - 9)], 4.0, 3.0)
    label[palate] = Tissue.MUSCLE


def _eyes(label: NDArray[np.uint8], space: _Space, template: Template) -> None:
    for name in ("pupil_right", "pupil_left"):
        lid = template.landmarks[name]
        # The cornea lies about 2 mm under the closed lid; the globe's radius is 12 mm.
        centre = (float(lid[0]), float(lid[1]) - 14.5, float(lid[2]))
        inward = -np.sign(centre[0])
        apex = (centre[0] + inward * 15, centre[1] - 34, centre[2] + 1)
        orbit = space.tube([centre, apex], 15.5) | space.ball(centre, (18, 17, 17))
        orbit &= (space.y < centre[1] + 6) & (space.depth > 2.5)
        cone = np.clip((centre[1] - space.y) / 34, 0, 1)
        axis_x = centre[0] + inward * 15 * cone
        radial = np.hypot(space.x - axis_x, space.z - centre[2])
        orbit &= radial < 18 - 11 * cone
        label[orbit] = Tissue.FAT
        rectus = np.abs(radial - (12.0 - 8 * cone)) < 1.3
        turn = np.arctan2(space.z - centre[2], space.x - axis_x)
        label[orbit & rectus & (np.cos(4 * turn) > 0.5) & (cone > 0.15)] = Tissue.MUSCLE
        label[space.tube([centre, apex], 2.2) & orbit] = Tissue.WHITE
        label[space.ball(centre, (12.6, 12.6, 12.6))] = Tissue.MUSCLE
        label[space.ball(centre, (11.3, 11.3, 11.3))] = Tissue.VITREOUS
        lens = (centre[0], centre[1] + 7.2, centre[2])
        label[space.ball(lens, (4.6, 2.1, 4.6))] = Tissue.MUSCLE


def _face_mask(
    space: _Space, template: Template, inside: NDArray[np.bool_], brain: NDArray[np.float32]
) -> NDArray[np.float32]:
    face = template.region(*_FACE) & (template.points[:, 1] > 5)
    tree = spatial.cKDTree(template.points)
    wanted = inside & (space.depth < FACE_DEPTH_MM) & (space.y + 0 * space.depth > -5)
    places = space.places[wanted.ravel()]
    nearest = tree.query(places, workers=1)[1]
    mask = np.zeros(space.depth.shape, np.float32)
    mask[wanted] = face[nearest]
    # The skin itself and a rim outside belong to it, so that warping leaves no film.
    mask = ndimage.maximum_filter(mask, 3)
    reach = ndimage.maximum_filter(brain, 5)
    return np.where(reach > 0.3, 0, mask).astype(np.float32)


def region_names() -> tuple[str, ...]:
    """Regions of the template that the face mask covers."""
    return tuple(name for name in REGIONS if name in _FACE)
