"""Scans as the page shows them: one volume, upright, with a window that suits the head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from faceblind.scan import Scan

MOST_VOXELS = 20_000_000
"""A 1 mm head has 17 million; what is finer is shown at every second voxel."""
COARSE_MM = 2.0
"""Without a graphics card a browser takes seconds to draw a head of 1 mm."""
LEVELS = 32_767
"""Numbers that are sent. The darkest voxels can still be told apart in a window of their own."""
FINITE_SHARE = 99.9
DARK_SHARE = 0.08
"""Top of the dark window as a share of the usual one: what is hidden in voxels near air."""
CT_BELOW = -500.0
CT_WINDOW = (-250.0, 350.0)
"""Hounsfield units: skin, fat and muscle; bone is white."""
_SAMPLE = 400_000


@dataclass(frozen=True)
class Picture:
    """One volume to be shown.

    Parameters
    ----------
    voxels : (I, J, K) ndarray
        Axes run to the right, to the front and upwards.
    affine : (4, 4) float64 ndarray
        Voxel index to scan RAS+ mm.
    """

    voxels: NDArray[Any]
    affine: NDArray[np.float64]


def picture(scan: Scan) -> Picture:
    """The first volume of a scan, its axes turned to RAS+, thinned where it is large.

    Parameters
    ----------
    scan : Scan
    """
    voxels = scan.voxels if scan.voxels.ndim == 3 else scan.voxels[..., 0]
    turned, affine = oriented(voxels, scan.affine)
    steps = [1, 1, 1]
    while turned[:: steps[0], :: steps[1], :: steps[2]].size > MOST_VOXELS:
        spacing = np.linalg.norm(affine[:3, :3], axis=0) * steps
        steps[int(np.argmin(spacing))] *= 2
    thin = turned[:: steps[0], :: steps[1], :: steps[2]]
    return Picture(thin, affine @ np.diag([*steps, 1.0]))


def coarse(scan: Scan) -> Scan:
    """The first volume in voxels of some `COARSE_MM`, each the mean of a block; border blocks go.

    Parameters
    ----------
    scan : Scan
    """
    voxels = scan.voxels if scan.voxels.ndim == 3 else scan.voxels[..., 0]
    steps = np.clip(np.round(COARSE_MM / scan.spacing).astype(int), 1, voxels.shape)
    if (steps == 1).all():
        return scan
    counts = np.array(voxels.shape) // steps
    whole = voxels[tuple(slice(int(n)) for n in counts * steps)]
    blocks = whole.reshape([int(n) for pair in zip(counts, steps, strict=True) for n in pair])
    affine = scan.affine @ np.diag([*steps, 1.0])
    affine[:3, 3] += scan.affine[:3, :3] @ ((steps - 1) / 2)
    return Scan(blocks.mean(axis=(1, 3, 5), dtype=np.float32), affine, source=scan.source)


def oriented(
    voxels: NDArray[Any], affine: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """A volume with its axes turned and flipped to be nearest to RAS+, and its affine."""
    turn = nib.orientations.io_orientation(affine)
    back = nib.orientations.inv_ornt_aff(turn, voxels.shape)
    return nib.orientations.apply_orientation(voxels, turn), affine @ back


def windows(voxels: NDArray[Any]) -> dict[str, tuple[float, float]]:
    """Intensities shown black and white: in the usual window, and to look into the dark.

    Of CT, by its numbers for air, soft tissue. Else from the value of air to the 99th percentile of
    what is brighter than a tenth of the bright voxels.

    Parameters
    ----------
    voxels : ndarray
    """
    step = max(1, voxels.size // _SAMPLE)
    values = voxels.reshape(-1)[::step].astype(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return {"usual": (0.0, 1.0), "dark": (0.0, 1.0)}
    low, air, top = np.percentile(values, [0, 1, FINITE_SHARE])
    if low < CT_BELOW:
        return {"usual": CT_WINDOW, "dark": (float(low), float(low) + 400.0)}
    tissue = values[values > air + 0.1 * (top - air)]
    high = float(np.percentile(tissue, 99)) if len(tissue) else float(top)
    air = float(air)
    high = high if high > air else air + 1.0
    return {"usual": (air, high), "dark": (air, air + DARK_SHARE * (high - air))}


def nifti_bytes(shown: Picture) -> bytes:
    """A picture as NIfTI-1 with 15 bits, scaled so that the viewer shows the scan's intensities."""
    values = shown.voxels
    step = max(1, values.size // _SAMPLE)
    some = values.reshape(-1)[::step].astype(np.float64)
    some = some[np.isfinite(some)]
    low, usual = np.percentile(some, [0, FINITE_SHARE]) if len(some) else (0.0, 1.0)
    high = min(float(some.max(initial=low)), low + 4 * (usual - low)) if usual > low else low + 1.0
    slope = max((high - low) / LEVELS, np.finfo(np.float32).tiny)
    scaled = values.astype(np.float32)
    scaled -= np.float32(low)
    scaled /= np.float32(slope)
    np.nan_to_num(scaled, copy=False, nan=0.0, posinf=LEVELS, neginf=0.0)
    np.clip(scaled, 0, LEVELS, out=scaled)
    image = nib.Nifti1Image(np.rint(scaled, out=scaled).astype(np.int16), shown.affine)
    image.header.set_slope_inter(slope, low)
    return bytes(image.to_bytes())


def mask_bytes(mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> bytes:
    """A mask as NIfTI-1 of 0 and 1."""
    return bytes(nib.Nifti1Image(mask.astype(np.uint8), affine).to_bytes())


def same_grid(before: Scan, after: Scan) -> bool:
    """Whether voxels of the two can be compared one for one."""
    a, b = before.voxels.shape[:3], after.voxels.shape[:3]
    return a == b and np.allclose(before.affine, after.affine, atol=1e-2)


def replaced(before: Scan, after: Scan) -> Picture | None:
    """Where the two differ; None where they have no common grid."""
    if not same_grid(before, after):
        return None
    a, b = (v if v.ndim == 3 else v[..., 0] for v in (before.voxels, after.voxels))
    span = float(np.ptp(windows(a)["usual"]))
    # Tools that write floats round: a ten-thousandth of the contrast is no replacement.
    differs = np.abs(a.astype(np.float32) - b.astype(np.float32)) > 1e-4 * span
    return picture(Scan(differs.astype(np.uint8), before.affine))
