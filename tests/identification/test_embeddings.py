"""Embeddings are checked and frozen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.identification.embeddings import Embeddings


def some(**changes: Any) -> Embeddings:
    fields = {
        "vectors": np.eye(4, dtype=np.float32)[:3],
        "person": np.array(["sub-2", "sub-1", "sub-2"]),
        "kind": np.array(["render", "photograph", "photograph"]),
        "recogniser": "sface-0",
    }
    return Embeddings(**{**fields, **changes})


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


def test_pictures_of_people() -> None:
    rows = np.eye(4, dtype=np.float32)
    made = Embeddings.of_people({"sub-2": rows[:2], "sub-1": rows[3:]}, "render", "sface-0")
    assert made.person.tolist() == ["sub-1", "sub-2", "sub-2"]
    assert made.kind.tolist() == ["render"] * 3
    np.testing.assert_array_equal(made.vectors, rows[[3, 0, 1]])
