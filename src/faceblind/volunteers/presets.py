"""Named cohorts: every setting of the people, the scanner and the camera, frozen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from faceblind.errors import FaceblindError
from faceblind.volunteers.camera import CameraSettings
from faceblind.volunteers.scanner import ScannerSettings
from faceblind.volunteers.shape import PeopleSettings

GENERATOR = "2"
"""Version of the recipe: it changes whenever the same seed gives other people or pictures."""


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
        values = {
            "generator": GENERATOR,
            "people": asdict(self.people),
            "scanner": asdict(self.scanner),
            "camera": asdict(self.camera),
        }
        # Through JSON and back, so that tuples compare equal with what is read from a file.
        return dict(json.loads(json.dumps(values)))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of `settings`, the first 12 hexadecimal digits.

        Two cohorts with the same fingerprint and seed are the same people, scans and pictures.
        """
        text = json.dumps(self.settings(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


_PRESETS = {
    preset.name: preset
    for preset in (
        Preset("plain", "1", "studio photographs and clean scans: easy, for tests and demos"),
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
