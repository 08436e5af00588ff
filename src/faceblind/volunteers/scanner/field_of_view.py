"""Where a series' voxels lie: pose in the scanner, coverage, cuts, slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from faceblind.volunteers.scanner.protocols import Protocol
from faceblind.volunteers.scanner.settings import ScannerSettings

_THIN_MM = 1.3
"""Thicker slices are made of sub-slices no thicker than about this."""

_TUCK_DEG = -3.0
"""Lying on a head rest tucks the chin a little."""

_COMMISSURES_DEG = 8.0
"""Pitch of the line of the commissures, along which slices are laid, above the frame's."""


_ROOMY_MM = (200.0, 256.0)
"""Field of view to the right and forwards that a head-and-neck array is used with."""
_LONGEST_MM = 300.0
"""Length of the field of view that a head-and-neck array covers."""


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """A series' grid, and the finer one that it is computed on.

    Attributes
    ----------
    affine, shape
        Of the finished series (RAS+ order before storage).
    fine_affine, fine_shape
        Of the computation: `parts` sub-slices per slice and `wrapped` extra rows in front.
    parts : int
        Sub-slices per slice.
    profile : (parts,) float32 ndarray
        Weight of each sub-slice; 0 in the gap.
    wrapped : int
        Rows in front of the field that fold over to its back.
    """

    affine: NDArray[np.float64]
    shape: tuple[int, int, int]
    fine_affine: NDArray[np.float64]
    fine_shape: tuple[int, int, int]
    parts: int
    profile: NDArray[np.float32]
    wrapped: int


def turn(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """(3, 3) rotation, degrees: about the superior, the right and the anterior axis."""
    return np.asarray(Rotation.from_euler("yxz", [roll, pitch, yaw], degrees=True).as_matrix())


def head_pose(
    rng: np.random.Generator, settings: ScannerSettings, skin: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(4, 4) from the template frame to the scanner: tilted, about the middle of the bore."""
    tilt = np.clip(
        settings.tilt_sd * rng.standard_normal(3), -settings.tilt_limit, settings.tilt_limit
    )
    yaw, pitch, roll = tilt + np.array([0, _TUCK_DEG, 0])
    limit = settings.tilt_limit
    rotation = turn(float(yaw), float(np.clip(pitch, -limit, limit)), float(roll))
    centre = (skin.max(axis=0) + skin.min(axis=0)) / 2
    pose = np.eye(4)
    pose[:3, :3] = rotation
    pose[:3, 3] = rng.normal(0, (4, 8, 10)) - rotation @ centre
    return pose


def tipped(pose: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """(4, 4) pose of a head that is tipped further about its middle, positive is chin up."""
    if not degrees:
        return pose
    back = pose.copy()
    back[:3, :3] = turn(0.0, degrees, 0.0) @ pose[:3, :3]
    # The middle of the head, about which `head_pose` turns, stays.
    middle = np.array([0.0, 0.0, 10.0])
    back[:3, 3] = pose[:3, :3] @ middle + pose[:3, 3] - back[:3, :3] @ middle
    return back


def small_motion(rng: np.random.Generator, settings: ScannerSettings) -> NDArray[np.float64]:
    """(4, 4) rigid movement of the head, in scan mm, about the middle of the bore."""
    motion = np.eye(4)
    motion[:3, :3] = turn(*(settings.session_deg * rng.standard_normal(3)))
    motion[:3, 3] = settings.session_mm * rng.standard_normal(3)
    return motion


def place(
    protocol: Protocol,
    settings: ScannerSettings,
    posed: NDArray[np.float64],
    landmarks: dict[str, NDArray[np.float64]],
    rotation: NDArray[np.float64],
    rng: np.random.Generator,
    trunk_mm: float = 0.0,
) -> FieldOfView:
    """Lay the field of view as a radiographer would, but for the cuts that `settings` asks for.

    Parameters
    ----------
    protocol, settings
        What is scanned and how.
    posed : (P, 3) ndarray
        Skin in scan mm.
    landmarks : dict
        In scan mm.
    rotation : (3, 3) ndarray
        Of the head; slices follow it.
    rng : Generator
        Always draws the same amount.
    trunk_mm : float
        How much of the trunk below the head model is in view in series that are no slices.

    Returns
    -------
    FieldOfView
        The grids.
    """
    chance, amount, jitter = rng.random(5), rng.random(8), rng.standard_normal(4)
    axes = np.eye(3)
    if protocol.slices:
        axes = rotation @ turn(0, _COMMISSURES_DEG + 3 * float(jitter[3]), 0)
    local = posed @ axes
    head = local[local[:, 2] > local[:, 2].max() - 215]
    low, high = head.min(axis=0), head.max(axis=0)
    chin = float((landmarks["menton"] @ axes)[2])
    nose = float((landmarks["pronasale"] @ axes)[1])
    voxel = np.array([*protocol.voxel_mm[:2], protocol.pitch_mm])
    if settings.spacing_mm:
        voxel[: 2 if protocol.slices else 3] = settings.spacing_mm
    extent = np.array(protocol.fov_mm)
    if settings.clinic:
        extent = np.maximum(extent, (_ROOMY_MM[0], _ROOMY_MM[1], 0))
    # Sideways: the ears are in unless they are to be cut.
    width = high[0] - low[0]
    extent[0] = max(extent[0], width + 6)
    # CT is reconstructed in a circle, which no one lays that tight.
    if chance[0] < settings.ears_cut and protocol.modality == "MR":
        extent[0] = width - 10 - 18 * amount[0]
    origin = (low + high) / 2 - extent / 2 + np.array([2, 4, 0]) * jitter[:3]
    # In front: the nose is kept inside and what is short is cut off behind, unless asked.
    front = nose + 4 + 10 * amount[1]
    wraps = protocol.modality == "MR" and chance[1] < settings.wrap
    origin[1] = max(origin[1], front - extent[1])
    wrapped_mm = 0.0
    if wraps:
        wrapped_mm = 4 + 14 * amount[2]
        origin[1] = nose + 2 - wrapped_mm - extent[1]
    if chance[2] < settings.nose_cut:
        origin[1] = nose - 3 - 15 * amount[3] - extent[1]
    top = high[2] + 4 + 20 * amount[4]
    if not protocol.slices:
        # The chin is kept inside as long as the vertex is.
        top = min(top, max(chin - 6 + extent[2], high[2] + 2))
    if chance[3] < settings.vertex_cut:
        top = high[2] - 2 - 8 * amount[4]
    bottom = local[:, 2].min() + 14 + 20 * amount[5]
    if trunk_mm and not protocol.slices:
        bottom = local[:, 2].min() - trunk_mm
        extent[2] = max(extent[2], min(top - bottom, _LONGEST_MM))
    if chance[4] < settings.chin_cut:
        bottom = max(bottom, chin + 5 + 35 * amount[6])
    if protocol.slices and settings.clinic and amount[7] < settings.clinic.slices_end:
        nose_low, mouth = ((landmarks[n] @ axes)[2] for n in ("subnasale", "stomion"))
        top, bottom = high[2] - 6 * amount[4], mouth + (nose_low - mouth) * amount[5]
        extent[2] = top - bottom
    elif protocol.slices:
        top -= 0.6 * (top - high[2]) * (top > high[2])
        extent[2] *= 0.86 + 0.2 * amount[7]
    count = np.maximum(8, np.round(extent / voxel)).astype(int)
    count[2] = int(min(count[2], (top - bottom) / voxel[2]))
    origin[2] = top - count[2] * voxel[2]
    return _grids(protocol, axes, origin, voxel, count, int(wrapped_mm / voxel[1]))


def _grids(
    protocol: Protocol,
    axes: NDArray[np.float64],
    origin: NDArray[np.float64],
    voxel: NDArray[np.float64],
    count: NDArray[np.int64],
    wrapped: int,
) -> FieldOfView:
    affine = np.eye(4)
    affine[:3, :3] = axes * voxel
    affine[:3, 3] = axes @ (origin + voxel / 2)
    parts = int(np.ceil(voxel[2] / _THIN_MM)) if protocol.slices else 1
    fine = affine.copy()
    fine[:3, 2] /= parts
    fine[:3, 3] -= affine[:3, 2] * (0.5 - 0.5 / parts)
    offset = np.abs((np.arange(parts) + 0.5) / parts - 0.5) * voxel[2]
    # A slice's edges are soft: its profile falls over about a fifth of its thickness.
    thick = min(protocol.voxel_mm[2], voxel[2])
    profile = 1 / (1 + np.exp((offset - thick / 2) / (0.05 * thick)))
    shape = (int(count[0]), int(count[1]), int(count[2]))
    return FieldOfView(
        affine, shape, fine, (shape[0], shape[1] + wrapped, shape[2] * parts), parts,
        (profile / profile.sum()).astype(np.float32), wrapped,
    )  # fmt: skip
