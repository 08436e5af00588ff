"""Tissues of the volunteers' heads and what a scanner sees in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Tissue(IntEnum):
    """Labels of the tissue map."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    BONE = 4
    MARROW = 5
    CSF = 6
    GREY = 7
    WHITE = 8
    VITREOUS = 9
    MUCOSA = 10
    LENS = 11
    TOOTH = 12
    CARTILAGE = 13
    DURA = 14
    GLAND = 15


@dataclass(frozen=True)
class Relaxation:
    """Magnetic properties of a tissue at one field strength.

    Attributes
    ----------
    density : float
        Protons that an ordinary echo can catch, water = 1.
    t1, t2, t2_star : float
        Relaxation times in ms.
    """

    density: float
    t1: float
    t2: float
    t2_star: float


# T1 and T2 (ms) at 1.5 T and at 3 T, rounded. White and grey matter: T1 of Rooney et al. 2007
# (Magn Reson Med 57:308) at 1.5 T and Wansapura et al. 1999 (J Magn Reson Imaging 9:531) at 3 T,
# T2 of Stanisz et al. 2005 (Magn Reson Med 54:507). CSF and vitreous: Rooney et al.; T2 long.
# Muscle and cartilage: Stanisz et al. Fat and marrow: de Bazelaire et al. 2004 (Radiology
# 230:652) for T1; T2 between their single-echo figures and those of Gold et al. 2004 (AJR
# 183:343), as trains of echoes see it. Gland, skin, mucosa, lens and dura are less well known;
# they follow muscle and cartilage, shifted towards the appearance on clinical pictures.
_TIMES: dict[Tissue, tuple[float, float, float, float]] = {
    Tissue.AIR: (1000, 1000, 1, 1),
    Tissue.SKIN: (880, 1030, 55, 52),
    Tissue.FAT: (300, 370, 100, 95),
    Tissue.MUSCLE: (1008, 1412, 44, 42),
    Tissue.BONE: (400, 420, 0.5, 0.4),
    Tissue.MARROW: (380, 440, 80, 72),
    Tissue.CSF: (4300, 4300, 2000, 1800),
    Tissue.GREY: (1188, 1331, 95, 92),
    Tissue.WHITE: (656, 832, 72, 69),
    Tissue.VITREOUS: (4000, 4100, 1100, 1000),
    Tissue.MUCOSA: (1000, 1250, 85, 78),
    Tissue.LENS: (950, 1150, 26, 24),
    Tissue.TOOTH: (500, 560, 0.4, 0.3),
    Tissue.CARTILAGE: (1024, 1168, 30, 27),
    Tissue.DURA: (900, 1050, 24, 22),
    Tissue.GLAND: (600, 760, 62, 58),
}

# Proton density (water = 1), lowered for fat and marrow to what the echo catches of them, and
# 1000/T2' (1/s) at 3 T: what field differences within a voxel add to 1/T2, in proportion to the
# field (grey and white matter then have the T2* of Wansapura et al. 1999; marrow dephases between
# its trabeculae).
_DENSITY: dict[Tissue, tuple[float, float]] = {
    Tissue.AIR: (0.0, 0.0),
    Tissue.SKIN: (0.62, 25.0),
    Tissue.FAT: (0.54, 14.0),
    Tissue.MUSCLE: (0.78, 10.0),
    Tissue.BONE: (0.20, 900.0),
    Tissue.MARROW: (0.40, 60.0),
    Tissue.CSF: (1.00, 2.0),
    Tissue.GREY: (0.82, 9.0),
    Tissue.WHITE: (0.71, 7.5),
    Tissue.VITREOUS: (1.00, 2.0),
    Tissue.MUCOSA: (0.85, 30.0),
    Tissue.LENS: (0.60, 5.0),
    Tissue.TOOTH: (0.10, 900.0),
    Tissue.CARTILAGE: (0.70, 15.0),
    Tissue.DURA: (0.60, 20.0),
    Tissue.GLAND: (0.78, 12.0),
}

_DISPERSION: dict[Tissue, float] = {
    Tissue.FAT: 0.25,
    Tissue.MARROW: 0.25,
    Tissue.CSF: 0.045,
    Tissue.VITREOUS: 0.045,
    Tissue.MUSCLE: 0.52,
    Tissue.WHITE: 0.26,
    Tissue.GREY: 0.38,
}
"""Exponent of T1 against field strength below 1.5 T, through the figures of O'Reilly & Webb 2022
(Magn Reson Med 87:884) at 50 mT."""

_DISPERSION_ELSE = 0.36

HOUNSFIELD: dict[Tissue, float] = {
    Tissue.AIR: -1000.0,
    Tissue.SKIN: 60.0,
    Tissue.FAT: -100.0,
    Tissue.MUSCLE: 55.0,
    Tissue.BONE: 1450.0,
    Tissue.MARROW: 420.0,
    Tissue.CSF: 8.0,
    Tissue.GREY: 38.0,
    Tissue.WHITE: 29.0,
    Tissue.VITREOUS: 8.0,
    Tissue.MUCOSA: 45.0,
    Tissue.LENS: 85.0,
    Tissue.TOOTH: 2300.0,
    Tissue.CARTILAGE: 95.0,
    Tissue.DURA: 60.0,
    Tissue.GLAND: 15.0,
}
"""CT numbers at 120 kV (Kamalian et al. 2016, Handb Clin Neurol 135:3; bone, teeth and soft
tissue within the ranges of Schneider et al. 2000, Phys Med Biol 45:459)."""


def relaxation(tissue: Tissue, tesla: float) -> Relaxation:
    """Properties of a tissue at a field strength.

    Parameters
    ----------
    tissue : Tissue
        Which.
    tesla : float
        Field strength. Between the tables' 1.5 T and 3 T T1 follows a power of the field, as it
        does below 1.5 T; T2 hardly depends on it; T2' shortens in proportion to the field.

    Returns
    -------
    Relaxation
        Density and times.
    """
    t1_low, t1_high, t2_low, t2_high = _TIMES[tissue]
    density, dephasing = _DENSITY[tissue]
    if tesla < 1.5:
        t1 = t1_low * (tesla / 1.5) ** _DISPERSION.get(tissue, _DISPERSION_ELSE)
        t2 = t2_low
    else:
        part = np.log(tesla / 1.5) / np.log(2.0)
        t1 = t1_low * (t1_high / t1_low) ** part
        t2 = t2_low * (t2_high / t2_low) ** part
    rate = 1 / t2 + dephasing * (tesla / 3.0) / 1000
    return Relaxation(density, float(t1), float(t2), float(1 / rate))
