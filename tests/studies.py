"""Small volunteers and their study, made once in a run by the command line."""

from __future__ import annotations

import importlib
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

# Registered by the tests' own conftest.py.
_remembered = importlib.import_module("remembered")
once, shared_folder = _remembered.once, _remembered.shared_folder


def run_command(*args: object) -> SimpleNamespace:
    """Run faceblind's command line in this process: exit code, standard output and error."""
    from typer.testing import CliRunner

    from faceblind.cli.main import app

    logger = logging.getLogger("faceblind")
    before = logger.handlers[:], logger.propagate, logger.level
    try:
        result = CliRunner().invoke(app, [str(arg) for arg in args])
    finally:
        logger.handlers[:], logger.propagate = before[:2]
        logger.setLevel(before[2])
    return SimpleNamespace(code=result.exit_code, out=result.stdout, err=result.stderr)


@pytest.fixture(scope="session")
def command() -> Callable[..., SimpleNamespace]:
    """Runs the command line, see `run_command`."""
    return run_command


@pytest.fixture(scope="session")
def four_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four synthetic volunteers in coarse scans and small photographs, made by the command line.

    All workers read one copy. Copy it before changing anything.
    """
    folder = shared_folder(tmp_path_factory)
    return once(folder, "four", lambda: _make_four(folder / "four" / "people"))


@contextmanager
def small_volunteers() -> Iterator[None]:
    """The preset ``plain`` with coarse scans and small photographs, which take seconds."""
    from faceblind.volunteers import presets
    from faceblind.volunteers.photographs.camera import CameraSettings
    from faceblind.volunteers.scanner.settings import ScannerSettings

    small = replace(
        presets.preset("plain"),
        scanner=ScannerSettings(spacing_mm=2.0),
        camera=CameraSettings(width=240, height=300, supersampling=1.0),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(presets._PRESETS, "plain", small)
        yield


@pytest.fixture(scope="module")
def small_plain() -> Iterator[None]:
    """`small_volunteers` for a module's tests."""
    with small_volunteers():
        yield


def _make_four(root: Path) -> Path:
    root.parent.mkdir()
    with small_volunteers():
        done = run_command("volunteers", root, "-n", 4, "--seed", 7, "-j", 1)
    assert done.code == 0, done.err
    return root


@dataclass(frozen=True)
class Studied:
    """A finished study: the folder and what the command line said."""

    people: Path
    out: Path
    done: SimpleNamespace


@pytest.fixture(scope="session")
def studied(four_people: Path, tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """The study of the four volunteers with default options. Copy it before changing anything."""
    folder = shared_folder(tmp_path_factory)
    out = folder / "studied" / "out"

    def study() -> dict[str, Any]:
        out.parent.mkdir()
        done = run_command("study", four_people / "scans", four_people / "photos.tsv", out, "-j", 1)
        return vars(done)

    return Studied(four_people, out, SimpleNamespace(**once(folder, "studied", study)))


@pytest.fixture(scope="session")
def studied_with_sface(studied: Studied, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's folder once more, with what SFace sees in its cache, for `centred` and `nearest`.

    Copy it before changing anything.
    """
    folder = shared_folder(tmp_path_factory)
    out, people = folder / "with_sface" / "out", studied.people

    def study() -> None:
        shutil.copytree(studied.out, out)
        done = run_command(
            "study", people / "scans", people / "photos.tsv", out, "-j", 1, "--matching", "centred"
        )
        assert done.code == 0, done.err

    once(folder, "sface", study)
    return out
