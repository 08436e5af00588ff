"""Computed tomography of a volunteer: Hounsfield units, their noise, streaks from metal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.scanner.artefacts import blur
from faceblind.volunteers.scanner.settings import ScannerSettings

PADDING_HU = -1024
"""Outside the circle that is reconstructed."""

HIGHEST_HU = 3071
"""Twelve bits end here."""

_NOISE_HU = 125.0
"""Per unit of `ScannerSettings.noise`: 0.04 is 5 HU, usual for a head at 1 mm."""


def add_streaks(
    volume: NDArray[np.float32],
    affine: NDArray[np.float64],
    metal: NDArray[np.float64],
    sizes: NDArray[np.float64],
    settings: ScannerSettings,
    rng: np.random.Generator,
) -> None:
    """Bright metal with rays of both signs in its slices, in place (values in HU)."""
    phase = rng.uniform(0, 2 * np.pi, (4, 3))
    inverse = np.linalg.inv(affine)
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    x, y = np.ogrid[: volume.shape[0], : volume.shape[1]]
    for n, (centre, size) in enumerate(zip(metal, sizes, strict=True)):
        i, j, k = inverse[:3, :3] @ centre + inverse[:3, 3]
        dx, dy = (x - i) * spacing[0], (y - j) * spacing[1]
        away = np.hypot(dx, dy)
        angle = np.arctan2(dy, dx)
        rays = sum(np.cos((5 + 4 * m) * angle + phase[n, m]) for m in range(3))
        strength = 40 * settings.dental_mm * size / (1 + away / 12)
        reach = max(2, int(0.35 * settings.dental_mm * size / spacing[2]))
        for plane in range(max(0, int(k) - reach), min(volume.shape[2], int(k) + reach + 1)):
            fade = 1 - abs(plane - k) / (reach + 1)
            layer = volume[:, :, plane]
            inside = layer > -900
            layer += (fade * strength * rays * inside).astype(np.float32)
            layer[(away < 2.5) & (abs(plane - k) * spacing[2] < 3)] = HIGHEST_HU


def reconstruct(
    volume: NDArray[np.float32],
    spacing: NDArray[np.float64],
    settings: ScannerSettings,
    rng: np.random.Generator,
) -> NDArray[np.int16]:
    """Noise of a soft kernel, padding outside the circle, twelve bits of whole HU."""
    noise = rng.standard_normal(volume.shape, np.float32)
    noise = blur(noise, (0.8, 0.8, 0.4))
    noise *= np.float32(settings.noise * _NOISE_HU / max(float(noise[::7, ::7].std()), 1e-6))
    volume = volume + noise
    x = (np.arange(volume.shape[0]) - (volume.shape[0] - 1) / 2) * spacing[0]
    y = (np.arange(volume.shape[1]) - (volume.shape[1] - 1) / 2) * spacing[1]
    radius = min(-x[0], -y[0]) + spacing[0] / 2
    outside = np.hypot(x[:, None], y[None]) > radius
    result = np.rint(np.clip(volume, PADDING_HU, HIGHEST_HU)).astype(np.int16)
    result[outside] = PADDING_HU
    return result
