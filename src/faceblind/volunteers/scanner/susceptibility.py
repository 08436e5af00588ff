"""How air in and around the head disturbs the magnetic field."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.scanner.artefacts import blur
from faceblind.volunteers.scanner.protocols import Protocol
from faceblind.volunteers.scanner.settings import ScannerSettings

SLOPE_STEP = 3
"""Voxels of the anatomy per voxel of the map of slopes."""

SLOPE_UNIT = 0.002
"""ppm/mm per step of the map of slopes."""

_TISSUE_PPM = -9.4
"""Susceptibility of tissue against air (Schenck 1996, Med Phys 23:815)."""

_HZ_PER_PPM_TESLA = 42.577
_PADDING = 12


def field_slopes(air: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Gradient of the field that tissue and air make along the third axis.

    The dipole field in Fourier space, ``chi (1/3 - kz^2 / k^2)`` (Marques & Bowtell 2005, Concepts
    Magn Reson B 25:65).

    Parameters
    ----------
    air : (A, B, C) bool ndarray
        Air inside and around the head, upright, 1 mm voxels.

    Returns
    -------
    (A', B', C') uint8 ndarray
        Largest slope in and around each block of `SLOPE_STEP`^3 voxels, in `SLOPE_UNIT` ppm/mm.
    """
    size = [n // SLOPE_STEP for n in air.shape]
    cut = air[tuple(slice(n * SLOPE_STEP) for n in size)]
    blocks = cut.reshape(size[0], SLOPE_STEP, size[1], SLOPE_STEP, size[2], SLOPE_STEP)
    tissue = 1 - blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    # Blocks have steps where skin is smooth, and steps would dephase by themselves.
    source = np.pad(_TISSUE_PPM * blur(tissue, 1.0), _PADDING, mode="edge")
    axes = [np.fft.fftfreq(n) for n in source.shape]
    kx, ky, kz = np.meshgrid(*axes, indexing="ij")
    square = kx**2 + ky**2 + kz**2
    square[0, 0, 0] = 1
    field = np.fft.ifftn(np.fft.fftn(source) * (1 / 3 - kz**2 / square)).real
    slope = np.sqrt(sum(g**2 for g in np.gradient(field, SLOPE_STEP)))
    inner = slope[_PADDING:-_PADDING, _PADDING:-_PADDING, _PADDING:-_PADDING]
    return np.clip(inner / SLOPE_UNIT, 0, 255).astype(np.uint8)


def dephasing(
    protocol: Protocol, settings: ScannerSettings, voxel_mm: float
) -> NDArray[np.float32]:
    """(256,) signal left by each step of `SLOPE_UNIT` across a voxel, 0 to 1.

    ``|sinc(slope voxel TE)|`` for gradient echoes; spin echoes refocus it.
    """
    steps = np.arange(256) * SLOPE_UNIT
    if "spin" in protocol.sequence or protocol.modality == "CT":
        return np.ones(256, np.float32)
    hertz = settings.dropout * steps * _HZ_PER_PPM_TESLA * protocol.tesla
    # Past the first zero the sinc's side lobes do not come back in a real, uneven field.
    turns = np.minimum(hertz * voxel_mm * protocol.te_ms / 1000, 1.0)
    return np.sinc(turns).astype(np.float32)
