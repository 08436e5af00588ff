"""Measure, protect and prove: what a head scan gives away of a person's face.

Everything that the command line does is one call away here, with the same defaults. Names are
loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faceblind.attacks.verdict import Verdict
    from faceblind.audit import AuditReport, audit
    from faceblind.errors import FaceblindError
    from faceblind.formats import load, save
    from faceblind.head.align import Alignment, align
    from faceblind.head.skin import Skin, find_skin
    from faceblind.link import link
    from faceblind.portray import reconstruct
    from faceblind.protect.blank import Protected, deface
    from faceblind.protect.reface import reface
    from faceblind.protect.regions import Choices
    from faceblind.protected_session import Protection, ProtectSettings
    from faceblind.protection import protect_file, protect_folder, protect_session
    from faceblind.scan import Scan
    from faceblind.study import study
    from faceblind.volunteers.cohort import make_volunteers

__version__ = "0.1.0"

__all__ = [
    "Alignment",
    "AuditReport",
    "Choices",
    "FaceblindError",
    "ProtectSettings",
    "Protected",
    "Protection",
    "Scan",
    "Skin",
    "Verdict",
    "__version__",
    "align",
    "audit",
    "deface",
    "find_skin",
    "link",
    "load",
    "make_volunteers",
    "protect_file",
    "protect_folder",
    "protect_session",
    "reconstruct",
    "reface",
    "save",
    "study",
]

_HOME = {
    "Alignment": "faceblind.head.align",
    "AuditReport": "faceblind.audit",
    "Choices": "faceblind.protect.regions",
    "FaceblindError": "faceblind.errors",
    "ProtectSettings": "faceblind.protected_session",
    "Protected": "faceblind.protect.blank",
    "Protection": "faceblind.protected_session",
    "Scan": "faceblind.scan",
    "Skin": "faceblind.head.skin",
    "Verdict": "faceblind.attacks.verdict",
    "align": "faceblind.head.align",
    "audit": "faceblind.audit",
    "deface": "faceblind.protect.blank",
    "find_skin": "faceblind.head.skin",
    "link": "faceblind.link",
    "load": "faceblind.formats",
    "make_volunteers": "faceblind.volunteers.cohort",
    "protect_file": "faceblind.protection",
    "protect_folder": "faceblind.protection",
    "protect_session": "faceblind.protection",
    "reconstruct": "faceblind.portray",
    "reface": "faceblind.protect.reface",
    "save": "faceblind.formats",
    "study": "faceblind.study",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'faceblind' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Keeps ``faceblind.study`` a function after ``import faceblind.study`` made it a module."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _HOME):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
