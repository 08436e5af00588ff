"""Smooth random fields that depend on position and seed only."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True, inline="always")
def _hash(i: int, j: int, k: int, seed: int) -> float:
    # Integer mixing after Wellons' "lowbias32"; 32-bit wrap-around is kept by masking.
    h = (i * 73856093) ^ (j * 19349663) ^ (k * 83492791) ^ (seed * 2654435761)
    h &= 0xFFFFFFFF
    h ^= h >> 16
    h = (h * 0x7FEB352D) & 0xFFFFFFFF
    h ^= h >> 15
    h = (h * 0x846CA68B) & 0xFFFFFFFF
    h ^= h >> 16
    return h / 2147483648.0 - 1.0


@numba.njit(cache=True, nogil=True)
def _fractal(
    points: NDArray[Any], scale: NDArray[Any], octaves: int, gain: float, seed: int
) -> NDArray[Any]:
    out = np.empty(points.shape[0], np.float32)
    for n in range(points.shape[0]):
        total, weight, power = 0.0, 1.0, 0.0
        factor = 1.0
        for octave in range(octaves):
            x = points[n, 0] / scale[0] * factor
            y = points[n, 1] / scale[1] * factor
            z = points[n, 2] / scale[2] * factor
            i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
            u, v, w = x - i, y - j, z - k
            u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
            value = 0.0
            for a in range(2):
                wa = u if a else 1 - u
                for b in range(2):
                    wb = wa * (v if b else 1 - v)
                    for c in range(2):
                        value += (
                            wb * (w if c else 1 - w) * _hash(i + a, j + b, k + c, seed + octave)
                        )
            total += weight * value
            power += weight * weight
            weight *= gain
            factor *= 2.03
        # One lattice value has variance 1/3; interpolation takes about half of it.
        out[n] = total / np.sqrt(power) * 2.4
    return out


def fractal(
    points: NDArray[np.floating],
    scale: float | tuple[float, float, float],
    seed: int,
    octaves: int = 3,
    gain: float = 0.5,
) -> NDArray[np.float32]:
    """Value noise with octaves.

    Parameters
    ----------
    points : (N, 3) ndarray
        Positions in mm.
    scale : float or three floats
        Lattice spacing of the first octave in mm, per axis.
    seed : int
        Which field.
    octaves : int
        Number of octaves, each at about half the spacing.
    gain : float
        Amplitude from one octave to the next.

    Returns
    -------
    (N,) float32 ndarray
        About zero mean and unit standard deviation.
    """
    steps = np.broadcast_to(np.asarray(scale, np.float64), (3,)).copy()
    return _fractal(np.ascontiguousarray(points, np.float32), steps, octaves, gain, seed & 0xFFFFFF)


def fractal_where(
    chosen: NDArray[np.bool_],
    points: NDArray[np.floating],
    scale: float | tuple[float, float, float],
    seed: int,
    octaves: int = 3,
    gain: float = 0.5,
) -> NDArray[np.float32]:
    """`fractal` at the chosen of (N, 3) points, 0 at the others: noise is what pictures cost."""
    out = np.zeros(len(points), np.float32)
    out[chosen] = fractal(points[chosen], scale, seed, octaves, gain)
    return out
