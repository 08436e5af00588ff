"""``faceblind reconstruct``: one scan's face, written where only its owner looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import faceblind
from faceblind.errors import OutputError
from faceblind.formats.ply import read_ply

FILES = {"as-is.ply", "as-is.png", "completed.ply", "completed.png"}


@pytest.fixture(scope="module")
def scan_file(four_people: Path) -> Path:
    return four_people / "scans" / "sub-0003" / "anat" / "sub-0003_T1w.nii.gz"


@pytest.fixture(scope="module")
def portrayed(
    scan_file: Path, tmp_path_factory: pytest.TempPathFactory, command: Callable[..., Any]
) -> Path:
    out = tmp_path_factory.mktemp("portrayed") / "face"
    done = command("reconstruct", scan_file, out)
    assert done.code == 0, done.err
    assert done.out == f"Face: {out}\n"
    return out


def test_a_mesh_and_a_sheet_of_each_variant(portrayed: Path) -> None:
    assert {path.name for path in portrayed.iterdir() if path.name[0] != "."} == FILES
    for variant in ("as-is", "completed"):
        points, faces, normals = read_ply(portrayed / f"{variant}.ply")
        assert normals is not None
        assert len(points) == len(normals) > 5000
        assert faces.max() < len(points)
        # Upright and in millimetres: a head is about 15 cm wide and 20 cm deep.
        size = np.ptp(points, axis=0)
        assert 120 < size[0] < 260
        assert 150 < size[1] < 260
        sheet = np.asarray(Image.open(portrayed / f"{variant}.png"))
        assert sheet.ndim == 2
        assert sheet.std() > 20


def test_only_the_owner_can_open_the_folder(portrayed: Path) -> None:
    assert portrayed.stat().st_mode & 0o777 == 0o700


def test_python_gives_both_faces(scan_file: Path, portrayed: Path, tmp_path: Path) -> None:
    as_is, completed = faceblind.reconstruct(scan_file, tmp_path / "face")
    assert (as_is.variant, completed.variant) == ("as-is", "completed")
    for name in FILES:
        assert (tmp_path / "face" / name).read_bytes() == (portrayed / name).read_bytes(), name


def test_other_files_are_not_touched(scan_file: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="other files"):
        faceblind.reconstruct(scan_file, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_bad_scan_leaves_nothing_behind(tmp_path: Path, command: Callable[..., Any]) -> None:
    (tmp_path / "bad.nii.gz").write_bytes(b"not an image")
    done = command("reconstruct", tmp_path / "bad.nii.gz", tmp_path / "out")
    assert done.code == 1
    assert done.err.startswith("faceblind: error: ")
    assert "bad.nii.gz" in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_defaced_scan_has_no_face(
    shared: Path, tmp_path: Path, command: Callable[..., Any]
) -> None:
    path = shared / "scans" / "already_defaced_T1w.nii.gz"
    done = command("reconstruct", path, tmp_path / "out")
    assert done.code == 1
    assert "the face is missing" in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()
