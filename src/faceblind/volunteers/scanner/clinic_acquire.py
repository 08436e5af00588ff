"""Acquisition with a head-and-neck array and what is done to the series afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.volunteers.scanner import artefacts
from faceblind.volunteers.scanner.array_coil import MOST_AMPLIFIED, ArrayCoil, noise_shape, support
from faceblind.volunteers.scanner.clinic import Traits
from faceblind.volunteers.scanner.field_of_view import FieldOfView
from faceblind.volunteers.scanner.protocols import Protocol
from faceblind.volunteers.scanner.resampling import (
    noise_left,
    resample,
    resampled_grid,
    resampled_labels,
)
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.uniform import combine

_CHIN_MM = 11.0
"""Radius of the ball of soft tissue in which the chin's signal is measured."""
_CHIN_BELOW = 0.1
"""Share of that ball's brightest signal below which a voxel counts as bone or air."""
_THICK_AMPLIFIED = 2.0
"""Largest g-factor of series that do not reach the chin."""
_FLOOR = 0.08
"""Sensitivity below which normalisation does not amplify further."""


@dataclass(frozen=True, eq=False)
class Acquired:
    """A finished series: int16 voxels, their affine and the zones on the same grid."""

    voxels: NDArray[np.int16]
    affine: NDArray[np.float64]
    zones: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Session:
    """What all series of a person's session share.

    Attributes
    ----------
    settings : ScannerSettings
        With `clinic`.
    traits : Traits
        Of the person.
    coil : ArrayCoil or None
        None for the plain coil of `ScannerSettings.shading`.
    """

    settings: ScannerSettings
    traits: Traits
    coil: ArrayCoil | None


def acquire(
    volume: NDArray[np.float32],
    zones: NDArray[np.uint8],
    view: FieldOfView,
    protocol: Protocol,
    session: Session,
    landmarks: dict[str, NDArray[np.float64]],
    rng: np.random.Generator,
    first: NDArray[np.float32] | None = None,
) -> Acquired:
    """Slices, point spread, motion, coil, aliasing, ghosts, uneven noise, interpolation.

    Parameters
    ----------
    volume : (I, J, K) float32 ndarray
        Ideal signal on the view's fine grid; overwritten.
    zones : (I', J', K') uint8 ndarray
        On the view's grid.
    view, protocol, session
        How it is scanned, and whom.
    landmarks : dict
        In scan mm.
    rng : Generator
    first : (I, J, K) float32 ndarray, optional
        Ideal signed signal of the first inversion image of MP2RAGE, where `volume` is the second;
        then the series is the uniform image.
    """
    settings, clinic = session.settings, session.settings.clinic
    assert clinic is not None
    moves = rng.standard_normal(3).astype(np.float32)
    replicas = rng.random(2).astype(np.float32)
    coarse = bool(rng.random() < clinic.staircase and protocol.slices)
    noise = settings.noise * protocol.noise * rng.uniform(0.7, 1.4)
    scale = np.float32(rng.uniform(350, 900))
    received, sensitive = _received(volume, view, session, moves, replicas, rng)
    along = (False, False, coarse)
    left = noise_left(view.affine, view.shape, clinic.resample_mm, along)
    quiet = np.float32(clinic.air_noise)
    uneven = noise * _amplified(received, view, noise * left, session.traits, landmarks, quiet)
    if first is not None:
        early, _ = _received(first, view, session, moves, replicas, rng, signed=True)
        out, scale = combine(early, received, uneven, rng), np.float32(1)
    else:
        out = _magnitude(received, uneven, rng)
        if clinic.normalised and sensitive is not None:
            out /= np.maximum(sensitive, _FLOOR)
    affine = view.affine
    if clinic.resample_mm:
        affine = resampled_grid(view.affine, view.shape, clinic.resample_mm)[0]
        out = resample(out, view.affine, clinic.resample_mm, along)
        zones = resampled_labels(zones, view.affine, clinic.resample_mm)
    voxels = np.rint(np.minimum(out * scale, 32000)).astype(np.int16)
    return Acquired(voxels, affine, zones)


def _received(
    volume: NDArray[np.float32],
    view: FieldOfView,
    session: Session,
    moves: NDArray[np.float32],
    replicas: NDArray[np.float32],
    rng: np.random.Generator,
    signed: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Signal on the view's grid without noise, and the sensitivity of the array in it."""
    settings = session.settings
    volume = artefacts.join_slices(volume, view)
    sigma = settings.blur / 2.355
    volume = artefacts.blur(volume, (sigma, sigma, sigma if view.parts == 1 else 0.0))
    spacing = np.sqrt((view.affine[:3, :3] ** 2).sum(axis=0))
    volume = artefacts.move(volume, settings, spacing, moves)
    if not signed:
        volume = np.abs(volume)
    sensitive = None
    if session.coil is not None:
        # What folds over was received where it lies.
        shape = (volume.shape[0], volume.shape[1], volume.shape[2])
        sensitive = session.coil.over(view.affine, shape)
        volume = artefacts.fold(volume * sensitive, view.wrapped)
        sensitive = sensitive[:, : view.shape[1]]
    else:
        volume = artefacts.fold(volume, view.wrapped)
        artefacts.receive(volume, settings, rng)
    artefacts.ghost(volume, settings, replicas)
    return volume, sensitive


def _magnitude(
    volume: NDArray[np.float32], noise: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Rician noise of uneven strength; `faceblind.volunteers.scanner.artefacts.detect` has even."""
    out = np.empty_like(volume)
    for i in range(volume.shape[0]):
        drawn = rng.standard_normal((2, *volume.shape[1:]), np.float32) * noise[i]
        out[i] = np.hypot(volume[i] + drawn[0], drawn[1])
    return out


def _amplified(
    volume: NDArray[np.float32],
    view: FieldOfView,
    noise: float,
    traits: Traits,
    landmarks: dict[str, NDArray[np.float64]],
    quiet: np.float32,
) -> NDArray[np.float32]:
    """(I, J, K) g-factor that leaves the chin the SNR of the session; 1 where it is off.

    `noise` is the standard deviation that a g-factor of 1 leaves in the finished series.
    """
    if traits.chin_snr is None or noise <= 0:
        return np.ones(volume.shape, np.float32)
    near = support(volume, view.affine)
    most = _THICK_AMPLIFIED
    signal = chin_signal(volume, view.affine, landmarks)
    if signal is not None:
        most = float(np.clip(signal / (traits.chin_snr * noise), 1.0, MOST_AMPLIFIED))
    even = quiet + (1 - quiet) * near
    return even + np.float32(most - 1) * noise_shape(view.affine, volume.shape, landmarks, near)


def chin_signal(
    volume: NDArray[np.float32],
    affine: NDArray[np.float64],
    landmarks: dict[str, NDArray[np.float64]],
) -> float | None:
    """Median signal of the soft tissue of the chin; None where the field of view ends above it.

    Parameters
    ----------
    volume : (I, J, K) ndarray
        Without noise.
    affine : (4, 4) ndarray
        Voxel index to scan mm.
    landmarks : dict
        In scan mm.
    """
    values = volume[chin_ball(affine, volume.shape, landmarks)]
    if values.size * abs(np.linalg.det(affine[:3, :3])) < 0.5 * 4 / 3 * np.pi * _CHIN_MM**3:
        return None
    soft = values > _CHIN_BELOW * np.quantile(values, 0.95)
    return float(np.median(values[soft]))


def chin_ball(
    affine: NDArray[np.float64],
    shape: tuple[int, ...],
    landmarks: dict[str, NDArray[np.float64]],
) -> NDArray[np.bool_]:
    """(I, J, K) voxels of the chin, skin to bone."""
    marks = landmarks
    inward = marks["gonion_left"] + marks["gonion_right"] - 2 * marks["gnathion"]
    centre = marks["gnathion"] + 8.0 * inward / np.linalg.norm(inward)
    index = apply_affine(np.linalg.inv(affine), centre)
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    axes = [
        ((np.arange(n) - index[k]) * spacing[k]).reshape([-1 if a == k else 1 for a in range(3)])
        for k, n in enumerate(shape)
    ]
    return np.asarray(axes[0] ** 2 + axes[1] ** 2 + axes[2] ** 2 < _CHIN_MM**2)
