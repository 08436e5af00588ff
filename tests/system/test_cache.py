"""A cache that is private and drops damaged entries."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from faceblind.errors import OutputError
from faceblind.system import cache, files

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestCache:
    key = cache.cache_key("00", "1", {})

    def cache(self, tmp_path: Path) -> cache.Cache:
        return cache.Cache(tmp_path / "private" / "cache")

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
        a, b, c = (files.file_digest(tmp_path / name) for name in "abc")
        assert a == b != c
        key = cache.cache_key(a, "1", {"size": 224, "views": np.int64(9)})
        assert key == cache.cache_key(b, "1", {"views": 9, "size": 224})
        others = {
            cache.cache_key(c, "1", {"size": 224, "views": 9}),
            cache.cache_key(a, "2", {"size": 224, "views": 9}),
            cache.cache_key(a, "1", {"size": 112, "views": 9}),
            cache.cache_key([a, c], "1", {"size": 224, "views": 9}),
            cache.cache_key([c, a], "1", {"size": 224, "views": 9}),
        }
        assert len(others | {key}) == 6
