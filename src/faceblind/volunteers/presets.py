"""Named cohorts: every setting of the people, the scanner and the camera, frozen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from faceblind.errors import FaceblindError
from faceblind.volunteers.people.shape import PeopleSettings
from faceblind.volunteers.photographs.camera import CameraSettings
from faceblind.volunteers.scanner.clinic import ClinicSettings
from faceblind.volunteers.scanner.settings import ScannerSettings

GENERATOR = "3"
"""Version of the recipe: it changes whenever the same seed gives other people or pictures."""


_LATER = (("people", "loose_neck", 0.0), ("scanner", "clinic", None))
"""Settings that came after cohorts had been published: where they are off, fingerprints stay."""


@dataclass(frozen=True)
class Preset:
    """All that decides a cohort besides its seed.

    Attributes
    ----------
    name : str
        What users ask for.
    version : str
        Raised with every change of a setting; a published figure names it.
    summary : str
        One line for people.
    people, scanner, camera : settings
        Who they are, how they are scanned and photographed.
    """

    name: str
    version: str
    summary: str
    people: PeopleSettings = field(default_factory=PeopleSettings)
    scanner: ScannerSettings = field(default_factory=ScannerSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)

    def settings(self) -> dict[str, Any]:
        """Every setting as plain JSON values, with the version of the recipe."""
        values: dict[str, Any] = {
            "generator": GENERATOR,
            "people": asdict(self.people),
            "scanner": asdict(self.scanner),
            "camera": asdict(self.camera),
        }
        for part, name, off in _LATER:
            if values[part][name] == off:
                del values[part][name]
        # Through JSON and back, so that tuples compare equal with what is read from a file; numpy's
        # numbers become plain ones.
        return dict(json.loads(json.dumps(values, default=float)))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of `settings`, the first 12 hexadecimal digits.

        Two cohorts with the same fingerprint and seed are the same people, scans and pictures.
        """
        text = json.dumps(self.settings(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


_ARTICLE = Preset(
    "article",
    "1",
    "as hard for open recognisers as the published experiment",
    people=PeopleSettings(gap_months=(12.0, 60.0)),
    camera=CameraSettings(
        # Fitted: what a scan cannot know of a face, and a light that hides what it knows.
        texture=2.8,
        feature_variety=2.5,
        light_height=(-10.0, 60.0),
        light_angle=60.0,
        hardness=0.9,
        fill=0.4,
        glasses=0.5,
        # Not fitted: pictures of elderly people by amateurs, moderately compressed.
        jpeg_quality=(40, 85),
        yaw_sd=5.5,
        pitch_sd=4.0,
        roll_sd=5.0,
        expression=2.5,
        smile=0.6,
        blink=0.04,
        beard=0.4,
        make_up=0.8,
        hair_cover=0.7,
        hair_volume=1.3,
        glare=1.0,
        head_covering=0.05,
        distance_m=(0.4, 2.0),
        framing=(0.45, 0.75),
        face_px=(40.0, 160.0),
        blur=(0.5, 1.8),
        motion=1.2,
        noise=4.0,
        exposure_sd=0.3,
        contrast_sd=0.15,
        white_balance_sd=0.07,
        light_colour_sd=0.14,
        background=0.9,
    ),
)
"""Calibrated to Prakaashana et al. 2025 (NeuroImage 121476): of 182 people, open recognisers with
nearest matching found 51-55 % at rank 1 by photographs among 81 renders of each scan, 58-59 % with
a classifier over the renders. The scanner keeps its defaults: its knobs hardly change that."""


def _with_clinic(scanner: ScannerSettings, **changes: Any) -> ScannerSettings:
    """The scanner with other settings of its clinic."""
    return replace(scanner, clinic=replace(scanner.clinic or ClinicSettings(), **changes))


_ARRAY_ELDERLY = Preset(
    "head_neck_array_elderly",
    "1",
    "people of 60 to 90 years in a head-and-neck array, series resampled to 2 mm",
    people=PeopleSettings(ages=(60, 90), loose_neck=1.0),
    scanner=ScannerSettings(
        noise=0.03,
        wrap=0.1,
        dental=0.5,
        motion_mm=0.6,
        clinic=ClinicSettings(
            coil_ratio=(4.0, 10.0),
            chin_snr=(1.0, 3.0),
            air_noise=0.3,
            resample_mm=2.0,
            staircase=0.5,
            slices_end=1.0,
            kyphosis=0.3,
            shoulders=0.85,
            edentulous=0.3,
            jaw_metal=0.05,
        ),
    ),
)
"""Imitates T1w (3D) and FLAIR (`axFLAIR`) of one visit of elderly people at 2 mm; sources:
`ClinicSettings`. Noise, shares of people and the coil were fitted by hand to how many scans of such
a collection were refused, on seeds 1 and 20; see `bench/real_heads.py`."""

_CLINICAL = (
    _ARRAY_ELDERLY,
    replace(
        _ARRAY_ELDERLY,
        name="head_neck_array_elderly_normalised",
        summary="the same people and coil, divided by its sensitivities",
        scanner=_with_clinic(_ARRAY_ELDERLY.scanner, normalised=True),
    ),
    Preset(
        "surface_array",
        "1",
        "adults in a tight array around the head: skin far brighter than the brain",
        scanner=ScannerSettings(noise=0.03, clinic=ClinicSettings(coil_ratio=(1.0, 2.5))),
    ),
    Preset(
        "mp2rage",
        "1",
        "adults whose T1w is the uniform image of MP2RAGE: air of salt and pepper",
        scanner=ScannerSettings(clinic=ClinicSettings(uniform=True)),
    ),
    Preset(
        "jaw_metal",
        "1",
        "adults with metal that wipes out half a jaw",
        scanner=ScannerSettings(dental=1.0, clinic=ClinicSettings(jaw_metal=1.0)),
    ),
)
"""Scanners as unkind as real ones, each named after what it imitates."""

_PRESETS = {
    preset.name: preset
    for preset in (
        Preset("plain", "1", "studio photographs and clean scans: easy, for tests and demos"),
        _ARTICLE,
        *_CLINICAL,
    )
}

PRESETS: tuple[str, ...] = tuple(_PRESETS)
"""Names that `preset` knows."""


def preset(name: str) -> Preset:
    """The preset of a name.

    Raises
    ------
    FaceblindError
        If there is none of that name.
    """
    if name not in _PRESETS:
        raise FaceblindError(f"{name}: no such preset; choose one of {', '.join(_PRESETS)}")
    return _PRESETS[name]
