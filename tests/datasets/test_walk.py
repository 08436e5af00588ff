from __future__ import annotations

import os
from pathlib import Path

import pytest

from faceblind.datasets.walk import is_skipped, walk


def made(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_files_come_sorted_and_git_is_left_alone(tmp_path: Path) -> None:
    made(tmp_path, "b/2", "b/1", "a", ".git/objects/1", "derivatives/d")
    found = walk(tmp_path)
    assert [str(p.relative_to(tmp_path)) for p in found.files] == [
        "a",
        "b/1",
        "b/2",
        "derivatives/d",
    ]
    assert found.closed == []


def test_a_linked_folder_is_entered_once_and_by_its_own_name(tmp_path: Path) -> None:
    made(tmp_path, "z/scan")
    (tmp_path / "a").symlink_to("z")
    (tmp_path / "outside").symlink_to(tmp_path.parent / "elsewhere")
    assert [p.relative_to(tmp_path).as_posix() for p in walk(tmp_path).files] == [
        "outside",  # its target is missing: whoever opens it says so
        "z/scan",
    ]


def test_a_name_that_is_looked_at_comes_before_one_that_is_skipped(tmp_path: Path) -> None:
    made(tmp_path, "code/scan")
    (tmp_path / "scans").symlink_to("code")
    assert walk(tmp_path).files == [tmp_path / "scans" / "scan"]


def test_a_link_to_a_folder_above_is_named_and_not_followed(tmp_path: Path) -> None:
    made(tmp_path, "data/scan")
    (tmp_path / "data" / "loop").symlink_to(tmp_path)
    found = walk(tmp_path / "data")
    assert found.files == [tmp_path / "data" / "scan"]
    assert found.closed == [
        (tmp_path / "data" / "loop", "a link to a folder that holds this one, not followed")
    ]


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = walk(tmp_path)
    assert found.files == []
    assert [path.name for path, _ in found.closed] == ["pipe"]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [((), False), (("sub-01", "anat"), False), (("derivatives", "x"), True), (("a", ".b"), True)],
)
def test_folders_that_are_no_ones_own_scans(folders: tuple[str, ...], expected: bool) -> None:
    assert is_skipped(folders) is expected
