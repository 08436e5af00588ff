"""Embeddings are checked, combined and kept."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceblind.errors import FaceblindError, OutputError
from faceblind.recognition.gallery import (
    Embeddings,
    concatenate,
    load_embeddings,
    save_embeddings,
)


def some(**changes: Any) -> Embeddings:
    fields = {
        "vectors": np.eye(4, dtype=np.float32)[:3],
        "person": np.array(["sub-2", "sub-1", "sub-2"]),
        "kind": np.array(["render", "photograph", "photograph"]),
        "recogniser": "sface-0",
    }
    return Embeddings(**{**fields, **changes})


def same(a: Embeddings, b: Embeddings) -> None:
    for name in ("vectors", "person", "kind"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.recogniser == b.recogniser


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": np.ones(3)}, r"expected \(N, D\) vectors, got shape \(3,\)"),
        ({"vectors": 2 * np.eye(3)}, r"length one, got 2 at row 0 \(3 of 3 rows\)"),
        ({"vectors": np.full((3, 4), np.nan)}, "length one, got nan"),
        ({"person": np.array(["a", "b"])}, r"expected 3 entries in person, got shape \(2,\)"),
        ({"person": np.array(["a", "", "b"])}, "every picture needs a person"),
        ({"kind": np.array(["render", "photo", "render"])}, "got 'photo'"),
        ({"recogniser": ""}, "must be named"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FaceblindError, match=message):
        some(**changes)


def test_arrays_are_copied_and_frozen() -> None:
    vectors = np.eye(4, dtype=np.float32)[:3]
    embeddings = some(vectors=vectors)
    vectors[:] = 0
    assert embeddings.vectors[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        embeddings.vectors[0, 0] = 2
    assert len(embeddings) == 3
    assert embeddings.persons.tolist() == ["sub-1", "sub-2"]


def test_select() -> None:
    embeddings = some()
    assert embeddings.select(kind="photograph").person.tolist() == ["sub-1", "sub-2"]
    assert embeddings.select(persons=["sub-2"], kind="render").vectors.tolist() == [[1, 0, 0, 0]]
    assert embeddings.select(np.array([2, 0])).vectors[:, 2].tolist() == [1, 0]
    assert embeddings.select(embeddings.person == "sub-1").kind.tolist() == ["photograph"]
    assert len(embeddings.select(persons=[])) == 0


def test_concatenate() -> None:
    one = Embeddings.of(np.eye(4, dtype=np.float32)[:2], "sub-9", "render", "sface-0")
    both = concatenate([some(), one])
    assert both.person.tolist() == ["sub-2", "sub-1", "sub-2", "sub-9", "sub-9"]
    same(both.select(np.arange(3)), some())
    with pytest.raises(FaceblindError, match="nothing to concatenate"):
        concatenate([])
    with pytest.raises(FaceblindError, match="recognisers differ"):
        concatenate([some(), some(recogniser="dlib-0")])
    with pytest.raises(FaceblindError, match=r"one vector length, got \[4, 5\]"):
        concatenate([some(), some(vectors=np.eye(5)[:3])])


def test_files_keep_everything(tmp_path: Path) -> None:
    path = tmp_path / "sub-1.npz"
    save_embeddings(some(), path)
    same(load_embeddings(path), some())
    save_embeddings(some().select(persons=[]), path)
    assert len(load_embeddings(path)) == 0
    assert [item.name for item in tmp_path.iterdir()] == ["sub-1.npz"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sub-1.npz"
    with pytest.raises(FaceblindError, match="no such file"):
        load_embeddings(path)
    save_embeddings(some(), path)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(FaceblindError, match=r"not a whole embeddings file"):
            load_embeddings(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(FaceblindError, match="not a whole embeddings file"):
        load_embeddings(path)
    with pytest.raises(OutputError, match="cannot be written"):
        save_embeddings(some(), tmp_path / "absent" / "x.npz")
