"""Two volumes of one contrast registered to each other by least squares, on coarse voxels.

Inverse compositional steps (Baker and Matthews 2004, Int J Comput Vision 56:221): the slopes are
those of the model, found once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.geometry.grid import Volume, blur
from faceblind.geometry.icp import rigid_update
from faceblind.head.reference_volume import coarse
from faceblind.scan import Scan

WORKING_MM = 3.0
SOFT_MM, FINE_MM = 7.0, 2.5
"""Gaussians of the first steps, which find their way from afar, and of the last."""
STEPS = 25
RADIUS_MM = 90.0
LEAST_OVERLAP = 0.4


@dataclass(frozen=True)
class Coarse:
    """A volume at two widths of blur, for looking up values at places in mm."""

    soft: Volume
    fine: Volume
    to_index: NDArray[np.float64]

    @classmethod
    def of(cls, scan: Scan) -> Coarse:
        """Of a scan's first volume."""
        values, affine = coarse(scan, WORKING_MM)
        # Vessels, fat and metal would outweigh the rest of the head.
        values = np.minimum(values, np.float32(np.quantile(values[::2, ::2, ::2], 0.995)))
        spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
        fine = blur(values, FINE_MM / spacing)
        return cls(blur(fine, SOFT_MM / spacing), fine, np.asarray(np.linalg.inv(affine)))

    def at(
        self, values: Volume, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Values (N,) at places in mm, and which of them lie in the volume."""
        index = apply_affine(self.to_index, points)
        last = np.array(values.shape) - 1
        inside = ((index >= -0.5) & (index <= last + 0.5)).all(axis=1)
        found = ndimage.map_coordinates(values, index.T, order=1, mode="nearest")
        return found.astype(np.float64), np.asarray(inside, np.bool_)


@dataclass(frozen=True)
class Model:
    """What volumes are compared with: values and their slopes at places in leader's mm."""

    points: NDArray[np.float64]
    centre: NDArray[np.float64]
    seen: NDArray[np.bool_]
    values: tuple[NDArray[np.float64], NDArray[np.float64]]
    slopes: tuple[NDArray[np.float64], NDArray[np.float64]]
    levels: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        volume: Coarse,
        levels: NDArray[np.int64],
        points: NDArray[np.float64],
        move: NDArray[np.float64],
    ) -> Model:
        """Of a volume whose head was found: `move` takes its mm to the leader's."""
        back = np.linalg.inv(move)
        centre = points.mean(axis=0)
        values, slopes = [], []
        seen = np.ones(len(points), bool)
        for array in (volume.soft, volume.fine):
            here, inside = volume.at(array, apply_affine(back, points))
            seen &= inside
            values.append(here)
            slope = []
            for axis in range(3):
                step = np.zeros(3)
                step[axis] = 0.5 * WORKING_MM
                ahead, behind = (
                    volume.at(array, apply_affine(back, points + sign * step))[0]
                    for sign in (1.0, -1.0)
                )
                slope.append((ahead - behind) / WORKING_MM)
            g = np.stack(slope, axis=1)
            slopes.append(np.hstack([np.cross(points - centre, g), g]))
        return cls(points, centre, seen, (values[0], values[1]), (slopes[0], slopes[1]), levels)

    def fit(
        self, volume: Coarse, start: NDArray[np.float64], width: int
    ) -> tuple[NDArray[np.float64], float]:
        """Leader's mm to the volume's, by least squares from a start, and the correlation."""
        array = (volume.soft, volume.fine)[width]
        target, slopes = self.values[width], self.slopes[width]
        back, best, good = start, start, -1.0
        for _ in range(STEPS):
            found, inside = volume.at(array, apply_affine(back, self.points))
            inside &= self.seen
            if inside.mean() < LEAST_OVERLAP:
                break
            a, b = found[inside], target[inside]
            similarity = correlation(a, b)
            if similarity > good + 1e-5:
                best, good = back, similarity
            own, wanted = float(a.std()), float(b.std())
            if own == 0.0:
                break
            gain = similarity * wanted / own
            # A negative gain would drive the volumes apart.
            error = max(gain, 1e-6) * (a - a.mean()) - (b - b.mean())
            slope = slopes[inside] - slopes[inside].mean(axis=0)
            step = np.linalg.lstsq(slope.T @ slope, slope.T @ error, rcond=None)[0]
            size = RADIUS_MM * np.linalg.norm(step[:3]) + np.linalg.norm(step[3:])
            if not np.isfinite(size):
                break
            step *= 15.0 / max(float(size), 15.0)
            back = back @ np.linalg.inv(rigid_update(step, self.centre))
            if size < 0.02:
                break
        return best, good


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Pearson's, of two rows of values (N,); 0 where one is constant."""
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def best_shift(volume: Coarse, model: Model) -> NDArray[np.float64]:
    """Leader's mm to a volume's: the shift of a coarse lattice with the greatest correlation."""
    points, target = model.points[::6], model.values[0][::6]
    best, good = np.eye(4), -1.0
    reach = np.arange(-45.0, 46.0, 15.0)
    for shift in np.stack(np.meshgrid(reach, reach, reach, indexing="ij"), -1).reshape(-1, 3):
        if np.abs(shift).sum() > 60.0:
            continue
        found, inside = volume.at(volume.soft, points + shift)
        inside &= model.seen[::6]
        if inside.mean() < LEAST_OVERLAP:
            continue
        similarity = correlation(found[inside], target[inside])
        if similarity > good:
            good = similarity
            best = np.eye(4)
            best[:3, 3] = shift
    return best
