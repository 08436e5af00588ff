"""How bright skin, fat, muscle and bone are in this very scan, whatever its contrast.

Only scalars and one very smooth field are taken from the scan; they carry no shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.grid import Grid, Volume, blur, resize, resized_affine
from faceblind.geometry.interpolation import trilinear_at
from faceblind.head.skin import Skin
from faceblind.protect.coil_field import CoilField, Samples, fit_coil_field
from faceblind.protect.placement import Placement, face_share, fuller
from faceblind.protect.region import places
from faceblind.protect.texture import Texture, measure_texture

DEPTHS_MM = np.arange(0.0, 15.0, 0.75)
"""Below the skin, where its profile is taken."""
SOFT_MM, HARD_MM = 35.0, 45.0
"""Template height below which there is soft tissue under the skin, and above which skull."""
FAT_QUANTILE = 0.7
"""Of what lies where fat does: elsewhere muscle or bone lie there, in MR mostly darker."""
_OUTER_MM = (1.0, 5.0)
_FEWEST_RAYS = 100
_MOST_RAYS = 6000


@dataclass(frozen=True)
class AverageFace:
    """The face that everybody gets.

    Attributes
    ----------
    affine : (4, 4) float64
        Grid index to template mm.
    depth : (A, B, C) float32
        Millimetres under the skin of the template (with nose, lips, ears), negative outside.
    tissue : (A, B, C) uint8
        Index into `names`; fat outside the head.
    names : tuple of str
        Tissues.
    """

    affine: NDArray[np.float64]
    depth: Volume
    tissue: NDArray[np.uint8]
    names: tuple[str, ...]

    def index(self, places: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 3) grid indices of (N, 3) template mm."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(apply_affine(inverse, places), np.float64)

    def label(self, name: str) -> int:
        """Index of a tissue."""
        return self.names.index(name)

    def placed(self, placement: Placement) -> AverageFace:
        """The face in its common size, with a fuller forehead, bent into a head at its rim.

        Parameters
        ----------
        placement : Placement

        Returns
        -------
        AverageFace
            On the same grid, which now stands for template mm of `Placement.affine`.
        """
        shape = self.depth.shape
        # Where the face bends, it bends over centimetres.
        coarse = tuple(max(2, n // 3) for n in shape)
        where = places(
            Grid(np.empty(coarse, bool), resized_affine(self.affine, shape, coarse)), np.eye(4)
        )
        to_face = placement.template_to_face
        moved = apply_affine(to_face, where)
        share = face_share(moved)
        bend = share[:, None] * (moved - where) @ np.linalg.inv(self.affine)[:3, :3].T
        index = np.indices(shape, np.float32)
        for axis in range(3):
            index[axis] += resize(bend[:, axis].astype(np.float32).reshape(coarse), shape)
        depth = trilinear_at(self.depth, index.reshape(3, -1).astype(np.float64)).reshape(shape)
        depth += resize(fuller(moved, share).astype(np.float32).reshape(coarse), shape)
        nearest = [np.clip(np.rint(index[k]).astype(np.int32), 0, shape[k] - 1) for k in range(3)]
        tissue = self.tissue[tuple(nearest)]
        return AverageFace(self.affine, depth, tissue, self.names)


BEYOND_MM = np.float32(-30.0)
"""Depth below the average skin where the map of the face ends: far outside."""


@lru_cache(maxsize=1)
def average_face() -> AverageFace:
    """The face that ships with the package."""
    with as_file(files("faceblind") / "data" / "face_region.npz") as path, np.load(path) as npz:
        depth = npz["face_depth"] * np.float32(0.25)
        # The map ends inside the head behind and above; look-ups beyond repeat its last layer,
        # which must be air there. Below, the neck goes on.
        depth[:, 0, :] = depth[:, :, -1] = BEYOND_MM
        names = tuple(str(name) for name in npz["tissue_names"])
        tissue = npz["tissue"]
        # Skin that is moved outwards has fat below it, not air.
        tissue[(depth < 0.5) & (tissue == names.index("air"))] = names.index("fat")
        affine = npz["face_affine"]
    for array in (depth, tissue):
        array.setflags(write=False)
    return AverageFace(affine, depth, tissue, names)


@dataclass(frozen=True)
class Levels:
    """Brightness of tissues in one volume.

    Attributes
    ----------
    values : (len(names),) float32 ndarray
        One for each tissue of `AverageFace.names`, in scan units.
    scalp : (D,) float32 ndarray
        Mean signal over air under the skin that stays over the skull, at `DEPTHS_MM`.
    texture : Texture
    shading : CoilField
        Levels and scalp are freed of it.
    """

    values: NDArray[np.float32]
    scalp: NDArray[np.float32]
    texture: Texture
    shading: CoilField


def measure_levels(
    grid: Grid,
    skin: Skin,
    scan_to_template: NDArray[np.float64],
    kept: NDArray[np.bool_],
    air: float,
    sigma: NDArray[np.float64],
) -> Levels:
    """Levels from the skin inwards and from the places where the average face has each tissue.

    Parameters
    ----------
    grid : Grid
        The volume.
    skin : Skin
        In scan mm.
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm.
    kept : (P,) bool ndarray
        Vertices of the skin that stay: the profile under them is the person's own contrast.
    air : float
        Level of air.
    sigma : (3,) float64 ndarray
        Gaussian, voxels, that gives noise its correlation.
    """
    rows = np.flatnonzero(~skin.edge)
    if (kept & ~skin.edge).sum() < _FEWEST_RAYS:
        # A scan of the face alone keeps hardly any skin: all of it tells the contrast.
        kept = np.ones(len(skin.points), bool)
        rows = np.arange(len(skin.points))
    rows = rows[:: max(1, len(rows) // _MOST_RAYS)]
    points = skin.points[rows].astype(np.float64)
    rays = points[:, None] - DEPTHS_MM[:, None] * skin.normals[rows].astype(np.float64)[:, None]
    profiles = at_places(grid, rays.reshape(-1, 3)).reshape(len(points), -1) - np.float32(air)
    places, kept = apply_affine(scan_to_template, points), kept[rows]
    deep = _inner_samples(grid, scan_to_template, air)
    outer = np.median(profiles[:, (_OUTER_MM[0] < DEPTHS_MM) & (_OUTER_MM[1] > DEPTHS_MM)], axis=1)
    shading = fit_coil_field(
        [Samples(places, outer), *deep.values()], Samples(places[kept], outer[kept])
    )
    profiles = profiles[kept] / shading.at(places[kept])[:, None]
    inner = {n: float(np.median(s.signal / shading.at(s.places))) for n, s in deep.items()}
    soft = places[:, 2] < SOFT_MM
    return Levels(
        _levels(profiles, places[kept], inner) + np.float32(air),
        _scalp(profiles, places[kept]),
        measure_texture(
            grid, points[soft], skin.normals[rows][soft].astype(np.float64), air,
            _tissue_noise(grid, scan_to_template), sigma,
        ),
        shading,
    )  # fmt: skip


def at_places(grid: Grid, places: NDArray[np.floating]) -> NDArray[np.float32]:
    """(N,) values of a grid at (N, 3) places in its own millimetres."""
    index = apply_affine(np.linalg.inv(grid.affine), places)
    found = ndimage.map_coordinates(
        grid.values, index.T, output=np.float32, order=1, mode="nearest"
    )
    return np.asarray(found, np.float32)


def _inner_samples(grid: Grid, affine: NDArray[np.float64], air: float) -> dict[str, Samples]:
    """Signal over air well inside the large compartments of the average head."""
    face = average_face()
    to_scan = np.linalg.inv(affine) @ face.affine
    found = {}
    for name, least in (("muscle", 60), ("vitreous", 20), ("white", 60), ("grey", 60)):
        index = _well_inside(name)
        if len(index) < least:
            continue
        points = _within(grid, apply_affine(to_scan, index))
        values = at_places(grid, points) - np.float32(air)
        points, values = points[values > 0], values[values > 0]
        if len(values) >= least:
            found[name] = Samples(apply_affine(affine, points), values)
    return found


@cache
def _well_inside(name: str) -> NDArray[np.int64]:
    """(N, 3) indices of the average face well inside one tissue."""
    face = average_face()
    inside = ndimage.binary_erosion(face.tissue == face.label(name), iterations=2)
    index = np.argwhere(inside & (face.depth > 6.0))
    return index[:: max(1, len(index) // 4000)]


def _within(grid: Grid, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those of (N, 3) points that lie in the grid."""
    inverse = np.linalg.inv(grid.affine)
    index = apply_affine(inverse, points)
    last = np.array(grid.values.shape) - 1
    return points[((index >= 0) & (index <= last)).all(axis=1)]


def _levels(
    profiles: NDArray[np.float32],
    places: NDArray[np.float64],
    deep: dict[str, float],
) -> NDArray[np.float32]:
    """Over air, from (N, D) profiles under the skin at (N, 3) places, all freed of the shading."""
    face = average_face()
    low, high = places[:, 2] < SOFT_MM, places[:, 2] > HARD_MM
    soft = profiles[low] if low.sum() > 100 else profiles
    hard = profiles[high] if high.sum() > 100 else profiles
    depth = DEPTHS_MM
    skin = float(np.median(soft[:, (depth > 1.0) & (depth < 2.0)]))
    fat = float(np.quantile(soft[:, (depth > 2.8) & (depth < 4.8)], FAT_QUANTILE))
    muscle = deep.get("muscle", float(np.median(soft[:, depth > 9.0])))
    muscle = max(muscle, 0.2 * skin)
    brain = deep.get("grey", deep.get("white", muscle))
    shell = hard[:, (depth > 3.0) & (depth < 13.0)]
    dark = float(np.median(np.quantile(shell, 0.1, axis=1)))
    bright = float(np.median(np.quantile(shell, 0.75, axis=1)))
    # Bone is dark beside brain in MR; in CT nothing under the scalp is darker than brain, and
    # neither skin nor fat is bright, as in T1w scans whose scalp hides the bone.
    is_ct = dark > 0.9 * brain and bright > 1.2 * brain and max(skin, fat) < 1.2 * muscle
    bone = bright if is_ct else min(dark, muscle)
    marrow = 0.5 * (bone + muscle) if is_ct else 0.3 * bone + 0.7 * fat
    table = dict.fromkeys(face.names, muscle)
    table |= {"air": 0.0, "skin": skin, "fat": fat, "bone": bone, "marrow": marrow}
    # Teeth are as dark as bone in MR, and bright in CT.
    table["tooth"] = bone
    table["vitreous"] = deep.get("vitreous", muscle)
    return np.array([table[name] for name in face.names], np.float32)


def _scalp(profiles: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    """(D,) mean of (N, D) profiles over the skull, without those that are far off."""
    high = places[:, 2] > HARD_MM
    hard = profiles[high] if high.sum() > 100 else profiles
    low, top = np.quantile(hard, [0.02, 0.98], axis=0)
    return np.asarray(np.clip(hard, low, top).mean(axis=0), np.float32)


def _tissue_noise(grid: Grid, affine: NDArray[np.float64]) -> float:
    """Spread of second differences inside the brain, where the least textured third is."""
    face = average_face()
    brain = np.isin(face.tissue, [face.label("white"), face.label("grey")])
    index = np.argwhere(ndimage.binary_erosion(brain, iterations=2))
    index = index[:: max(1, len(index) // 3000)]
    if not len(index):
        return 0.0
    to_scan = np.linalg.inv(affine) @ face.affine
    to_index = np.linalg.inv(grid.affine) @ to_scan
    centre = np.rint(apply_affine(to_index, index)).astype(int)
    last = np.array(grid.values.shape) - 1
    centre = centre[((centre > 0) & (centre < last)).all(axis=1)]
    if len(centre) < 100:
        return 0.0
    # A second difference of white noise has six times its variance.
    axis = int(np.argmin(grid.spacing))
    step = np.zeros(3, int)
    step[axis] = 1
    a, b, c = (grid.values[tuple((centre + k * step).T)].astype(np.float64) for k in (-1, 0, 1))
    rough = np.abs(a - 2 * b + c) / np.sqrt(6.0)
    # The median of |x| over the calm part; 0.43 is the tercile of |N(0, 1)|.
    return float(np.quantile(rough, 1 / 3) / 0.43)


def signal_map(levels: Levels, face: AverageFace) -> NDArray[Any]:
    """(A, B, C) noiseless signal of the average face on its own grid, slightly blurred."""
    return blur(levels.values[face.tissue], np.full(3, 0.6))
