"""Measure, protect and prove: what a head scan gives away of a person's face.

Everything that the command line does is one call away here, with the same defaults. Names are
loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from faceblind._version import __version__

if TYPE_CHECKING:
    from faceblind.attacks.verdict import Verdict
    from faceblind.errors import FaceblindError
    from faceblind.formats import load, save
    from faceblind.head.alignment import Alignment, align
    from faceblind.head.skin import Skin, find_skin
    from faceblind.protect.deface import deface
    from faceblind.protect.protected_scan import ProtectedScan
    from faceblind.protect.reface import reface
    from faceblind.protect.region_options import RegionOptions
    from faceblind.report.write import write_report
    from faceblind.scan import Scan
    from faceblind.volunteers.cohort import make_volunteers
    from faceblind.workflows.audit import audit
    from faceblind.workflows.audit_report import AuditReport
    from faceblind.workflows.benchmark import benchmark
    from faceblind.workflows.benchmark_result import BenchmarkResult
    from faceblind.workflows.compare import Comparison, compare
    from faceblind.workflows.link import link
    from faceblind.workflows.protect import protect_file, protect_folder, protect_session
    from faceblind.workflows.protect_settings import ProtectionResult, ProtectionSettings
    from faceblind.workflows.reconstruct import reconstruct
    from faceblind.workflows.study import study

__all__ = [
    "Alignment",
    "AuditReport",
    "BenchmarkResult",
    "Comparison",
    "FaceblindError",
    "ProtectedScan",
    "ProtectionResult",
    "ProtectionSettings",
    "RegionOptions",
    "Scan",
    "Skin",
    "Verdict",
    "__version__",
    "align",
    "audit",
    "benchmark",
    "compare",
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
    "write_report",
]

_HOME = {
    "Alignment": "faceblind.head.alignment",
    "AuditReport": "faceblind.workflows.audit_report",
    "BenchmarkResult": "faceblind.workflows.benchmark_result",
    "Comparison": "faceblind.workflows.compare",
    "RegionOptions": "faceblind.protect.region_options",
    "FaceblindError": "faceblind.errors",
    "ProtectionSettings": "faceblind.workflows.protect_settings",
    "ProtectedScan": "faceblind.protect.protected_scan",
    "ProtectionResult": "faceblind.workflows.protect_settings",
    "Scan": "faceblind.scan",
    "Skin": "faceblind.head.skin",
    "Verdict": "faceblind.attacks.verdict",
    "align": "faceblind.head.alignment",
    "audit": "faceblind.workflows.audit",
    "benchmark": "faceblind.workflows.benchmark",
    "compare": "faceblind.workflows.compare",
    "deface": "faceblind.protect.deface",
    "find_skin": "faceblind.head.skin",
    "link": "faceblind.workflows.link",
    "load": "faceblind.formats",
    "make_volunteers": "faceblind.volunteers.cohort",
    "protect_file": "faceblind.workflows.protect",
    "protect_folder": "faceblind.workflows.protect",
    "protect_session": "faceblind.workflows.protect",
    "reconstruct": "faceblind.workflows.reconstruct",
    "reface": "faceblind.protect.reface",
    "save": "faceblind.formats",
    "study": "faceblind.workflows.study",
    "write_report": "faceblind.report.write",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'faceblind' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
