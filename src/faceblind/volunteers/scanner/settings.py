"""How the volunteers are scanned: every knob of the scanner, independent of the protocol."""

from __future__ import annotations

from dataclasses import dataclass

from faceblind.errors import FaceblindError
from faceblind.volunteers.limits import check_limits
from faceblind.volunteers.scanner.clinic import ClinicSettings


@dataclass(frozen=True)
class ScannerSettings:
    """How people lie in the scanner and how far it falls short of perfection.

    Each artefact is a continuous knob, 0 turns it off. Every draw takes the same random numbers
    whatever the settings, so that a knob changes nothing but its own effect.

    Attributes
    ----------
    spacing_mm : float, optional
        Voxel size that replaces the protocol's (in slices: in-plane): 0.4 to 8. None keeps the
        protocol's.
    noise : float
        Standard deviation of each channel's noise, of white matter's signal: 0 to 0.3. An SNR of
        25 is 0.04. In CT 0.04 is 5 HU.
    shading : float
        Spread of the coil sensitivity over the head: 0 to 1.
    blur : float
        Full width at half maximum of the point spread in voxels: 0 to 4.
    ghosting : float
        Strength of replicas of the head along the phase-encoding axis, of its signal: 0 to 0.3.
    motion_mm : float
        Typical movement during one series, seen as doubled edges: 0 to 5.
    fat_shift : float
        Multiple of the chemical shift between fat and water that the protocol's bandwidth gives:
        0 to 3.
    dropout : float
        Signal lost at the nose tip, the nostrils and the lips, where air is near: 0 to 2, where 1
        pits the nose of about one person in two by some millimetres. It also scales what
        gradient echoes lose next to sinuses and ears.
    dental : float
        Share of people with metal in their teeth: 0 to 1.
    dental_mm : float
        Typical radius of the hole that metal makes in a gradient echo: 0 to 50. Spin echoes lose
        half of it, CT gets streaks instead.
    vertex_cut, ears_cut, chin_cut, nose_cut : float
        Probability that the field of view cuts off that part: 0 to 1.
    wrap : float
        Probability that the field of view is too short in front, so that the nose appears behind
        the head: 0 to 1.
    supine_mm : float
        Largest shift of soft tissue by lying on the back: 0 to 8.
    tilt_sd, tilt_limit : float
        Rotation of the head about each axis in degrees: spread and greatest, 0 to 90.
    session_mm, session_deg : float
        Spread of the movement from one series of a session to the next, per axis: 0 to 50.
    clinic : ClinicSettings, optional
        Array coil, resampling and frail bodies; None for the plain head coil of the other settings.
    """

    spacing_mm: float | None = None
    noise: float = 0.04
    shading: float = 0.30
    blur: float = 1.06
    ghosting: float = 0.01
    motion_mm: float = 0.3
    fat_shift: float = 1.0
    dropout: float = 1.0
    dental: float = 0.2
    dental_mm: float = 12.0
    vertex_cut: float = 0.08
    ears_cut: float = 0.05
    chin_cut: float = 0.05
    nose_cut: float = 0.0
    wrap: float = 0.04
    supine_mm: float = 2.5
    tilt_sd: float = 5.0
    tilt_limit: float = 15.0
    session_mm: float = 1.0
    session_deg: float = 0.8
    clinic: ClinicSettings | None = None

    def __post_init__(self) -> None:
        check_limits("scanner", self, _LIMITS)
        if self.spacing_mm is not None:
            check_limits("scanner", self, {"spacing_mm": (0.4, 8.0)})
        if self.clinic is not None and not isinstance(self.clinic, ClinicSettings):
            raise FaceblindError(f"scanner: clinic must be ClinicSettings, got {self.clinic!r}")


_LIMITS: dict[str, tuple[float, float]] = {
    "noise": (0, 0.3), "shading": (0, 1), "blur": (0, 4), "ghosting": (0, 0.3),
    "motion_mm": (0, 5), "fat_shift": (0, 3), "dropout": (0, 2), "dental": (0, 1),
    "dental_mm": (0, 50), "vertex_cut": (0, 1), "ears_cut": (0, 1), "chin_cut": (0, 1),
    "nose_cut": (0, 1), "wrap": (0, 1), "supine_mm": (0, 8), "tilt_sd": (0, 90),
    "tilt_limit": (0, 90), "session_mm": (0, 50), "session_deg": (0, 50),
}  # fmt: skip
