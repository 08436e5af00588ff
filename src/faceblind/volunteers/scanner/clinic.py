"""What makes clinical scans of frail people harder than a research scan, and who has what of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faceblind.volunteers.limits import check_limits
from faceblind.volunteers.people.shape import Person, generator

_STREAM = 8


@dataclass(frozen=True)
class ClinicSettings:
    """Coil, noise, resampling and bodies of clinical scans; every default turns its effect off.

    Attributes
    ----------
    coil_ratio : tuple of float
        How much more sensitive a head-and-neck array is at occiput and nape than at the face,
        least and greatest over sessions: 1 to 12, or both 0 for the coil of `shading`. The
        posterior elements lie under the head, the anterior ones clear the nose and are often left
        off for frail people. 4 to 10 at the skin makes the tissue below it 3 to 8 times brighter
        than the face's, as seen in a collection of 23 elderly people (the face's is averaged over
        more depth); the open scan dcm_qa_xa30 of an adult has 2.7, and its scalp is 6 times
        brighter than the brain. An array gains a factor of 3.5 in SNR at the cortex against 1.4 in
        the middle of the brain (Wiggins et al. 2006, Magn Reson Med 56:216).
    normalised : bool
        The scanner divides by the sensitivities of the coil: even signal, uneven noise.
    chin_snr : tuple of float
        Signal of the chin over the noise there in the delivered 3D scans, least and greatest over
        sessions: 0.5 to 30; 1 to 3 in the same collection. Parallel imaging amplifies noise where
        few elements tell places apart (g-factor, Pruessmann et al. 1999, Magn Reson Med 42:952):
        for a head-and-neck array in front, below the nose. Both 30 leave the noise as it is.
    air_noise : float
        Share of the noise that is left in air far from the head: 0 to 1. Unfolding by SENSE
        (Pruessmann et al.) knows from its reference scan where nothing is.
    resample_mm : float
        Isotropic voxels to which the series is interpolated after acquisition: 0 (not) to 4.
    staircase : float
        Share of series of thick slices that take the nearest slice, not the mean of two: 0 to 1.
    slices_end : float
        Share of series of slices that start at or below the vertex and end between nose and mouth,
        as planned for the brain: 0 to 1. ADNI's axial FLAIR (adni.loni.usc.edu, MRI protocols) is
        planned so.
    kyphosis : float
        Share of people whose bent spine tips the head by 20 to 30 degrees, two in three backwards,
        the others forwards on a cushion: 0 to 1. Kyphosis of more than 40 degrees is found in 20
        to 40 % of older adults (Kado, Prenovost & Crandall 2007, Ann Intern Med 147:330).
    shoulders : float
        Share of people whose shoulders are in view: 0 to 1.
    edentulous : float
        Share of people who lie without teeth, lips rolled in and the jaw forward: 0 to 1. Dentures
        are taken out before the scan; 17 % of people of 65 and more have no teeth (CDC, Oral
        Health Surveillance Report 2019).
    jaw_metal : float
        Share of people with metal that wipes out half a jaw of gradient echoes: 0 to 1. Fixed
        bridges and steel wires make holes of 25 to 38 mm radius here (assumed), half of it in spin
        echoes.
    uniform : bool
        MPRAGE-like series are delivered as the uniform image of MP2RAGE, whose air is noise over
        the whole range (Marques et al. 2010, NeuroImage 49:1271).
    """

    coil_ratio: tuple[float, float] = (0.0, 0.0)
    normalised: bool = False
    chin_snr: tuple[float, float] = (30.0, 30.0)
    air_noise: float = 1.0
    resample_mm: float = 0.0
    staircase: float = 0.0
    slices_end: float = 0.0
    kyphosis: float = 0.0
    shoulders: float = 0.0
    edentulous: float = 0.0
    jaw_metal: float = 0.0
    uniform: bool = False

    def __post_init__(self) -> None:
        check_limits("clinic", self, _LIMITS)


_LIMITS: dict[str, tuple[float, float]] = {
    "coil_ratio": (0, 12), "chin_snr": (0.5, 30), "air_noise": (0, 1), "resample_mm": (0, 4),
    "staircase": (0, 1), "slices_end": (0, 1), "kyphosis": (0, 1), "shoulders": (0, 1),
    "edentulous": (0, 1),
    "jaw_metal": (0, 1),
}  # fmt: skip


@dataclass(frozen=True)
class Traits:
    """What one person's session has of it.

    Attributes
    ----------
    coil_ratio : float
        See `ClinicSettings`.
    chin_snr : float or None
        None leaves the noise as it is.
    pitch_deg : float
        By which the head is tipped, positive is chin up.
    shoulders_mm : float
        How much of the trunk below the neck is in view; 0 for none.
    edentulous : float
        How far lips and jaw have given way, 0 to 1.
    metal_mm, metal_side : float
        Radius of the hole in a gradient echo, 0 for none, and on which side, 1 or -1.
    """

    coil_ratio: float = 0.0
    chin_snr: float | None = None
    pitch_deg: float = 0.0
    shoulders_mm: float = 0.0
    edentulous: float = 0.0
    metal_mm: float = 0.0
    metal_side: float = 1.0

    @property
    def expression(self) -> dict[str, float]:
        """Weights of the head model's expressions for a mouth without teeth."""
        if not self.edentulous:
            return {}
        rolled = {"mouthRollUpper": 0.9, "mouthRollLower": 0.7, "jawForward": 0.8}
        return {name: value * self.edentulous for name, value in rolled.items()}


def draw_traits(person: Person, settings: ClinicSettings | None) -> Traits:
    """The same person and settings always give the same; a share moves nothing but its own."""
    if settings is None:
        return Traits()
    rng = generator(person.seed, person.index, _STREAM)
    chance, amount = rng.random(6), rng.random(8)
    pitch = 20 + 10 * amount[2]
    if chance[1] > 2 / 3:
        pitch = -pitch
    snr = _between(settings.chin_snr, amount[1])
    return Traits(
        coil_ratio=float(np.interp(amount[0], (0, 1), settings.coil_ratio)),
        chin_snr=snr if settings.chin_snr[0] < _LIMITS["chin_snr"][1] else None,
        pitch_deg=float(pitch) if chance[0] < settings.kyphosis else 0.0,
        shoulders_mm=float(25 + 45 * amount[3]) if chance[2] < settings.shoulders else 0.0,
        edentulous=float(0.5 + 0.5 * amount[4]) if chance[3] < settings.edentulous else 0.0,
        metal_mm=float(25 + 13 * amount[5]) if chance[4] < settings.jaw_metal else 0.0,
        metal_side=1.0 if amount[6] < 0.5 else -1.0,
    )


def _between(ends: tuple[float, float], share: float) -> float:
    """Even on a scale of ratios."""
    return float(ends[0] * (ends[1] / ends[0]) ** np.float64(share))
