"""Other people's defacing tools, for comparison only, each where it is installed.

None of them is needed, shipped or downloaded. A tool reads a NIfTI file and writes one. Programs
and Python modules are looked for on the search path, so that they may live in an environment of
their own: ``PATH=/path/to/env/bin:$PATH``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from faceblind.errors import FaceblindError, OutputError


@dataclass(frozen=True)
class Tool:
    """A defacing tool.

    Parameters
    ----------
    name : str
    install : str
        How to get it.
    is_installed : callable
        Of nothing.
    command : callable
        Of source, target and brain mask (None if there is none): the command line.
    needs_brain : bool
        Whether the tool works on a given brain mask.
    """

    name: str
    install: str
    is_installed: Callable[[], bool]
    command: Callable[[Path, Path, Path | None], list[str]]
    needs_brain: bool = False


def _program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


@lru_cache(maxsize=8)
def find_module(module: str) -> tuple[str, Path] | None:
    """A Python on the search path that has a module, and the module's folder.

    Parameters
    ----------
    module : str

    Returns
    -------
    tuple of str and Path, or None
        The interpreter and the folder; None if no Python has it.
    """
    look = (
        "import importlib.util as u, sys; s = u.find_spec(sys.argv[1]);"
        "print((list(s.submodule_search_locations or []) or [s.origin])[0] if s else '')"
    )
    for python in (sys.executable, shutil.which("python3"), shutil.which("python")):
        if not python:
            continue
        try:
            # The program text is fixed; the module's name comes from the table below.
            found = subprocess.run(
                [python, "-c", look, module],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            continue
        if found.stdout.strip():
            return python, Path(found.stdout.strip())
    return None


def _pydeface_data() -> Path | None:
    """Folder of pydeface's template and mask, which niimath can use."""
    home = find_module("pydeface")
    return home[1] / "data" if home and (home[1] / "data").is_dir() else None


def _niimath(source: Path, target: Path, _: Path | None) -> list[str]:
    data = _pydeface_data() or Path()
    template, mask = data / "mean_reg2mean.nii.gz", data / "facemask.nii.gz"
    return ["niimath", str(source), "-deface", str(template), str(mask), str(target)]


def _radveil(source: Path, target: Path, _: Path | None) -> list[str]:
    home = find_module("radveil")
    return [home[0] if home else sys.executable, "-c", _RADVEIL, str(source), str(target)]


_RADVEIL = (
    "import sys, radveil; volume = radveil.Volume(sys.argv[1]); "
    "volume.deface_auto(); volume.save(sys.argv[2])"
)

TOOLS = (
    Tool(
        "pydeface",
        "pip install pydeface, and FSL",
        lambda: shutil.which("pydeface") is not None and shutil.which("flirt") is not None,
        lambda source, target, _: ["pydeface", str(source), "--outfile", str(target), "--force"],
    ),
    Tool(
        "quickshear",
        "pip install quickshear",
        _program("quickshear"),
        lambda source, target, brain: ["quickshear", str(source), str(brain), str(target)],
        needs_brain=True,
    ),
    Tool(
        "niimath",
        "pip install niimath, and pydeface for its template",
        lambda: shutil.which("niimath") is not None and _pydeface_data() is not None,
        _niimath,
    ),
    Tool(
        "radveil",
        "pip install radveil",
        lambda: find_module("radveil") is not None,
        _radveil,
    ),
    Tool(
        "deepdefacer",
        "pip install deepdefacer",
        _program("deepdefacer"),
        lambda source, target, _: [
            "deepdefacer", "--input_file", str(source), "--defaced_output_path", str(target),
        ],
    ),
)  # fmt: skip
"""Tools with a command line, in no order."""


def installed() -> list[Tool]:
    """The tools that can be run here."""
    return [tool for tool in TOOLS if tool.is_installed()]


def get_tool(name: str) -> Tool:
    """The tool called `name`.

    Raises
    ------
    FaceblindError
        If there is no such tool or it is not installed.
    """
    for tool in TOOLS:
        if tool.name == name:
            if not tool.is_installed():
                raise FaceblindError(f"{name}: not installed; {tool.install}")
            return tool
    raise FaceblindError(f"{name}: unknown; choose {', '.join(tool.name for tool in TOOLS)}")


def run(
    tool: Tool,
    source: str | Path,
    target: str | Path,
    brain: str | Path | None = None,
    timeout: float = 1200.0,
) -> None:
    """Run another tool on one file.

    Parameters
    ----------
    tool : Tool
    source, target : path
        NIfTI files; the target must not exist.
    brain : path, optional
        Brain mask, for tools that need one.
    timeout : float
        Seconds.

    Raises
    ------
    OutputError
        If the tool fails or writes nothing.
    """
    source, target = Path(source), Path(target)
    if tool.needs_brain and brain is None:
        raise OutputError(f"{tool.name}: needs a brain mask")
    command: Sequence[str] = tool.command(source, target, Path(brain) if brain else None)
    try:
        # The program and its options are fixed above; only file names come from outside.
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutputError(f"{tool.name}: {type(error).__name__} on {source.name}") from error
    if done.returncode or not target.is_file():
        said = (done.stderr or done.stdout).strip().splitlines()
        last = said[-1] if said else "wrote nothing"
        raise OutputError(f"{tool.name}: failed on {source.name}: {last}")
