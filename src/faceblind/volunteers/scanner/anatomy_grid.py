"""The grid on which the anatomy is drawn, simple solids on it, and the brain's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from itertools import pairwise, product

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage, optimize

from faceblind.geometry.grid import resize, resized_affine
from faceblind.head.template import Template
from faceblind.volunteers.noise import fractal
from faceblind.volunteers.raster import fill, sample
from faceblind.volunteers.scanner.cortex import fold

SPACING_MM = 1.0
_MARGIN_MM = 9.0

Point = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Space:
    """The grid: coordinates (A, B, C) in mm, depth under the skin in mm, origin (3,) in mm."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    z: NDArray[np.float32]
    depth: NDArray[np.float32]
    origin: NDArray[np.float64]

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4) voxel index to mm."""
        affine = np.diag([SPACING_MM] * 3 + [1.0])
        affine[:3, 3] = self.origin
        return affine

    def box(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[tuple[slice, ...], tuple[NDArray[np.float32], ...]]:
        """Slices of a box given in mm, and the coordinates within."""
        size = self.depth.shape
        start = np.floor((low - self.origin) / SPACING_MM).astype(int)
        stop = np.ceil((high - self.origin) / SPACING_MM).astype(int) + 1
        cut = tuple(
            slice(int(np.clip(a, 0, n)), int(np.clip(b, 0, n)))
            for a, b, n in zip(start, stop, size, strict=True)
        )
        return cut, (self.x[cut[0]], self.y[:, cut[1]], self.z[:, :, cut[2]])

    def ball(self, centre: Point, radii: Point) -> NDArray[np.bool_]:
        """Ellipsoid mask."""
        result = np.zeros(self.depth.shape, bool)
        middle, reach = np.array(centre, float), np.array(radii, float)
        cut, (x, y, z) = self.box(middle - reach, middle + reach)
        result[cut] = (
            ((x - middle[0]) / reach[0]) ** 2
            + ((y - middle[1]) / reach[1]) ** 2
            + ((z - middle[2]) / reach[2]) ** 2
        ) < 1
        return result

    def tube(
        self, path: Sequence[Point], radius: float, stretch: Point = (1.0, 1.0, 1.0)
    ) -> NDArray[np.bool_]:
        """Mask of what lies within `radius` of a polyline; `stretch` widens it per axis."""
        result = np.zeros(self.depth.shape, bool)
        wide = np.array(stretch)
        for start, end in pairwise(path):
            a, b = np.array(start, float), np.array(end, float)
            margin = radius * wide
            cut, (x, y, z) = self.box(np.minimum(a, b) - margin, np.maximum(a, b) + margin)
            step = (b - a) / wide
            u, v, w = (x - a[0]) / wide[0], (y - a[1]) / wide[1], (z - a[2]) / wide[2]
            t = np.clip((u * step[0] + v * step[1] + w * step[2]) / (step @ step), 0, 1)
            away = (u - t * step[0]) ** 2 + (v - t * step[1]) ** 2 + (w - t * step[2]) ** 2
            result[cut] |= away < radius**2
        return result

    def noise(self, scale: float | Point, seed: int, octaves: int = 1) -> NDArray[np.float32]:
        """(A, B, C) smooth noise of unit spread; computed coarsely if it is smooth enough."""
        step = 3 if np.min(scale) >= 8 else 1
        axes = [
            self.origin[k] + SPACING_MM * (step * (np.arange(-(-n // step)) + 0.5) - 0.5)
            for k, n in enumerate(self.depth.shape)
        ]
        shape = tuple(len(a) for a in axes)
        places = np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], axis=1)
        coarse = fractal(places, scale, seed, octaves=octaves).reshape(shape)
        if step == 1:
            return coarse
        fine = resize(coarse, tuple(step * n for n in shape))
        return fine[tuple(slice(n) for n in self.depth.shape)]


def make_space(template: Template) -> tuple[Space, NDArray[np.bool_]]:
    """Grid around the template, and which of its voxels are in the head."""
    points, faces = template.closed()
    low = points.min(axis=0) - _MARGIN_MM
    # Even sizes, for distances are computed on every second voxel.
    size = 2 * np.ceil((points.max(axis=0) + _MARGIN_MM - low) / SPACING_MM / 2).astype(int)
    shape = (int(size[0]), int(size[1]), int(size[2]))
    covered = fill((points - low) / SPACING_MM, faces, shape)
    inside = covered > 0.5
    depth = coarse_distance(covered)
    axes = [
        (low[k] + SPACING_MM * np.arange(size[k]))
        .astype(np.float32)
        .reshape([-1 if a == k else 1 for a in range(3)])
        for k in range(3)
    ]
    return Space(axes[0], axes[1], axes[2], depth, low.astype(np.float64)), inside


def coarse_distance(share: NDArray[np.float32]) -> NDArray[np.float32]:
    """(A, B, C) mm from what is less than half filled, 0 outside, from every second voxel."""
    half = resize(share, tuple(n // 2 for n in share.shape))
    step = 2 * SPACING_MM
    within = ndimage.distance_transform_edt(half > 0.5, step).astype(np.float32)
    # Distances count from voxel centres; coverage tells where in the voxel the edge runs.
    within -= 0.5 * step * (half > 0.5)
    edge = (half > 0) & (half < 1)
    within[edge] = np.maximum(within[edge], 0) * 0.5 + 0.5 * step * np.maximum(half[edge] - 0.5, 0)
    return resize(within, share.shape)


def place_brain(
    space: Space, cover: float = 1.0
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Grey, white and whole-brain fractions on the grid; `cover` is that of `Person`."""
    with (
        as_file(files("faceblind") / "data" / "brain_atlas.npz") as path,
        np.load(path) as atlas,
    ):
        maps = [np.pad(atlas[k].astype(np.float32) / 15, 2) for k in ("grey", "white")]
        brain = np.pad(atlas["brain"].astype(np.float32), 2)
        affine = atlas["affine"] @ _shift(-2)
    old = brain.shape
    new = tuple(int(n * affine[0, 0] / SPACING_MM) for n in old)
    grey, white, brain = (resize(m, new) for m in (*maps, brain))
    affine = resized_affine(affine, old, new)
    maps = [*fold(grey, white, brain, affine)]
    placed = _place_brain(space, brain, affine, cover) @ affine
    corners = np.array(list(product(*((0, n - 1) for n in brain.shape))))
    corners = apply_affine(placed, corners)
    cut, (x, y, z) = space.box(corners.min(axis=0), corners.max(axis=0))
    index = np.linalg.inv(placed).astype(np.float32)
    grid = np.broadcast_arrays(x, y, z)
    places = np.stack([g.ravel() for g in grid], axis=1) @ index[:3, :3].T + index[:3, 3]
    result = []
    for atlas_map in (*maps, brain):
        whole = np.zeros(space.depth.shape, np.float32)
        whole[cut] = sample(atlas_map, places).reshape(grid[0].shape)
        result.append(whole)
    grey, white, share = result
    # Bone needs room: scalp and skull are nowhere thinner than this together.
    share = np.minimum(share, np.clip((space.depth - 7.5 * cover) / 2, 0, 1))
    return grey, white, share


def _shift(by: float) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, 3] = by
    return matrix


def _place_brain(
    space: Space, brain: NDArray[np.float32], affine: NDArray[np.float64], cover: float
) -> NDArray[np.float64]:
    """(4, 4) from ICBM to the template frame, that leaves room for scalp and skull all round.

    Least squares on the depth of the brain's convexity under the skin. Targets are the usual
    distances from scalp to brain: about 11 mm at the sides, 12.5 mm on top, 13.5 mm in front.
    """
    rim = (brain > 0.5) & ~ndimage.binary_erosion(brain > 0.5)
    points = apply_affine(affine, np.argwhere(rim)[::67])
    points = points[points[:, 2] > -5]
    out = points - np.array([0, -18, 5])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    target = cover * (11.0 + 1.5 * np.abs(out[:, 2]) + 2.5 * np.clip(out[:, 1], 0, 1))

    def matrix(p: NDArray[np.float64]) -> NDArray[np.float64]:
        c, s = np.cos(p[0]), np.sin(p[0])
        turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
        result = np.eye(4)
        result[:3, :3] = turn @ np.diag(p[1:4])
        result[:3, 3] = (0, p[4], p[5])
        return result

    def miss(p: NDArray[np.float64]) -> NDArray[np.float64]:
        m = matrix(p)
        place = apply_affine(m, points)
        index = ((place - space.origin) / SPACING_MM).astype(np.float32)
        # The frame's pitch against the line of the commissures is about 8 degrees.
        prior = [(p[0] - 0.14) * 150, *(60 * (p[1:4] - p[1:4].mean()))]
        return np.concatenate([sample(space.depth, index) - target, prior])

    start = np.array([0.14, 0.95, 0.95, 0.95, 18.0, 45.0])
    found = optimize.least_squares(
        miss, start, diff_step=np.array([1e-3]), loss="soft_l1", f_scale=2.0
    )
    return matrix(found.x)
