"""The field is one half on a surface that is known, whatever coil, noise and slices."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.geometry.grid import Grid, from_scan
from faceblind.head.segmentation import find_head
from faceblind.head.skin_field import _join_slices, _noise, _signed_distance, skin_field
from faceblind.scan import Scan

RADIUS = 60.0


def ball(spacing: tuple[float, float, float], *, gain: float = 0.0, noise: float = 0.0) -> Scan:
    """A ball of `RADIUS` around 0; brightness rises with x by `gain` from middle to surface."""
    shape = tuple(int(150.0 / s) for s in spacing)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) * spacing / 2.0
    place = np.moveaxis(np.indices(shape), 0, -1) * spacing + affine[:3, 3]
    radius = np.linalg.norm(place, axis=-1)
    signal = 500.0 * (1.0 + gain * place[..., 0] / RADIUS)
    voxels = 50.0 + np.clip((RADIUS - radius) / 2.0 + 0.5, 0, 1) * signal
    voxels += np.random.default_rng(0).normal(0, noise, shape) if noise else 0.0
    return Scan(voxels.astype(np.float32), affine, "T1w")


def field_of(scan: Scan) -> Grid:
    return skin_field(from_scan(scan), find_head(scan))


def crossings(field: Grid) -> list[float]:
    """Distances from the middle at which the six half axes of a grid cross one half, mm."""
    found = []
    middle = np.linalg.solve(field.affine, [0.0, 0.0, 0.0, 1.0])[:3]
    near = np.round(middle).astype(int)
    for axis in range(3):
        line = field.values[tuple(slice(None) if k == axis else near[k] for k in range(3))].astype(
            float
        )
        for way in (1, -1):
            row = line[near[axis] :: way]
            last = int(np.flatnonzero(row > 0.5)[-1])
            part = (row[last] - 0.5) / (row[last] - row[last + 1])
            offset = (last + part) * way + near[axis] - middle[axis]
            found.append(abs(offset) * float(field.spacing[axis]))
    return found


@pytest.mark.parametrize("gain", [0.0, 0.5])
def test_one_half_lies_on_the_skin_in_the_dark_and_in_the_bright(gain: float) -> None:
    field = field_of(ball((1.5, 1.5, 1.5), gain=gain))
    assert field.values.dtype == np.float32
    assert field.values.min() == 0.0
    assert field.values.max() == 1.0
    assert crossings(field) == pytest.approx([RADIUS] * 6, abs=0.5)


def test_noise_moves_the_skin_little_and_leaves_the_inside_whole() -> None:
    field = field_of(ball((2.0, 2.0, 2.0), noise=40.0))
    assert crossings(field) == pytest.approx([RADIUS] * 6, abs=1.2)
    middle = np.round(np.linalg.inv(field.affine)[:3, 3]).astype(int)
    inner = tuple(slice(n - 20, n + 20) for n in middle)
    assert field.values[inner].min() > 0.8


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [((0.8, 1.2, 1.5), (1.0, 1.2, 1.5)), ((2.0, 2.0, 2.0), (1.5, 1.5, 1.5)),
     ((1.5, 1.5, 5.0), (1.5, 1.5, 1.5))],
)  # fmt: skip
def test_the_grid_has_about_one_millimetre(
    spacing: tuple[float, float, float], expected: tuple[float, float, float]
) -> None:
    scan = ball(spacing)
    field = field_of(scan)
    assert field.spacing == pytest.approx(expected, rel=0.02)
    # The field of view stays: outer faces of the corner voxels.
    for corner in (np.full(3, -0.5), np.array(field.values.shape) - 0.5):
        there = field.affine[:3, :3] @ corner + field.affine[:3, 3]
        assert np.abs(there) == pytest.approx(np.array(scan.shape) * spacing / 2, abs=1e-6)


def test_thick_slices_are_joined_by_shape() -> None:
    """A cone's radius falls by 3 mm from slice to slice; between two slices lies the mean."""
    x, y, z = np.indices((61, 61, 6)).astype(float)
    radius = 26.0 - 3.0 * np.abs(z - 2.0)
    cone = np.clip(radius - np.hypot(x - 30, y - 30) + 0.5, 0, 1).astype(np.float32)
    affine = np.diag([1.0, 1.0, 6.0, 1.0])
    joined = _join_slices(Grid(cone, affine), 2)
    assert joined.values.shape == (61, 61, 30)
    assert joined.spacing == pytest.approx([1.0, 1.0, 1.2])
    half = np.linalg.inv(joined.affine) @ affine @ [0.0, 0.0, 3.5, 1.0]
    area = float((joined.values[..., round(half[2])] > 0.5).sum())
    assert np.sqrt(area / np.pi) == pytest.approx(21.5, abs=0.7)


def test_the_distance_to_an_outline_is_known_to_a_fraction_of_a_pixel() -> None:
    x, y = np.indices((64, 64)).astype(float)
    true = 20.0 - np.hypot(x - 31.5, y - 31.5)
    picture = np.clip(true + 0.5, 0, 1).astype(np.float32)
    found = _signed_distance(picture, np.ones(2))
    ring = np.abs(true) < 8
    assert np.abs(found - true)[ring].max() < 0.4
    assert (_signed_distance(np.zeros((8, 8), np.float32), np.ones(2)) < -3).all()
    assert (_signed_distance(np.ones((8, 8), np.float32), np.ones(2)) > 3).all()


def test_noise_is_measured_in_the_air_only() -> None:
    rng = np.random.default_rng(0)
    coverage = np.zeros((40, 40, 40), np.float32)
    coverage[:20] = 1.0
    field = np.where(coverage > 0, rng.normal(1, 0.4, coverage.shape), 0.0)
    field[20:] = rng.normal(0, 0.07, field[20:].shape)
    assert _noise(field.astype(np.float32), coverage) == pytest.approx(0.07, rel=0.05)
    assert _noise(field.astype(np.float32), np.ones_like(coverage)) == 0.0
