"""Heads whose shape, pose and inside are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from faceblind.head.align import Alignment
from faceblind.head.icp import fit_affine
from faceblind.head.skin import find_skin
from faceblind.head.template import REGIONS, load_template
from faceblind.protect.blank import Head
from faceblind.scan import Scan
from faceblind.volunteers.raster import fill

SPACING = 2.0
NOISE = 12.0


@dataclass(frozen=True)
class Phantom:
    """A scan, what is true of it, and the head that a perfect alignment finds."""

    scan: Scan
    brain: NDArray[np.bool_]
    head: Head


@pytest.fixture(scope="session")
def phantom() -> Callable[..., Phantom]:
    """Factory of heads: ``phantom(seed=..., turn=..., fat=..., ...)``."""
    return _phantom


@lru_cache(maxsize=16)
def _phantom(
    seed: int = 1,
    spread: float = 1.0,
    turn: tuple[float, float, float] = (4.0, -6.0, 3.0),
    shift: tuple[float, float, float] = (3.0, -5.0, 8.0),
    fat: float = 900.0,
    cover_mm: float = 12.0,
    air: float = 100.0,
    noise: float = NOISE,
    volumes: int = 1,
) -> Phantom:
    template = load_template()
    rng = np.random.default_rng(seed)
    shape = np.clip(rng.normal(0, spread, len(template.modes)), -2, 2)
    to_scan = np.eye(4)
    to_scan[:3, :3] = Rotation.from_euler("zyx", turn, degrees=True).as_matrix()
    to_scan[:3, 3] = shift
    pose = np.linalg.inv(to_scan)
    points = template.shape(shape) @ to_scan[:3, :3].T + to_scan[:3, 3]
    low = points.min(axis=0) - 14
    size = tuple(int(n) for n in np.ceil((points.max(axis=0) + 14 - low) / SPACING))
    affine = np.diag([SPACING] * 3 + [1.0])
    affine[:3, 3] = low
    closed, faces = template.closed(points)
    covered = fill((closed - low) / SPACING, faces, size)
    inside = covered > 0.5
    depth = ndimage.distance_transform_edt(inside, SPACING)
    ijk = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1)
    place = (ijk * SPACING + low) @ pose[:3, :3].T + pose[:3, 3]
    _, y, z = np.moveaxis(place, -1, 0)
    floor = 38 - 0.6 * np.clip(20 - y, 0, 60)
    skull = inside & (z > floor) & (depth > 5)
    brain = skull & (depth > cover_mm) & (z > floor + 10)
    signal = np.full(size, 420.0)
    signal[depth < 5] = fat
    signal[skull] = 160.0
    signal[brain] = 600.0
    clean = air + covered * (signal - air)
    stack = [clean + rng.normal(0, noise, size) if noise else clean for _ in range(volumes)]
    voxels = np.rint(np.stack(stack, axis=-1) if volumes > 1 else stack[0]).astype(np.int16)
    scan = Scan(np.asfortranarray(voxels), affine, "T1w", f"phantom {seed}")
    skin = find_skin(scan)
    fitted = fit_affine(template.shape(shape), template.points) @ pose
    full = dict.fromkeys(REGIONS, 1.0)
    alignment = Alignment(fitted, pose, shape, 0.5, 1.0, full, dict(full), template)
    return Phantom(scan, brain, Head(skin, alignment))
