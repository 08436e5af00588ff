"""Whole files or none, private folders, guarded output roots, and a cache that heals."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from faceblind import store
from faceblind.errors import OutputError, TableError

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
        with store.atomic_path(target) as temporary:
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
            with store.atomic_path(target) as temporary:
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
            store.write_json(tmp_path / "a.json", {})
        assert list(tmp_path.iterdir()) == []

    def test_nothing_written_is_an_error(self, tmp_path: Path) -> None:
        with (
            pytest.raises(OutputError, match="nothing was written"),
            store.atomic_path(tmp_path / "a"),
        ):
            pass

    @posix
    def test_keeps_the_umask(self, tmp_path: Path, open_umask: None) -> None:
        os.umask(0o027)
        store.write_json(tmp_path / "a.json", {})
        assert mode(tmp_path / "a.json") == 0o640


@posix
class TestPrivateDir:
    def test_new_folder_is_closed_under_any_umask(self, tmp_path: Path, open_umask: None) -> None:
        made = store.private_dir(tmp_path / "out" / "private" / "faces")
        assert mode(made) == 0o700
        assert mode(made.parent) == 0o700
        assert mode(tmp_path / "out") == 0o777

    def test_owner_can_enter_under_a_strict_umask(self, tmp_path: Path, open_umask: None) -> None:
        os.umask(0o777)
        assert mode(store.private_dir(tmp_path / "private")) == 0o700

    def test_open_folder_is_closed(self, tmp_path: Path) -> None:
        folder = tmp_path / "private"
        folder.mkdir()
        folder.chmod(0o755)
        store.private_dir(folder)
        assert mode(folder) == 0o700

    def test_files_and_links_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(OutputError, match="cannot be made private"):
            store.private_dir(tmp_path / "file")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OutputError, match="is a link"):
            store.private_dir(tmp_path / "link")

    def test_file_systems_without_permissions_are_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "private").mkdir()
        (tmp_path / "private").chmod(0o777)
        monkeypatch.setattr(Path, "chmod", lambda *args: None)
        store.private_dir(tmp_path / "private")
        assert "keeps no permissions" in caplog.text


class TestPrepareOutput:
    def test_new_empty_and_own_folders_are_taken(self, tmp_path: Path) -> None:
        out = tmp_path / "a" / "out"
        assert store.prepare_output(out, "study") == out.resolve()
        assert store.output_verb(out) == "study"
        (out / "summary.json").write_text("{}")
        assert store.prepare_output(out, "study") == out.resolve()
        (tmp_path / "empty").mkdir()
        store.prepare_output(tmp_path / "empty", "volunteers")

    def test_foreign_folders_need_force(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(OutputError, match=r"other files.*--force"):
            store.prepare_output(tmp_path, "study")
        store.prepare_output(tmp_path, "study", force=True)
        assert (tmp_path / "thesis.tex").read_text() == "years of work"

    def test_another_verbs_results_need_force(self, tmp_path: Path) -> None:
        store.prepare_output(tmp_path, "volunteers")
        with pytest.raises(OutputError, match="'faceblind volunteers'"):
            store.prepare_output(tmp_path, "study")

    @pytest.mark.parametrize("force", [False, True])
    def test_inputs_are_never_written_to(self, tmp_path: Path, force: bool) -> None:
        scans = tmp_path / "data" / "scans"
        scans.mkdir(parents=True)
        table = tmp_path / "data" / "photos.tsv"
        table.write_text("")
        inputs = [scans, table]
        for out in (scans, tmp_path / "data", tmp_path):
            with pytest.raises(OutputError, match="holds the input"):
                store.prepare_output(out, "study", inputs, force)
        with pytest.raises(OutputError, match="inside the input folder scans"):
            store.prepare_output(scans / "sub" / "out", "study", inputs, force)
        assert list(scans.iterdir()) == []
        store.prepare_output(tmp_path / "data" / "out", "study", inputs, force)

    def test_links_do_not_fool_it(self, tmp_path: Path) -> None:
        (tmp_path / "scans").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "scans")
        with pytest.raises(OutputError, match="holds the input"):
            store.prepare_output(tmp_path / "link", "study", [tmp_path / "scans"])

    def test_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(OutputError, match="is a file"):
            store.prepare_output(tmp_path / "file", "study")
        with pytest.raises(OutputError, match="cannot be made"):
            store.prepare_output(tmp_path / "file" / "out", "study")

    def test_a_name_too_long_and_a_closed_folder_are_told_in_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(OutputError, match=r"cannot be made or opened \(File name too long\)"):
            store.prepare_output(tmp_path / ("a" * 300), "study")

        def closed(path: Path) -> None:
            raise PermissionError(13, "Permission denied")

        (tmp_path / "closed").mkdir()
        monkeypatch.setattr(Path, "iterdir", closed)
        with pytest.raises(OutputError, match=r"opened \(Permission denied\); choose another"):
            store.prepare_output(tmp_path / "closed", "study")

    @pytest.mark.parametrize("content", ["", "[]", '{"tool": "other"}', "\xff"])
    def test_strange_markers_are_not_ours(self, tmp_path: Path, content: str) -> None:
        (tmp_path / store.MARKER).write_text(content, encoding="latin-1")
        assert store.output_verb(tmp_path) is None


class TestTables:
    def test_json(self, tmp_path: Path) -> None:
        content = {
            "a": np.float32(0.5),
            "b": np.arange(2),
            "c": math.nan,
            "d": (1, Path("x")),
            "e": {"z", "y"},
        }
        store.write_json(tmp_path / "a.json", content)
        text = (tmp_path / "a.json").read_text()
        expected = {"a": 0.5, "b": [0, 1], "c": None, "d": [1, "x"], "e": ["y", "z"]}
        assert json.loads(text) == expected
        assert text.endswith("}\n")

    def test_tsv(self, tmp_path: Path) -> None:
        rows = [
            {"who": "a", "rank": 1.0, "note": "two\twords\n"},
            {"who": "b", "rank": math.inf, "note": ""},
            {"who": "c", "rank": np.float64(2 / 3), "note": True},
        ]
        store.write_tsv(tmp_path / "a.tsv", rows)
        expected = "who\trank\tnote\na\t1\ttwo words\nb\tn/a\tn/a\nc\t0.666667\ttrue\n"
        assert (tmp_path / "a.tsv").read_text() == expected

    def test_tsv_columns(self, tmp_path: Path) -> None:
        store.write_tsv(tmp_path / "a.tsv", [], ["x", "y"])
        assert (tmp_path / "a.tsv").read_text() == "x\ty\n"
        with pytest.raises(TableError, match="unexpected column 'z'"):
            store.write_tsv(tmp_path / "a.tsv", [{"z": 1}], ["x"])

    def test_missing_folder_is_one_line(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="cannot be written"):
            store.write_json(tmp_path / "none" / "a.json", {})


def test_versions() -> None:
    versions = store.software_versions()
    assert versions["numpy"] == np.__version__
    assert versions["python"].startswith("3.")


class TestCache:
    key = store.cache_key("00", "1", {})

    def cache(self, tmp_path: Path) -> store.Cache:
        return store.Cache(tmp_path / "private" / "cache")

    def test_round_trip(self, tmp_path: Path) -> None:
        cache = self.cache(tmp_path)
        assert cache.get(self.key) is None
        arrays = {"vectors": np.eye(3, dtype=np.float32), "name": np.array("sface")}
        cache.put(self.key, arrays)
        found = self.cache(tmp_path).get(self.key)
        assert found is not None
        assert list(found) == ["vectors", "name"]
        assert found["vectors"].dtype == np.float32
        assert np.array_equal(found["vectors"], np.eye(3))
        assert str(found["name"]) == "sface"
        cache.put(self.key, {"other": np.zeros(2)})
        assert list(cache.get(self.key) or {}) == ["other"]

    @posix
    def test_is_private(self, tmp_path: Path, open_umask: None) -> None:
        cache = self.cache(tmp_path)
        cache.put(self.key, {"a": np.zeros(1)})
        folders = [path for path in (tmp_path / "private").rglob("*") if path.is_dir()]
        assert {mode(path) for path in (tmp_path / "private", *folders)} == {0o700}

    @pytest.mark.parametrize("damage", ["empty", "truncated", "flipped", "text", "pickle"])
    def test_damaged_entries_are_dropped(self, tmp_path: Path, damage: str) -> None:
        cache = self.cache(tmp_path)
        cache.put(self.key, {"a": np.arange(1000.0)})
        path = cache.path(self.key)
        content = bytearray(path.read_bytes())
        if damage == "empty":
            content = bytearray()
        elif damage == "truncated":
            content = content[: len(content) // 2]
        elif damage == "flipped":
            content[len(content) // 2] ^= 1
        elif damage == "text":
            content = bytearray(b"not an archive")
        path.write_bytes(content)
        if damage == "pickle":
            np.savez(path, a=np.array([{}], dtype=object))
        assert cache.get(self.key) is None
        assert not path.exists()
        cache.put(self.key, {"a": np.zeros(1)})
        assert cache.get(self.key) is not None

    def test_objects_and_strange_keys_are_refused(self, tmp_path: Path) -> None:
        cache = self.cache(tmp_path)
        with pytest.raises(OutputError, match="object array"):
            cache.put(self.key, {"a": np.array([{}])})
        with pytest.raises(OutputError, match="not a key"):
            cache.get("../../etc/passwd")

    def test_key_follows_content_version_and_settings(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"scan")
        (tmp_path / "b").write_bytes(b"scan")
        (tmp_path / "c").write_bytes(b"scam")
        a, b, c = (store.file_digest(tmp_path / name) for name in "abc")
        assert a == b != c
        key = store.cache_key(a, "1", {"size": 224, "views": np.int64(9)})
        assert key == store.cache_key(b, "1", {"views": 9, "size": 224})
        others = {
            store.cache_key(c, "1", {"size": 224, "views": 9}),
            store.cache_key(a, "2", {"size": 224, "views": 9}),
            store.cache_key(a, "1", {"size": 112, "views": 9}),
            store.cache_key([a, c], "1", {"size": 224, "views": 9}),
            store.cache_key([c, a], "1", {"size": 224, "views": 9}),
        }
        assert len(others | {key}) == 6
