"""Signal equations: what a pulse sequence makes of proton density and relaxation times.

All times are in ms. Longitudinal magnetisation keeps its sign, so that tissues of opposite sign
cancel within a voxel as they do in a scanner; the magnitude is taken after mixing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.scanner.protocols import Protocol
from faceblind.volunteers.scanner.tissue import HOUNSFIELD, Relaxation, Tissue, relaxation


def spoiled_echo(tissue: Relaxation, tr_ms: float, te_ms: float, flip_deg: float) -> float:
    """Spoiled gradient echo (Ernst & Anderson 1966, Rev Sci Instrum 37:93).

    ``density sin(a) (1 - E1) / (1 - cos(a) E1) exp(-TE/T2*)`` with ``E1 = exp(-TR/T1)``.
    """
    flip = np.deg2rad(flip_deg)
    left = np.exp(-tr_ms / tissue.t1)
    steady = np.sin(flip) * (1 - left) / (1 - np.cos(flip) * left)
    return float(tissue.density * steady * np.exp(-te_ms / tissue.t2_star))


def inversion_echo(tissue: Relaxation, protocol: Protocol) -> float:
    """Inversion-prepared gradient echoes (MPRAGE, Mugler & Brookeman 1990, MRM 15:152), signed.

    The steady state of inversion, delay, a train of small pulses, and recovery. Magnetisation in
    the train runs towards ``(1 - e) / (1 - cos(a) e)``, ``e = exp(-spacing/T1)``, by a factor
    ``cos(a) e`` per pulse (Deichmann et al. 2000, NeuroImage 12:112); the inversion time counts
    to the middle of the train, which makes the contrast.
    """
    if not protocol.echoes:
        recovered = (
            1 - 2 * np.exp(-protocol.ti_ms / tissue.t1) + np.exp(-protocol.tr_ms / tissue.t1)
        )
        return float(tissue.density * recovered * np.exp(-protocol.te_ms / tissue.t2_star))
    flip = np.deg2rad(protocol.flip_deg)
    decay = np.exp(-protocol.train_ms / protocol.echoes / tissue.t1)
    step = np.cos(flip) * decay
    limit = (1 - decay) / (1 - step)
    whole, half = step**protocol.echoes, step ** (protocol.echoes / 2)
    delay_ms = protocol.ti_ms - protocol.train_ms / 2
    delay = np.exp(-delay_ms / tissue.t1)
    rest = np.exp(-(protocol.tr_ms - delay_ms - protocol.train_ms) / tissue.t1)
    # Before the inversion: m = 1 - (1 - n) rest, where n = limit (1 - whole) + whole (1 - (1 + m)
    # delay) is what the train leaves.
    left = limit * (1 - whole) + whole * (1 - delay)
    before = (1 - (1 - left) * rest) / (1 + whole * delay * rest)
    start = 1 - (1 + before) * delay
    middle = limit + (start - limit) * half
    return float(tissue.density * np.sin(flip) * middle * np.exp(-protocol.te_ms / tissue.t2_star))


def spin_echo(tissue: Relaxation, tr_ms: float, te_ms: float, train_ms: float = 0.0) -> float:
    """Spin echo, single or a train of echoes that lasts `train_ms`.

    ``density (1 - exp(-(TR - train)/T1)) exp(-TE/T2)``: recovery starts after the last echo.
    `te_ms` is the effective echo time, for trains of varied flip angles the one of equal contrast
    (Mugler 2014, J Magn Reson Imaging 39:745).
    """
    recovered = 1 - np.exp(-(tr_ms - train_ms) / tissue.t1)
    return float(tissue.density * recovered * np.exp(-te_ms / tissue.t2))


def inversion_spin_echo(
    tissue: Relaxation, tr_ms: float, te_ms: float, ti_ms: float, train_ms: float = 0.0
) -> float:
    """Inversion-prepared spin echo (FLAIR, Hajnal et al. 1992, J Comput Assist Tomogr 16:841).

    ``density (1 - 2 exp(-TI/T1) + exp(-(TR - train)/T1)) exp(-TE/T2)``, signed.
    """
    recovered = 1 - 2 * np.exp(-ti_ms / tissue.t1) + np.exp(-(tr_ms - train_ms) / tissue.t1)
    return float(tissue.density * recovered * np.exp(-te_ms / tissue.t2))


_SEQUENCES: dict[str, Callable[[Relaxation, Protocol], float]] = {
    "spoiled-echo": lambda t, p: spoiled_echo(t, p.tr_ms, p.te_ms, p.flip_deg),
    "inversion-echo": inversion_echo,
    "spin-echo": lambda t, p: spin_echo(t, p.tr_ms, p.te_ms, p.train_ms),
    "inversion-spin-echo": lambda t, p: inversion_spin_echo(
        t, p.tr_ms, p.te_ms, p.ti_ms, p.train_ms
    ),
}


def tissue_signals(protocol: Protocol) -> NDArray[np.float64]:
    """(len(Tissue),) signals of a protocol.

    Magnetic resonance: signed, white matter is 1, fat lowered by what the protocol suppresses of
    it. CT: Hounsfield units.
    """
    if protocol.sequence == "ct":
        return np.array([HOUNSFIELD[t] for t in Tissue])
    echo = _SEQUENCES[protocol.sequence]
    values = np.array([echo(relaxation(t, protocol.tesla), protocol) for t in Tissue])
    for tissue in (Tissue.FAT, Tissue.MARROW):
        values[tissue] *= 1 - protocol.fat_suppression
    return values / values[Tissue.WHITE]
