"""Private folders and guarded output roots."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceblind.errors import OutputError
from faceblind.system import outputs

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
class TestPrivateDir:
    def test_new_folder_is_closed_under_any_umask(self, tmp_path: Path, open_umask: None) -> None:
        made = outputs.private_dir(tmp_path / "out" / "private" / "faces")
        assert mode(made) == 0o700
        assert mode(made.parent) == 0o700
        assert mode(tmp_path / "out") == 0o777

    def test_owner_can_enter_under_a_strict_umask(self, tmp_path: Path, open_umask: None) -> None:
        os.umask(0o777)
        assert mode(outputs.private_dir(tmp_path / "private")) == 0o700

    def test_open_folder_is_closed(self, tmp_path: Path) -> None:
        folder = tmp_path / "private"
        folder.mkdir()
        folder.chmod(0o755)
        outputs.private_dir(folder)
        assert mode(folder) == 0o700

    def test_files_and_links_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(OutputError, match="cannot be made private"):
            outputs.private_dir(tmp_path / "file")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OutputError, match="is a link"):
            outputs.private_dir(tmp_path / "link")

    def test_file_systems_without_permissions_are_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "private").mkdir()
        (tmp_path / "private").chmod(0o777)
        monkeypatch.setattr(Path, "chmod", lambda *args: None)
        outputs.private_dir(tmp_path / "private")
        assert "keeps no permissions" in caplog.text


class TestPrepareOutput:
    def test_new_empty_and_own_folders_are_taken(self, tmp_path: Path) -> None:
        out = tmp_path / "a" / "out"
        assert outputs.prepare_output(out, "study") == out.resolve()
        assert outputs.output_verb(out) == "study"
        (out / "summary.json").write_text("{}")
        assert outputs.prepare_output(out, "study") == out.resolve()
        (tmp_path / "empty").mkdir()
        outputs.prepare_output(tmp_path / "empty", "volunteers")

    def test_foreign_folders_need_force(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(OutputError, match=r"other files.*--force"):
            outputs.prepare_output(tmp_path, "study")
        outputs.prepare_output(tmp_path, "study", force=True)
        assert (tmp_path / "thesis.tex").read_text() == "years of work"

    def test_another_verbs_results_need_force(self, tmp_path: Path) -> None:
        outputs.prepare_output(tmp_path, "volunteers")
        with pytest.raises(OutputError, match="'faceblind volunteers'"):
            outputs.prepare_output(tmp_path, "study")

    @pytest.mark.parametrize("force", [False, True])
    def test_inputs_are_never_written_to(self, tmp_path: Path, force: bool) -> None:
        scans = tmp_path / "data" / "scans"
        scans.mkdir(parents=True)
        table = tmp_path / "data" / "photos.tsv"
        table.write_text("")
        inputs = [scans, table]
        for out in (scans, tmp_path / "data", tmp_path):
            with pytest.raises(OutputError, match="holds the input"):
                outputs.prepare_output(out, "study", inputs, force)
        with pytest.raises(OutputError, match="inside the input folder scans"):
            outputs.prepare_output(scans / "sub" / "out", "study", inputs, force)
        assert list(scans.iterdir()) == []
        outputs.prepare_output(tmp_path / "data" / "out", "study", inputs, force)

    def test_links_do_not_fool_it(self, tmp_path: Path) -> None:
        (tmp_path / "scans").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "scans")
        with pytest.raises(OutputError, match="holds the input"):
            outputs.prepare_output(tmp_path / "link", "study", [tmp_path / "scans"])

    def test_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(OutputError, match="is a file"):
            outputs.prepare_output(tmp_path / "file", "study")
        with pytest.raises(OutputError, match="cannot be made"):
            outputs.prepare_output(tmp_path / "file" / "out", "study")

    def test_a_name_too_long_and_a_closed_folder_are_told_in_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(OutputError, match=r"cannot be made or opened \(File name too long\)"):
            outputs.prepare_output(tmp_path / ("a" * 300), "study")

        def closed(path: Path) -> None:
            raise PermissionError(13, "Permission denied")

        (tmp_path / "closed").mkdir()
        monkeypatch.setattr(Path, "iterdir", closed)
        with pytest.raises(OutputError, match=r"opened \(Permission denied\); choose another"):
            outputs.prepare_output(tmp_path / "closed", "study")

    @pytest.mark.parametrize("content", ["", "[]", '{"tool": "other"}', "\xff"])
    def test_strange_markers_are_not_ours(self, tmp_path: Path, content: str) -> None:
        (tmp_path / outputs.MARKER).write_text(content, encoding="latin-1")
        assert outputs.output_verb(tmp_path) is None
