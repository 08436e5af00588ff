"""Whether the new face of a refaced scan looks like the scan: numbers of one pair of scans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.errors import FaceblindError
from faceblind.geometry.grid import Grid, from_scan
from faceblind.head.skin import Skin, find_skin
from faceblind.head.whole_head import find_whole_head
from faceblind.protect.placement import Placement, place
from faceblind.protect.reface import reface
from faceblind.protect.tissue_model import at_places
from faceblind.scan import Scan

SEAM_MM = 0.8
"""Skin this near to where the region ends lies on the seam."""
AROUND_MM = 9.0
"""Skin that tells the step at a place."""
MOST_SEAM = 800
DEPTHS_MM = np.arange(0.0, 15.5, 1.0)
FAT_MM = (2.0, 5.0)
WELL_INSIDE_MM = 3.0
"""From the seam: where tissue counts as the new face's, or as the person's own in its place."""
PATCH = np.stack(np.meshgrid(*3 * [np.arange(4) * 1.25 - 1.875], indexing="ij"), -1).reshape(-1, 3)
"""(64, 3) places of a patch of 5 mm, mm."""


@dataclass(frozen=True)
class Side:
    """One of two scans of a pair.

    Parameters
    ----------
    grid : Grid
        Its first volume, memory order.
    skin : Skin
        Scan mm.
    where : (P, 3) float64 ndarray
        The skin in template mm.
    cut : (P,) float32 ndarray
        Millimetres that the skin lies inside the region.
    """

    grid: Grid
    skin: Skin
    where: NDArray[np.float64]
    cut: NDArray[np.float32]

    @property
    def face(self) -> NDArray[np.int64]:
        """Vertices that are replaced, or new."""
        return np.flatnonzero((self.cut > WELL_INSIDE_MM) & ~self.skin.edge)


@dataclass(frozen=True)
class Pair:
    """A scan before and after, and the level of its air."""

    before: Side
    after: Side
    cut: Grid
    placement: Placement
    air: float


def pair_of(scan: Scan, seed: int = 0) -> Pair:
    """Reface a scan.

    Raises
    ------
    FaceblindError
        As `faceblind.reface`.
    """
    head = find_whole_head(scan)
    done = reface(scan, head=head, seed=seed)
    placement, region = place(head.alignment), done.region
    mask = region.mask if region.mask.ndim == 3 else region.mask[..., 0]

    def side(volume: Scan, skin: Skin) -> Side:
        where = apply_affine(placement.scan_to_template, skin.points.astype(np.float64))
        return Side(from_scan(volume), skin, where, at_places(region.cut, skin.points))

    try:
        skin = find_skin(done.scan)
    except FaceblindError:
        skin = head.skin
    new = np.asarray(done.scan.volume(0))[mask]
    return Pair(
        side(scan, head.skin), side(done.scan, skin), region.cut, placement,
        float(np.quantile(new, 0.3)),
    )  # fmt: skip


def rim_parts(where: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Parts of the seam, for (N, 3) template mm."""
    x, y, z = np.abs(where[:, 0]), where[:, 1], where[:, 2]
    return {
        "forehead": (z > 45) & (x < 50),
        "temples": (z > 0) & (y > 10) & ~((z > 45) & (x < 50)),
        "behind the ears": (y <= 10) & (z > -50),
        "throat": z < -60,
    }


def face_parts(where: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Parts of the face, for (N, 3) template mm."""
    x, y, z = np.abs(where[:, 0]), where[:, 1], where[:, 2]
    return {
        "forehead": (z > 38) & (y > 30),
        "middle": (x < 28) & (y > 60) & (z > -45) & (z <= 12),
        "cheeks": (x >= 28) & (y > 15) & (z > -50) & (z <= 12),
        "chin": (z <= -55) & (y > 30),
    }


def steps(side: Side) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The seam's places (N, 3), template mm, and the step (mm) and the bend (degrees) of the skin.

    Around each a quadratic surface is fitted whose height may jump at the seam. The bend is the
    angle between the mean normals of the skin that stays and of that which is new.
    """
    skin, cut = side.skin, side.cut
    chosen = np.flatnonzero((np.abs(cut) < SEAM_MM) & ~skin.edge)
    chosen = chosen[:: max(1, len(chosen) // MOST_SEAM)]
    points = skin.points.astype(np.float64)
    near = cKDTree(points).query_ball_point(points[chosen], AROUND_MM)
    places, jumps, bends = [], [], []
    for vertex, around in zip(chosen, near, strict=True):
        index = np.array(around)
        index = index[~skin.edge[index]]
        kept, new = index[cut[index] < -SEAM_MM], index[cut[index] > SEAM_MM]
        if min(len(kept), len(new)) < 12:
            continue
        normal, beyond = (_mean_normal(skin.normals[part]) for part in (kept, new))
        index = np.concatenate([kept, new])
        away = points[index] - points[vertex]
        across = np.linalg.svd(normal[None])[2][1:]
        u, v = across @ away.T
        jump = np.repeat([0.0, 1.0], [len(kept), len(new)])
        terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v, jump], axis=1)
        solved = np.linalg.lstsq(terms, away @ normal, rcond=None)[0]
        places.append(side.where[vertex])
        jumps.append(abs(float(solved[-1])))
        bends.append(float(np.degrees(np.arccos(np.clip(normal @ beyond, -1.0, 1.0)))))
    return np.array(places).reshape(-1, 3), np.array(jumps), np.array(bends)


def _mean_normal(normals: NDArray[np.float32]) -> NDArray[np.float64]:
    mean = normals.mean(axis=0).astype(np.float64)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), np.float64)


def enclosed_air(pair: Pair) -> float:
    """Share of new skin under which, 2 to 8 mm deep, air of the original scan was kept."""
    old, side = pair.before.skin, pair.after
    rim = np.flatnonzero((side.cut > 0) & (side.cut < 25) & ~side.skin.edge)
    rim = rim[:: max(1, len(rim) // 4000)]
    if not len(rim):
        return 0.0
    tree = cKDTree(old.points)
    bad = np.zeros(len(rim), bool)
    for depth in (2.0, 4.0, 6.0, 8.0):
        below = side.skin.points[rim] - depth * side.skin.normals[rim]
        nearest = tree.query(below)[1]
        out = ((below - old.points[nearest]) * old.normals[nearest]).sum(axis=1)
        bad |= (out > 1.5) & (at_places(pair.cut, below) < -0.5) & ~old.edge[nearest]
    return float(bad.mean())


def profiles(side: Side, air: float) -> dict[str, NDArray[np.float64]]:
    """Mean of the intensity over air at `DEPTHS_MM` under the face, for each of its parts."""
    face = side.face
    out = {}
    for name, part in face_parts(side.where[face]).items():
        here = face[part]
        if len(here) < 100:
            continue
        here = here[:: max(1, len(here) // 3000)]
        rays = side.skin.points[here, None] - DEPTHS_MM[:, None] * side.skin.normals[here, None]
        values = at_places(side.grid, rays.reshape(-1, 3)).reshape(len(here), -1)
        out[name] = values.mean(axis=0).astype(np.float64) - air
    return out


def profile_errors(pair: Pair) -> dict[str, tuple[float, float]]:
    """For each part: how far new / own is from 1 from 0 to 15 mm, and new / own in the fat."""
    new, own = (profiles(side, pair.air) for side in (pair.after, pair.before))
    fat = (FAT_MM[0] <= DEPTHS_MM) & (FAT_MM[1] >= DEPTHS_MM)
    out = {}
    for name in new.keys() & own.keys():
        ratio = new[name] / np.maximum(own[name], 1e-6)
        out[name] = (
            float(np.abs(ratio[1:] - 1).mean()),
            float(new[name][fat].mean() / own[name][fat].mean()),
        )
    return out


def _voxels_below(
    side: Side, low: float, high: float, parts: tuple[str, ...], seed: int = 0
) -> NDArray[np.int64]:
    """(N, 3) voxels of a grid between two depths below the face's skin, mm, in parts of it."""
    face = side.face
    named = face_parts(side.where[face])
    if parts:
        face = face[np.any([named[name] for name in parts], axis=0)]
    rng = np.random.default_rng(seed)
    depth = rng.uniform(low, high, (len(face), 1)).astype(np.float32)
    points = side.skin.points[face] - depth * side.skin.normals[face]
    index = np.rint(apply_affine(np.linalg.inv(side.grid.affine), points)).astype(np.int64)
    last = np.array(side.grid.values.shape) - 4
    return index[((index >= 3) & (index <= last)).all(axis=1)]


def roughness(side: Side, parts: tuple[str, ...], lag: int = 1) -> float:
    """Robust spread of second differences at a lag, voxels, 3 to 15 mm below the skin."""
    index = _voxels_below(side, 3.0, 15.0, parts)
    if len(index) < 200:
        return float("nan")
    step = np.zeros(3, np.int64)
    step[int(np.argmin(side.grid.spacing))] = lag
    a, b, c = (side.grid.values[tuple((index + k * step).T)].astype(float) for k in (-1, 0, 1))
    return float(np.median(np.abs(a - 2 * b + c)) / 0.6745 / np.sqrt(6.0))


def stripes(side: Side) -> float:
    """Greatest over least energy of differences over 4 mm, of three directions of the head,
    8 to 25 mm below the skin: 1 for tissue that is alike in all directions.
    """
    index = _voxels_below(side, 8.0, 25.0, ("middle", "cheeks", "chin"))
    points = apply_affine(side.grid.affine, index)
    energy = []
    for axis in np.eye(3):
        a, b, c = (at_places(side.grid, points + k * 4.0 * axis) for k in (-1, 0, 1))
        energy.append(float(((a - 2 * b + c) ** 2).mean()))
    return max(energy) / max(min(energy), 1e-9)


def patches(side: Side, level: float, air: float, n: int, seed: int) -> NDArray[np.float32]:
    """(N, 15) features of patches of 5 mm, 3 to 12 mm below the face's skin.

    Parameters
    ----------
    side : Side
    level : float
        Of soft tissue that both scans of a pair share.
    air : float
    n : int
        How many patches.
    seed : int
    """
    index = _voxels_below(side, 3.0, 12.0, (), seed)
    rng = np.random.default_rng(seed)
    index = index[rng.permutation(len(index))[:n]]
    centre = apply_affine(side.grid.affine, index)
    values = at_places(side.grid, (centre[:, None] + PATCH).reshape(-1, 3))
    cube = ((values.reshape(-1, 4, 4, 4) - air) / (level - air)).astype(np.float64)
    flat = cube.reshape(len(cube), -1)
    first = [np.abs(np.diff(cube, axis=a)).mean(axis=(1, 2, 3)) for a in (1, 2, 3)]
    second = [np.abs(np.diff(cube, 2, axis=a)).mean(axis=(1, 2, 3)) for a in (1, 2, 3)]
    mean = flat.mean(axis=1)
    spread = flat.std(axis=1)
    levels = np.quantile(flat, (0.0, 0.25, 0.5, 0.75, 1.0), axis=1)
    relative = spread / np.maximum(np.abs(mean), 0.05)
    middle = cube[:, 1:3, 1:3, 1:3].mean(axis=(1, 2, 3)) - mean
    return np.stack([mean, spread, *first, *second, *levels, relative, middle], 1).astype(
        np.float32
    )


def soft_level(pair: Pair) -> float:
    """Median 3 to 12 mm below the skin that stays."""
    side = pair.before
    kept = np.flatnonzero((side.cut < -WELL_INSIDE_MM) & ~side.skin.edge)
    points = side.skin.points[kept] - 6.0 * side.skin.normals[kept]
    return float(np.median(at_places(side.grid, points)))
