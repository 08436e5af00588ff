"""What a magnetic resonance scanner adds to and takes from the ideal picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.scanner.clinic import Traits
from faceblind.volunteers.scanner.field_of_view import FieldOfView
from faceblind.volunteers.scanner.protocols import Protocol
from faceblind.volunteers.scanner.settings import ScannerSettings

Volume = NDArray[np.float32]

_FAT_PPM = 3.5
_MHZ_PER_TESLA = 42.577
_READ_OUT = {False: 2, True: 0}
"""Read-out axis of 3-D (superior) and of slices (right); the phase encoding is anterior."""

# Nose tip, nostrils and lips: how many millimetres a pit grows per unit of `dropout`.
_PITS = {
    "pronasale": 1.8, "subnasale": 1.0, "alare_left": 1.1, "alare_right": 1.1,
    "labiale_superius": 1.0, "stomion": 1.1, "labiale_inferius": 0.8,
}  # fmt: skip

# How much longer echo times and missing refocusing enlarge what the field disturbs.
_SUSCEPTIBLE = {"inversion-echo": 0.7, "spoiled-echo": 1.6, "spin-echo": 0.5,
                "inversion-spin-echo": 0.5, "ct": 0.0}  # fmt: skip


@dataclass(frozen=True)
class Metal:
    """Metal in someone's teeth: (N, 3) places in the template frame and (N,) relative sizes."""

    places: NDArray[np.float64]
    sizes: NDArray[np.float64]


def draw_metal(
    rng: np.random.Generator, settings: ScannerSettings, stomion: NDArray[np.floating]
) -> Metal:
    """One to four fillings or crowns along the dental arches, or none.

    `stomion` (3,) is the average head's, mm, template frame.
    """
    count = int(rng.integers(1, 5))
    has = rng.random() < settings.dental
    angle = rng.uniform(-1.25, 1.25, 4)
    up = rng.choice([-5.0, 5.0], 4)
    sizes = rng.lognormal(0.0, 0.4, 4)
    places = stomion + np.column_stack(
        [26 * np.sin(angle), -38 + 26 * np.cos(angle), up]
    )  # fmt: skip
    keep = count if has else 0
    return Metal(places[:keep], sizes[:keep])


def with_bridge(
    metal: Metal, settings: ScannerSettings, stomion: NDArray[np.floating], traits: Traits
) -> Metal:
    """The metal and one more piece beside the molars, whose hole has the radius of the traits."""
    place = stomion + np.array([24.0 * traits.metal_side, -26.0, -6.0])
    # An inversion-prepared gradient echo makes holes of `dental_mm` times this.
    size = traits.metal_mm / (settings.dental_mm * _SUSCEPTIBLE["inversion-echo"])
    return Metal(np.vstack([metal.places, place]), np.append(metal.sizes, size))


def blur(volume: Volume, sigma: float | tuple[float, float, float]) -> Volume:
    """Gaussian blur of a volume, sigma in voxels (per axis)."""
    sigmas = np.broadcast_to(np.asarray(sigma, float), (3,))
    kernels = [
        cv2.getGaussianKernel(2 * int(np.ceil(2.5 * s)) + 1, float(s), cv2.CV_32F)
        if s > 0.15
        else np.ones((1, 1), np.float32)
        for s in sigmas
    ]
    size = volume.shape
    border = cv2.BORDER_REPLICATE
    out = volume
    if len(kernels[0]) > 1:
        flat = out.reshape(size[0], -1)
        one = np.ones((1, 1), np.float32)
        along = cv2.sepFilter2D(flat, -1, one, kernels[0], borderType=border)
        out = np.asarray(along, np.float32).reshape(size)
    if max(len(kernels[1]), len(kernels[2])) > 1:
        out = np.stack(
            [cv2.sepFilter2D(r, -1, kernels[2], kernels[1], borderType=border) for r in out]
        )
    return out


def shift(volume: Volume, by: float, axis: int) -> Volume:
    """Move a volume by a fraction of voxels along an axis, linearly; empty voxels move in."""
    if abs(by) < 1e-3:
        return volume
    whole = int(np.floor(by))
    part = np.float32(by - whole)
    out = np.zeros_like(volume)
    for step, weight in ((whole, 1 - part), (whole + 1, part)):
        if weight == 0 or abs(step) >= volume.shape[axis]:
            continue
        source: list[slice] = [slice(None)] * 3
        target: list[slice] = [slice(None)] * 3
        source[axis] = slice(max(0, -step), volume.shape[axis] - max(0, step))
        target[axis] = slice(max(0, step), volume.shape[axis] - max(0, -step))
        out[tuple(target)] += weight * volume[tuple(source)]
    return out


def chemical_shift(protocol: Protocol, settings: ScannerSettings) -> float:
    """Voxels by which fat moves along the read-out: 3.5 ppm over the bandwidth per pixel."""
    hertz = _FAT_PPM * _MHZ_PER_TESLA * protocol.tesla
    return settings.fat_shift * hertz / protocol.bandwidth_hz


def mix_fat(
    water: Volume, fat: Volume, protocol: Protocol, settings: ScannerSettings, direction: float
) -> Volume:
    """Water and displaced fat together; `direction` is 1 or -1."""
    by = direction * chemical_shift(protocol, settings)
    water += shift(fat, by, _READ_OUT[protocol.slices])
    return water


def _near(
    volume: Volume, affine: NDArray[np.float64], centre: NDArray[np.float64], reach: float
) -> tuple[tuple[slice, ...], Volume] | None:
    """Box of voxels around a place and their squared distances from it in mm^2."""
    inverse = np.linalg.inv(affine)
    index = inverse[:3, :3] @ centre + inverse[:3, 3]
    size = np.linalg.norm(inverse[:3, :3], axis=1) * reach
    low = np.maximum(np.floor(index - size).astype(int), 0)
    high = np.minimum(np.ceil(index + size).astype(int) + 1, volume.shape)
    if (low >= high).any():
        return None
    grid = np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij")
    away = np.stack(grid, axis=-1) - index
    place = away @ affine[:3, :3].T
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return box, (place**2).sum(axis=-1).astype(np.float32)


def lose_signal(
    volume: Volume,
    affine: NDArray[np.float64],
    landmarks: dict[str, NDArray[np.float64]],
    metal: NDArray[np.float64],
    sizes: NDArray[np.float64],
    protocol: Protocol,
    settings: ScannerSettings,
    rng: np.random.Generator,
) -> None:
    """Pits where air is near, holes with a bright rim around metal, in place.

    `metal` (N, 3) is in scan mm.
    """
    strength = _SUSCEPTIBLE[protocol.sequence]
    depth = rng.standard_normal(len(_PITS))
    for (name, growth), draw in zip(_PITS.items(), depth, strict=True):
        size = settings.dropout * growth * strength / 0.7 * max(float(draw), 0.0)
        if size < 0.1:
            continue
        radius = 2.0 + 0.8 * size
        found = _near(volume, affine, landmarks[name], 3 * radius)
        if found:
            box, square = found
            volume[box] *= 1 - (1 - np.exp(-size)) * np.exp(-square / (2 * radius**2))
    for centre, size in zip(metal, sizes, strict=True):
        radius = settings.dental_mm * size * strength
        if radius < 1:
            continue
        found = _near(volume, affine, centre, radius + 8)
        if found:
            box, square = found
            edge = np.sqrt(square) - radius
            hole = 1 / (1 + np.exp(-np.clip(edge, -20, 20) * 1.5))
            rim = 0.5 * np.exp(-((edge - 2.0) ** 2) / 4.0)
            volume[box] *= hole * (1 + rim)


def join_slices(volume: Volume, view: FieldOfView) -> Volume:
    """Average sub-slices into slices, by their profile."""
    if view.parts == 1:
        return volume
    size = volume.shape
    return np.ascontiguousarray(
        volume.reshape(size[0], size[1], size[2] // view.parts, view.parts) @ view.profile
    )


def fold(volume: Volume, wrapped: int) -> Volume:
    """Fold rows in front of the field over to its back, as aliasing does."""
    if not wrapped:
        return volume
    kept = volume.shape[1] - wrapped
    out = volume[:, :kept].copy()
    out[:, :wrapped] += volume[:, kept:]
    return out


def move(
    volume: Volume, settings: ScannerSettings, spacing: NDArray[np.float64], draws: Volume
) -> Volume:
    """Doubled edges of a head that moved during a third of the series."""
    for axis in range(3):
        by = settings.motion_mm * float(draws[axis]) / spacing[axis]
        if abs(by) > 0.05:
            moved = shift(volume, by, axis)
            moved -= volume
            moved *= np.float32(0.3)
            volume = volume + moved
    return volume


def ghost(volume: Volume, settings: ScannerSettings, draws: Volume) -> None:
    """Replicas along the phase-encoding axis, in place: at half the field and nearer ones."""
    if settings.ghosting <= 0:
        return
    size = volume.shape[1]
    source = volume.copy()
    for fraction, weight in ((0.5, 1.0), (0.18 + 0.1 * float(draws[0]), 0.7)):
        amount = np.float32(settings.ghosting * weight * (0.4 + 1.2 * float(draws[1])))
        step = int(fraction * size)
        volume += amount * np.roll(source, step, axis=1)
        if weight < 1:
            volume += amount * np.roll(source, -step, axis=1)


def receive(volume: Volume, settings: ScannerSettings, rng: np.random.Generator) -> None:
    """Multiply by the coil's sensitivity, in place; it fades at the neck, where a coil ends."""
    axes = [np.linspace(-1, 1, n, dtype=np.float32) for n in volume.shape]
    spread = np.float32(settings.shading * rng.uniform(0.5, 1.3))
    slope = rng.normal(0, 0.3, 3).astype(np.float32)
    curve = rng.uniform(0.2, 0.9, 3).astype(np.float32)
    terms = [
        (spread * (slope[k] * axes[k] + curve[k] * (axes[k] ** 2 - np.float32(0.4)))).reshape(
            [-1 if a == k else 1 for a in range(3)]
        )
        for k in range(3)
    ]
    fade = np.clip((axes[2] + 1.25) / 0.55, 0.25, 1) if settings.shading > 0 else 1.0
    plane = 1 + terms[1] + terms[2]
    for i in range(volume.shape[0]):
        volume[i] *= np.maximum((plane[0] + terms[0][i, 0, 0]) * fade, 0.15)


def detect(
    volume: Volume, noise: float, scale: float, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Rician noise (Gudbjartsson & Patz 1995, Magn Reson Med 34:910) and whole numbers."""
    out = np.empty(volume.shape, np.int16)
    sigma = np.float32(noise)
    for i in range(volume.shape[0]):
        noisy = rng.standard_normal((2, *volume.shape[1:]), np.float32)
        noisy *= sigma
        noisy[0] += volume[i]
        magnitude = np.hypot(noisy[0], noisy[1])
        magnitude *= np.float32(scale)
        out[i] = np.rint(np.minimum(magnitude, 32000, out=magnitude))
    return out
