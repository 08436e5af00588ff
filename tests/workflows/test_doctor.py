from __future__ import annotations

import tomllib
from collections import namedtuple
from pathlib import Path

import pytest

from faceblind._version import __version__
from faceblind.errors import RecogniserError
from faceblind.workflows import doctor
from faceblind.workflows.doctor import Check, examine_installation


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_a_sound_installation_has_no_fault() -> None:
    found = by_name(examine_installation())
    assert not [check for check in found.values() if check.kind == "fault"]
    assert found["faceblind"].found == __version__
    assert "numpy 2." in found["libraries"].found
    assert "0ba9fbfa01b5" in found["recogniser"].found
    assert "vertices" in found["head template"].found


def test_a_damaged_model_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(model: object) -> bytes:
        raise RecogniserError("sface.onnx: sha256 differs")

    monkeypatch.setattr(doctor, "official_bytes", damaged)
    found = by_name(examine_installation())
    assert found["detector"].kind == found["recogniser"].kind == "fault"
    assert found["recogniser"].advice == "install faceblind again"


def test_what_is_missing_is_named_with_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.EXTRAS, "heic", ("no_such_module", "photographs in HEIC"))
    heic = by_name(examine_installation())["heic"]
    assert heic.kind == "note"
    assert heic.found == "not installed; needed for photographs in HEIC"
    assert heic.advice == "pip install 'faceblind[heic]'"


def test_a_library_that_is_gone_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy>=2.1", "no-such-library>=1", "dlib-bin; extra == 'dlib'"]
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda _: wanted)
    found = by_name(examine_installation())
    assert found["missing libraries"].kind == "fault"
    assert found["missing libraries"].found == "no-such-library"
    assert found["libraries"].found.startswith("numpy ")


def test_little_room_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage(10, 9, int(0.5e9)))
    assert by_name(examine_installation(tmp_path))["free space"].kind == "note"


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert by_name(examine_installation(tmp_path / "none"))["free space"].kind == "fault"


def test_every_extra_that_users_install_is_looked_at() -> None:
    page = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert set(doctor.EXTRAS) == set(page["project"]["optional-dependencies"]) - {"dev", "docs"}
