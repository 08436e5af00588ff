"""What this installation can do, and what is missing for what."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from faceblind._version import __version__
from faceblind.errors import FaceblindError
from faceblind.head.template import load_template
from faceblind.recognition.onnx_models import ADAPTATION, SFACE, YUNET, official_bytes
from faceblind.system.threads import available_processors, thread_budget

LEAST_GB = 4.0
"""Memory that one process needs for a scan of half a millimetre."""
LEAST_FREE_GB = 2.0
"""Room in the folder for temporary files."""
_GB = 1e9

EXTRAS = {
    "azure": ("azure.ai.vision.face", "study --service azure"),
    "dlib": ("dlib", "study --recogniser dlib"),
    "heic": ("pillow_heif", "photographs in HEIC, as telephones take them"),
    "dask": ("distributed", "bids --dask"),
    "queue": ("dask_jobqueue", "bids --queue"),
    "pandas": ("pandas", "to_frame() of results"),
    "review": ("uvicorn", "review, the app for the eye"),
}
"""Extras of the package: a module of each, and what needs it."""
PEERS = ("niimath", "quickshear", "pydeface", "mri_reface", "afni_refacer_run")
"""Other defacing tools, which only the benchmarks call."""

Kind = Literal["ok", "note", "fault"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
    kind : {"ok", "note", "fault"}
        ``"note"``: something optional is missing; ``"fault"``: faceblind cannot work like this.
    found : str
        What is there.
    advice : str
        What to do, empty where nothing is to be done.
    """

    name: str
    kind: Kind
    found: str
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def examine_installation(folder: str | Path = ".") -> tuple[Check, ...]:
    """Look at versions, models, optional parts and the machine.

    Opens no network connection and changes nothing.

    Parameters
    ----------
    folder : path
        Where results would be written; its free space is told.

    Returns
    -------
    tuple of Check
    """
    return (
        Check("faceblind", "ok", __version__),
        _python(),
        *_libraries(),
        *(_model(name) for name in ("detector", "recogniser", "adaptation")),
        _template(),
        *(_extra(name) for name in EXTRAS),
        _peers(),
        _processors(),
        _memory(),
        _space(Path(folder)),
    )


def _python() -> Check:
    return Check(
        "Python", "ok", f"{platform.python_version()}, {sys.platform} {platform.machine()}"
    )


def _libraries() -> list[Check]:
    """Those that faceblind needs at least."""
    try:
        wanted = importlib.metadata.requires("faceblind") or []
    except importlib.metadata.PackageNotFoundError:
        return [Check("libraries", "fault", "faceblind is not installed", "pip install faceblind")]
    found, missing = [], []
    for line in sorted(wanted):
        if "extra ==" in line:
            continue
        match = re.match(r"[A-Za-z0-9._-]+", line)
        name = match[0] if match else line
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    checks = [Check("libraries", "ok", ", ".join(found))]
    if missing:
        what = ", ".join(missing)
        checks.append(Check("missing libraries", "fault", what, "install faceblind again"))
    return checks


def _model(name: str) -> Check:
    """A network that ships with faceblind, by its hash."""
    model = {"detector": YUNET, "recogniser": SFACE, "adaptation": ADAPTATION}[name]
    try:
        official_bytes(model)
    except FaceblindError as error:
        return Check(name, "fault", str(error), "install faceblind again")
    return Check(name, "ok", f"{model.file}, sha256 {model.sha256[:12]}... as expected")


def _template() -> Check:
    try:
        template = load_template()
    except (OSError, ValueError, KeyError) as error:
        return Check("head template", "fault", type(error).__name__, "install faceblind again")
    return Check("head template", "ok", f"{len(template.points)} vertices")


def _extra(name: str) -> Check:
    module, use = EXTRAS[name]
    if _is_there(module):
        return Check(name, "ok", f"installed, for {use}")
    return Check(
        name, "note", f"not installed; needed for {use}", f"pip install 'faceblind[{name}]'"
    )


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it would lie in
        return False


def _peers() -> Check:
    there = [tool for tool in PEERS if shutil.which(tool)]
    return Check("other tools", "ok", ", ".join(there) or "none; only benchmarks call them")


def _processors() -> Check:
    return Check(
        "processors", "ok", f"{available_processors()} available, {thread_budget()} threads at most"
    )


def _memory() -> Check:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GB
    except (AttributeError, ValueError, OSError):
        return Check("memory", "note", "this system does not tell", "")
    if total < LEAST_GB:
        advice = f"one process needs up to {LEAST_GB:g} GB for the finest scans; use -j 1"
        return Check("memory", "note", f"{total:.1f} GB", advice)
    return Check("memory", "ok", f"{total:.1f} GB")


def _space(folder: Path) -> Check:
    try:
        free = shutil.disk_usage(folder).free / _GB
    except OSError as error:
        return Check(
            "free space", "fault", error.strerror or "unknown", "give a folder that exists"
        )
    if free < LEAST_FREE_GB:
        return Check("free space", "note", f"{free:.1f} GB here", "results may not fit; make room")
    return Check("free space", "ok", f"{free:.1f} GB here")
