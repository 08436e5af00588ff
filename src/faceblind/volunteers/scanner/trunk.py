"""Neck and shoulders below the head model, whose surface ends under the chin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.people.reference_face import smooth_step
from faceblind.volunteers.scanner.tissue import Tissue

Axis = NDArray[np.float32]

_SKIN_MM, _FAT_MM = 2.0, 12.0
_CAP_MM = 14.0
"""Height over the end of the head model up to which its closed end counts as skin and fat."""


@dataclass(frozen=True, eq=False)
class Trunk:
    """Neck and shoulders on a grid.

    Attributes
    ----------
    depth : (I, J, K) float32 ndarray
        Under their skin, mm.
    above : (I, J, K) float32 ndarray
        Height over the plane in which the head model ends, mm.
    spacing_mm : float
        Voxel size.
    """

    depth: NDArray[np.float32]
    above: NDArray[np.float32]
    spacing_mm: float

    @staticmethod
    def of(affine: NDArray[np.float64], shape: tuple[int, ...], neck: NDArray[np.float64]) -> Trunk:
        """The trunk below a neck.

        Parameters
        ----------
        affine, shape
            The grid.
        neck : (N, 3) ndarray
            Rim of the head model's neck, scan mm.
        """
        spacing = float(np.sqrt((affine[:3, :3] ** 2).sum(axis=0)).mean())
        x, y, z = _coordinates(affine, shape)
        depth = _depth(x, y, z, neck)
        normal = np.linalg.svd(neck - neck.mean(axis=0))[2][2]
        normal = normal * np.sign(normal[2])
        place = neck.mean(axis=0)
        above = normal[0] * x + normal[1] * y + normal[2] * z - place @ normal
        return Trunk(depth, above.astype(np.float32), spacing)

    def join(
        self,
        water: NDArray[np.float32],
        fat: NDArray[np.float32],
        zones: NDArray[np.uint8],
        covered: NDArray[np.float32],
        table: NDArray[np.floating],
    ) -> NDArray[np.float32]:
        """Fill what the head leaves free, in place; gives the share that either fills.

        A layer of fat lies over muscle; the first row of `table` holds the tissues' water, the
        second their fat.
        """
        share = np.clip(self.depth / np.float32(self.spacing_mm) + np.float32(0.5), 0, 1)
        free = (share > 0) & ((covered <= 0.5) | (self.above < _CAP_MM))
        deep = smooth_step(self.depth[free], _SKIN_MM + _FAT_MM - 1, _SKIN_MM + _FAT_MM + 1)
        water[free] = deep * np.float32(table[0, Tissue.MUSCLE])
        fat[free] = (1 - deep) * np.float32(table[1, Tissue.FAT])
        zones[free] = 0
        return np.maximum(covered, share)


def _depth(x: Axis, y: Axis, z: Axis, neck: NDArray[np.float64]) -> NDArray[np.float32]:
    """Depth under the skin, mm; negative outside.

    Elliptic sections that widen downwards as the trapezius does, from the neck's breadth by 250 mm
    over 85 mm; the trunk lies flat whatever the head does.
    """
    centre = (neck.min(axis=0) + neck.max(axis=0)) / 2
    half = np.ptp(neck, axis=0)[:2] / 2
    below = centre[2] - z
    # It comes out of the neck without a step.
    within = 1 - 0.12 * smooth_step(below, 5.0, -25.0)
    wide = 0.98 * half[0] * within + 125.0 * smooth_step(below, 0.0, 85.0)
    deep = 0.98 * half[1] * within + 42.0 * smooth_step(below, 0.0, 110.0)
    radius = np.hypot((x - centre[0]) / wide, (y - centre[1] + 0.06 * below) / deep)
    depth = (1 - radius) * np.minimum(wide, deep)
    return np.where(below > -25.0, depth, -1.0).astype(np.float32)


def _coordinates(affine: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[Axis, Axis, Axis]:
    """World mm of every voxel, as arrays that broadcast."""
    index = [np.arange(n, dtype=np.float32).reshape([-1 if a == k else 1 for a in range(3)])
             for k, n in enumerate(shape)]  # fmt: skip
    sums = []
    for row in affine[:3].astype(np.float32):
        parts = [row[k] * index[k] for k in range(3) if row[k]]
        sums.append(sum(parts[1:], parts[0]) + row[3])
    return sums[0], sums[1], sums[2]
