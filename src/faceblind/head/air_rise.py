"""A scan as the logarithm of what rises above its air, whose noise may differ from place to place.

Arrays of many coils show a neck fifty times brighter than a chin, and parallel imaging makes the
noise before the face several times that behind the head. In the logarithm over the local air both
are evened out, and a chin as bright as the noise still stands out once it is averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.geometry.grid import Grid, Volume, blur, regrid
from faceblind.head.segmentation import WORKING_MM, usable_grid
from faceblind.scan import Scan

SMOOTH_MM = 2.0
"""Gaussian that averages noise: some forty voxels of 2 mm."""
ORDER = 3
"""Of the polynomial that the logarithm of the air follows over the field of view."""
LEAST_SPREAD = 0.02
"""Least spread of the smoothed air's logarithm: wiped air has none."""
_STEP = 3
_TURNS = 12
_TINY = 0.02
_HIGH, _LOW = 3.0, 5.0


@dataclass(frozen=True)
class AirRise:
    """The head above its air.

    Parameters
    ----------
    rise : Grid
        (I, J, K) float32: logarithm of the smoothed intensity over the air's level at that place;
        about 0 in air.
    flat : Scan
        ``log(1 + exp(rise))`` as a scan, 0.7 in air, in which air and tissue have about one level
        each.
    """

    rise: Grid
    flat: Scan


def rise_above_air(scan: Scan) -> AirRise:
    """Even out coil and noise.

    Parameters
    ----------
    scan : Scan
        Magnitudes, of a series the first volume, in any orientation.

    Raises
    ------
    ScanError
        If the voxels are no numbers or all the same.
    """
    grid = usable_grid(scan)
    coarse = regrid(grid, np.maximum(grid.spacing, WORKING_MM))
    values = coarse.values - min(0.0, float(coarse.values.min()))
    smooth = blur(values.astype(np.float32), SMOOTH_MM / coarse.spacing)
    typical = float(np.median(smooth)) or float(smooth.mean())
    logs = np.log(smooth + np.float32(_TINY * typical))
    rise = (logs - _air(logs)).astype(np.float32)
    flat = np.log1p(np.exp(rise))
    return AirRise(
        coarse.like(rise), Scan(flat, coarse.affine, scan.modality, scan.source, None, scan.doubt)
    )


def _air(logs: Volume) -> NDArray[np.float64]:
    """The smooth floor of a volume of logarithms: a polynomial that brighter voxels do not lift.

    Tukey's biweight, narrower above than below (Beaton and Tukey 1974).
    """
    powers = [
        (i, j, k)
        for i in range(ORDER + 1)
        for j in range(ORDER + 1 - i)
        for k in range(ORDER + 1 - i - j)
    ]
    axes = [np.linspace(-1.0, 1.0, n) for n in logs.shape]
    sparse = np.meshgrid(*(axis[::_STEP] for axis in axes), indexing="ij", sparse=True)
    design = np.stack(
        [np.broadcast_to(_term(sparse, p), _size(sparse)).ravel() for p in powers], axis=1
    )
    some = logs[::_STEP, ::_STEP, ::_STEP].ravel().astype(np.float64)
    weight = (some <= np.quantile(some, 0.5)).astype(np.float64)
    found = np.zeros(len(powers))
    for _ in range(_TURNS):
        weighted = design * weight[:, None]
        ridge = 1e-6 * weight.sum() * np.eye(len(powers))
        found = np.linalg.solve(weighted.T @ design + ridge, weighted.T @ some)
        away = some - design @ found
        inner = away[weight > 0.3]
        if not inner.size:
            break
        spread = max(1.4826 * float(np.median(np.abs(inner - np.median(inner)))), LEAST_SPREAD)
        scaled = away / (spread * np.where(away > 0, _HIGH, _LOW))
        fresh = np.where(np.abs(scaled) < 1, (1 - scaled**2) ** 2, 0.0)
        # Air of a few wiped levels may leave no voxel near any smooth one.
        if fresh.sum() < len(powers):
            break
        weight = fresh
    full = np.meshgrid(*axes, indexing="ij", sparse=True)
    air = np.zeros(logs.shape)
    for share, power in zip(found, powers, strict=True):
        air += share * _term(full, power)
    return air


def _term(axes: Sequence[NDArray[np.float64]], power: tuple[int, int, int]) -> NDArray[np.float64]:
    x, y, z = axes
    return np.asarray(x ** power[0] * y ** power[1] * z ** power[2])


def _size(axes: Sequence[NDArray[np.float64]]) -> tuple[int, ...]:
    return tuple(int(axis.size) for axis in axes)
