"""Rigid transforms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def angle_degrees(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Angle between the rotations of two (4, 4) rigid maps, degrees."""
    cosine = (np.trace(a[:3, :3].T @ b[:3, :3]) - 1.0) / 2.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
