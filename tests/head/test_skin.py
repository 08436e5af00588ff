"""Skin of phantoms whose surface is known, and of the real scans."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceblind.errors import ScanError
from faceblind.head.segmentation import find_head
from faceblind.head.skin import Skin, find_skin
from faceblind.scan import Scan

RADIUS = 70.0
Distance = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def sphere(centre: tuple[float, ...] = (0, 0, 0), radius: float = RADIUS) -> Distance:
    return lambda xyz: np.linalg.norm(xyz - np.array(centre), axis=-1) - radius


def grid_affine(
    spacing: tuple[float, ...] = (2.0, 2.0, 2.0), fov: tuple[float, ...] = (180, 180, 180)
) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Affine and shape of a field of view centred a little off the voxel lattice."""
    shape = tuple(round(f / s) for f, s in zip(fov, spacing, strict=True))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) * spacing / 2 + np.array([0.3, -0.6, 0.45])
    return affine, shape


def world(affine: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    ijk = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    return ijk @ affine[:3, :3].T + affine[:3, 3]


def paint(
    distance: Distance,
    affine: NDArray[np.float64],
    shape: tuple[int, ...],
    *,
    tissue: float = 1000.0,
    air: float = 0.0,
    shade: float = 0.0,
    samples: int = 3,
) -> NDArray[np.float32]:
    """Partial volume by averaging `samples`**3 points in each voxel; linear shading along x."""
    xyz = world(affine, shape)
    inside = np.zeros(shape)
    offsets = np.stack(np.meshgrid(*[np.arange(samples)] * 3), axis=-1).reshape(-1, 3)
    offsets = (offsets - (samples - 1) / 2) / samples
    width = np.abs(affine[:3, :3]).max() / samples
    for offset in offsets @ affine[:3, :3].T:
        inside += np.clip(0.5 - distance(xyz + offset) / width, 0, 1) / len(offsets)
    gain = 1 + shade * xyz[..., 0] / 90
    return (air + (tissue - air) * inside * gain).astype(np.float32)


def rician(values: NDArray[np.float32], sigma: float, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    real = values + rng.normal(0, sigma, values.shape)
    return np.hypot(real, rng.normal(0, sigma, values.shape)).astype(np.float32)


def radii(skin: Skin, centre: tuple[float, ...] = (0, 0, 0)) -> NDArray[np.float64]:
    return np.linalg.norm(skin.points - np.array(centre), axis=1)


def area_and_volume(skin: Skin) -> tuple[float, float]:
    a, b, c = (skin.points[skin.faces[:, i]].astype(float) for i in range(3))
    cross = np.cross(b - a, c - a)
    return float(np.linalg.norm(cross, axis=1).sum() / 2), float((a * cross).sum() / 6)


def is_closed(skin: Skin) -> bool:
    """Each directed edge once, and its reverse once."""
    f = skin.faces.astype(np.int64)
    start, end = f.ravel(), np.roll(f, -1, axis=1).ravel()
    n = len(skin.points)
    forward, backward = np.sort(start * n + end), np.sort(end * n + start)
    return bool((np.diff(forward) > 0).all() and (forward == backward).all())


def sphere_scan(noise: float = 0.0, shade: float = 0.0, **kwargs: float) -> Scan:
    affine, shape = grid_affine()
    values = paint(sphere(), affine, shape, shade=shade, **kwargs)
    return Scan(rician(values, noise) if noise else values, affine)


def test_clean_sphere_is_exact() -> None:
    skin = find_skin(sphere_scan())
    area, volume = area_and_volume(skin)
    assert area == pytest.approx(4 * np.pi * RADIUS**2, rel=0.01)
    assert volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.01)
    assert np.sqrt(np.mean((radii(skin) - RADIUS) ** 2)) < 0.1
    assert is_closed(skin)
    assert not skin.edge.any()
    assert skin.points.dtype == np.float32
    assert skin.faces.dtype == np.int32
    assert skin.normals.dtype == np.float32


@pytest.mark.parametrize(("noise", "shade"), [(30, 0.0), (30, 0.6), (60, 0.3)])
def test_noise_and_shading_move_the_skin_by_a_tenth_of_a_voxel(noise: float, shade: float) -> None:
    skin = find_skin(sphere_scan(noise, shade))
    error = radii(skin) - RADIUS
    assert abs(error.mean()) < 0.15
    assert np.sqrt(np.mean(error**2)) < 0.2
    area, _ = area_and_volume(skin)
    assert area == pytest.approx(4 * np.pi * RADIUS**2, rel=0.01)
    outward = skin.points / radii(skin)[:, None]
    angle = np.degrees(np.arccos(np.clip((outward * skin.normals).sum(1), -1, 1)))
    assert np.median(angle) < 3
    assert is_closed(skin)


def test_thick_slices_leave_no_terraces() -> None:
    affine, shape = grid_affine((1.25, 1.25, 5.0))
    skin = find_skin(Scan(rician(paint(sphere(), affine, shape), 20), affine))
    error = radii(skin) - RADIUS
    area, _ = area_and_volume(skin)
    # Terraces lengthen the way along the surface.
    assert area == pytest.approx(4 * np.pi * RADIUS**2, rel=0.02)
    tropics = np.abs(skin.points[:, 2]) < 50
    assert np.sqrt(np.mean(error[tropics] ** 2)) < 0.5
    assert np.abs(error).max() < 2.5
    assert is_closed(skin)


def test_fine_data_are_not_oversampled() -> None:
    affine, shape = grid_affine((0.7, 0.7, 0.7), (130, 130, 130))
    skin = find_skin(
        Scan(paint(sphere(radius=55.0), affine, shape, samples=1).astype(np.int16), affine)
    )
    edges = skin.points[skin.faces[:, 0]] - skin.points[skin.faces[:, 1]]
    assert np.median(np.linalg.norm(edges, axis=1)) > 0.6
    assert np.sqrt(np.mean((radii(skin) - 55.0) ** 2)) < 0.1


def test_cavities_and_narrow_openings_are_inside() -> None:
    def with_airway(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        cavity = np.linalg.norm(xyz - [0, 20, 0], axis=-1) - 25
        canal = np.maximum(np.hypot(xyz[..., 0], xyz[..., 2]) - 2.5, -xyz[..., 1])
        return np.maximum(sphere()(xyz), -np.minimum(cavity, canal))

    affine, shape = grid_affine()
    scan = Scan(rician(paint(with_airway, affine, shape), 20), affine)
    skin = find_skin(scan)
    assert radii(skin).min() > RADIUS - 6
    assert find_head(scan).litres == pytest.approx(4 / 3 * np.pi * 0.07**3 * 1000, rel=0.1)


def capsule(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.norm(xyz - [0, 0, RADIUS + 6], axis=-1) - 6


def headphones(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """A band of 3 mm around the head, 8 mm away, from ear to ear."""
    ring = np.abs(np.hypot(xyz[..., 0], xyz[..., 1]) - (RADIUS + 10)) - 1.5
    return np.maximum(ring, np.abs(xyz[..., 2]) - 10)


def wrapped(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.norm(xyz - [0, -95, 0], axis=-1) - 18


def table(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """A curved shell of 3 mm, 3.5 mm under the head."""
    shell = np.abs(np.hypot(xyz[..., 0], xyz[..., 1] - 30) - (RADIUS + 35)) - 1.5
    return np.maximum(shell, xyz[..., 1] + 40)


@pytest.mark.parametrize(
    ("thing", "trace"), [(capsule, 6), (headphones, 0.5), (wrapped, 0.5), (table, 0.5)]
)
def test_foreign_things_are_left_out(thing: Distance, trace: float) -> None:
    affine, shape = grid_affine(fov=(190, 190, 190))

    def both(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.minimum(sphere()(xyz), thing(xyz))

    skin = find_skin(Scan(rician(paint(both, affine, shape), 25), affine))
    error = radii(skin) - RADIUS
    # Where it touches, another thing may leave a trace of some millimetres.
    assert error.max() < trace
    assert (np.abs(error) > 1).mean() < 0.02


def test_wrapped_nose_on_the_back_of_the_head_is_cut_off() -> None:
    affine, shape = grid_affine(fov=(180, 160, 180))

    def with_nose(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        nose = np.linalg.norm(xyz - [0, RADIUS + 6, 0], axis=-1) - 14
        return np.minimum(sphere((0, -4, 0))(xyz), nose)

    whole_affine, whole_shape = affine.copy(), (shape[0], shape[1] + 20, shape[2])
    whole = paint(with_nose, whole_affine, whole_shape)
    values = whole[:, : shape[1]].copy()
    values[:, :20] = np.maximum(values[:, :20], whole[:, shape[1] :])
    skin = find_skin(Scan(rician(values, 15), affine))
    behind = skin.points[:, 1] < -30
    error = radii(skin, (0, -4, 0))[behind] - RADIUS
    # The copy is 11 mm high; the web between it and the head may stay.
    assert error.max() < 8
    assert (error > 3).mean() < 0.03
    assert skin.edge[skin.points[:, 1] > 77].all()


def test_ears_and_nose_are_kept() -> None:
    def with_ears(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        ear = np.maximum(
            np.abs(xyz[..., 1] + 0.25 * np.abs(xyz[..., 0])) - 2.5,
            np.hypot(np.abs(xyz[..., 0]) - RADIUS, xyz[..., 2]) - 15,
        )
        nose = np.linalg.norm(xyz - [0, RADIUS + 2, 0], axis=-1) - 12
        return np.minimum(np.minimum(sphere()(xyz), ear), nose)

    affine, shape = grid_affine()
    skin = find_skin(Scan(rician(paint(with_ears, affine, shape), 20), affine))
    x, y, _ = skin.points.T
    assert y.max() == pytest.approx(RADIUS + 14, abs=0.5)
    assert x.max() > RADIUS + 11
    assert x.min() < -RADIUS - 11


def test_field_of_view_cut_is_capped_and_marked() -> None:
    affine, shape = grid_affine(fov=(180, 180, 120))
    affine[2, 3] = -40.0
    skin = find_skin(Scan(rician(paint(sphere(), affine, shape), 20), affine))
    assert is_closed(skin)
    low = skin.points[:, 2].min()
    assert low == pytest.approx(-41, abs=1.0)
    cap = skin.points[:, 2] < low + 0.2
    assert cap.sum() > 1000
    assert skin.edge[cap].all()
    assert not skin.edge[skin.points[:, 2] > low + 4].any()
    free = ~skin.edge
    assert np.sqrt(np.mean((radii(skin)[free] - RADIUS) ** 2)) < 0.3


@pytest.mark.parametrize(
    ("air", "tissue", "scale"), [(-1000.0, 40.0, 1.0), (24.0, 1064.0, 1.0), (0.0, 0.35, 1.0)]
)
def test_computed_tomography(air: float, tissue: float, scale: float) -> None:
    affine, shape = grid_affine()
    values = paint(sphere(), affine, shape, air=air, tissue=tissue)
    skull = np.abs(np.linalg.norm(world(affine, shape), axis=-1) - (RADIUS - 9)) < 3
    values[skull] = air + 2 * (tissue - air)
    noise = np.random.default_rng(1).normal(0, 0.01 * (tissue - air), shape)
    values = np.maximum(values + noise, air - 24 if air else 0).astype(np.float32)
    if air < 0:
        beyond = np.linalg.norm(world(affine, shape)[..., :2], axis=-1) > 88
        values[beyond] = -3024
    skin = find_skin(Scan(values, affine, modality="CT"))
    assert np.sqrt(np.mean((radii(skin) - RADIUS) ** 2)) < 0.2


def test_zeroed_background() -> None:
    scan = sphere_scan(20)
    values = scan.voxels.copy()
    values[values < 90] = 0
    skin = find_skin(Scan(values.astype(np.uint16), scan.affine))
    assert np.sqrt(np.mean((radii(skin) - RADIUS) ** 2)) < 0.2


def test_storage_order_does_not_move_the_skin() -> None:
    affine, shape = grid_affine((2.0, 1.5, 2.5))
    values = rician(paint(lambda x: sphere((5, -3, 2), 60)(x), affine, shape), 20)
    reference = find_skin(Scan(values, affine))
    flipped = affine.copy()
    flipped[:, 3] += affine[:, 0] * (shape[0] - 1)
    flipped[:, 0] *= -1
    swapped = flipped[:, [2, 0, 1, 3]]
    other = find_skin(Scan(np.asfortranarray(values[::-1].transpose(2, 0, 1)), swapped))
    for skin in (reference, other):
        assert np.sqrt(np.mean((radii(skin, (5, -3, 2)) - 60) ** 2)) < 0.2
        assert area_and_volume(skin)[1] > 0
        assert is_closed(skin)
    assert area_and_volume(reference) == pytest.approx(area_and_volume(other), rel=1e-3)


def test_rotated_affine() -> None:
    affine, shape = grid_affine()
    angle = 0.4
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = 10, 20, 30
    values = paint(sphere(), affine, shape)
    plain, turned = find_skin(Scan(values, affine)), find_skin(Scan(values, turn @ affine))
    moved = plain.points @ turn[:3, :3].T + turn[:3, 3]
    assert np.allclose(turned.points, moved, atol=1e-3)
    assert np.allclose(turned.normals, plain.normals @ turn[:3, :3].T, atol=1e-3)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scale=st.floats(1e-3, 1e4), offset=st.floats(-500, 500))
def test_units_of_intensity_do_not_matter(scale: float, offset: float) -> None:
    affine, shape = grid_affine((4.0, 4.0, 4.0))
    values = rician(paint(sphere(), affine, shape), 30)
    reference = find_skin(Scan(values, affine))
    other = find_skin(Scan((values.astype(np.float64) + offset) * scale, affine))
    assert radii(other).mean() == pytest.approx(radii(reference).mean(), abs=0.05)


def test_four_dimensional_scan_uses_its_first_volume() -> None:
    scan = sphere_scan()
    series = np.stack([scan.voxels, np.zeros_like(scan.voxels)], axis=-1)
    skin = find_skin(Scan(series, scan.affine))
    assert np.sqrt(np.mean((radii(skin) - RADIUS) ** 2)) < 0.1


def test_not_finite_voxels_count_as_air() -> None:
    scan = sphere_scan()
    values = scan.voxels.copy()
    values[:5] = np.nan
    assert np.sqrt(np.mean((radii(find_skin(Scan(values, scan.affine))) - RADIUS) ** 2)) < 0.1


@pytest.mark.parametrize(
    ("values", "spacing", "message"),
    [
        (np.full((60, 60, 60), 7, np.int16), 3.0, "same value"),
        (np.full((60, 60, 60), np.nan, np.float32), 3.0, "no finite voxel"),
        (np.random.default_rng(0).rayleigh(10, (60, 60, 60)), 3.0, "head's size"),
        (np.random.default_rng(0).normal(0, 1, (60, 60, 60)), 3.0, "head's size"),
        (np.random.default_rng(0).rayleigh(10, (60, 60, 60)), 0.1, "cannot hold a head"),
    ],
)
def test_refusals(values: NDArray[np.generic], spacing: float, message: str) -> None:
    with pytest.raises(ScanError, match=message):
        find_skin(Scan(values, np.diag([spacing, spacing, spacing, 1.0]), source="x.nii"))


def test_small_object_is_refused() -> None:
    affine, shape = grid_affine()
    with pytest.raises(ScanError, match="head's size"):
        find_skin(Scan(rician(paint(sphere(radius=40.0), affine, shape), 20), affine))


@pytest.mark.slow
def test_real_scans(shared: Path) -> None:
    for path in sorted((shared / "scans").glob("*.nii.gz")):
        if path.name.startswith(("fruit", "ct_pitch", "spm152")):
            continue
        image = nib.load(path)
        skin = find_skin(Scan(np.asarray(image.dataobj), image.affine, source=path.name))
        assert is_closed(skin), path.name
        assert 2.5e6 < area_and_volume(skin)[1] < 5.5e6, path.name
