"""The uniform image of MP2RAGE: two inversion times combined, air full of salt and pepper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.scanner.protocols import Protocol
from faceblind.volunteers.scanner.signal import inversion_echo
from faceblind.volunteers.scanner.tissue import Tissue, relaxation

_TR_MS, _TI_MS, _FLIP_DEG = 5000.0, (700.0, 2500.0), (4.0, 5.0)
"""At 3 T: LEMON (Babayan et al. 2019, Sci Data 6:180308)."""

RANGE = 4095
"""Scanners store -0.5 to 0.5 as whole numbers from 0 to this."""


def readouts(protocol: Protocol) -> tuple[Protocol, Protocol]:
    """The two inversion images as protocols; what their trains of pulses disturb is neglected."""
    first, second = (
        replace(protocol, tr_ms=_TR_MS, ti_ms=ti, flip_deg=flip, echoes=0)
        for ti, flip in zip(_TI_MS, _FLIP_DEG, strict=True)
    )
    return first, second


def first_of_second(protocol: Protocol) -> float:
    """Signal of white matter in the first image over that in the second."""
    white = relaxation(Tissue.WHITE, protocol.tesla)
    signals = [np.sin(np.radians(p.flip_deg)) * inversion_echo(white, p)
               for p in readouts(protocol)]  # fmt: skip
    return float(signals[0] / signals[1])


def combine(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    noise: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """(I, J, K) uniform image, 0 to `RANGE`.

    ``Re(S1* S2) / (|S1|^2 + |S2|^2)`` of complex images with independent noise. The coil's
    sensitivity drops out; where there is no signal, noise fills the whole range.

    Parameters
    ----------
    first, second : (I, J, K) float32 ndarray
        Signed signals.
    noise : (I, J, K) float32 ndarray
        Standard deviation of each channel.
    rng : Generator
    """
    out = np.empty_like(first)
    for i in range(len(first)):
        drawn = rng.standard_normal((4, *first.shape[1:]), np.float32) * noise[i]
        a, b = first[i] + drawn[0], second[i] + drawn[1]
        power = a * a + b * b + drawn[2] ** 2 + drawn[3] ** 2
        out[i] = (a * b + drawn[2] * drawn[3]) / np.maximum(power, 1e-12)
    return np.asarray((out + 0.5) * RANGE, np.float32)
