"""The grid on which the anatomy is drawn, simple solids on it, and the brain's place."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from faceblind.head.template import Template
from faceblind.volunteers.raster import fill, sample

SPACING_MM = 1.5
_MARGIN_MM = 9.0


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

    @property
    def places(self) -> NDArray[np.float32]:
        """(A * B * C, 3) positions of all voxels in mm."""
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


def make_space(template: Template) -> tuple[Space, NDArray[np.bool_]]:
    """Grid around the template, and which of its voxels are in the head."""
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
    return Space(axes[0], axes[1], axes[2], depth, low.astype(np.float64)), inside


def place_brain(
    space: Space,
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
    space: Space, brain: NDArray[np.float32], affine: NDArray[np.float64]
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
