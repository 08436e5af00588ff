"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceblind.errors import OutputError
from faceblind.system import files, tables

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestAtomicPath:
    def test_appears_whole(self, tmp_path: Path) -> None:
        target = tmp_path / "scan.nii.gz"
        with files.atomic_path(target) as temporary:
            assert temporary.parent == tmp_path
            assert temporary.name.endswith("scan.nii.gz")
            temporary.write_bytes(b"half")
            assert not target.exists()
            temporary.write_bytes(b"whole")
        assert target.read_bytes() == b"whole"
        assert list(tmp_path.iterdir()) == [target]

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
    def test_failure_keeps_the_old_file(self, tmp_path: Path, error: type[BaseException]) -> None:
        target = tmp_path / "ranks.tsv"
        target.write_text("old")

        def fail() -> None:
            with files.atomic_path(target) as temporary:
                temporary.write_text("ha")
                raise error

        with pytest.raises(error):
            fail()
        assert target.read_text() == "old"
        assert list(tmp_path.iterdir()) == [target]

    def test_failing_rename_cleans_up(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*args: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            tables.write_json(tmp_path / "a.json", {})
        assert list(tmp_path.iterdir()) == []

    def test_nothing_written_is_an_error(self, tmp_path: Path) -> None:
        with (
            pytest.raises(OutputError, match="nothing was written"),
            files.atomic_path(tmp_path / "a"),
        ):
            pass

    @posix
    def test_keeps_the_umask(self, tmp_path: Path, open_umask: None) -> None:
        os.umask(0o027)
        tables.write_json(tmp_path / "a.json", {})
        assert mode(tmp_path / "a.json") == 0o640


def test_a_finished_file_is_moved_and_its_folder_made(tmp_path):
    source, target = tmp_path / "staged" / "a", tmp_path / "out" / "sub" / "a"
    source.parent.mkdir()
    source.write_text("new")
    files.move_into_place(source, target, tmp_path)
    assert target.read_text() == "new"
    assert not source.exists()
    with pytest.raises(OutputError, match="cannot be written"):
        files.move_into_place(source, target, tmp_path)


def test_a_file_from_another_file_system_comes_whole(tmp_path, monkeypatch):
    source, target, near = tmp_path / "a", tmp_path / "out" / "a", tmp_path / "near"
    near.mkdir()
    source.write_text("new")
    rename = Path.replace

    def across(self, other):
        if self == source:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(self, other)

    monkeypatch.setattr(Path, "replace", across)
    files.move_into_place(source, target, near)
    assert target.read_text() == "new"
    assert not source.exists()
    assert list(near.iterdir()) == []
