"""JSON and tables as they are written."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from faceblind.errors import OutputError, TableError
from faceblind.system import tables

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestTables:
    def test_json(self, tmp_path: Path) -> None:
        content = {
            "a": np.float32(0.5),
            "b": np.arange(2),
            "c": math.nan,
            "d": (1, Path("x")),
            "e": {"z", "y"},
        }
        tables.write_json(tmp_path / "a.json", content)
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
        tables.write_tsv(tmp_path / "a.tsv", rows)
        expected = "who\trank\tnote\na\t1\ttwo words\nb\tn/a\tn/a\nc\t0.666667\ttrue\n"
        assert (tmp_path / "a.tsv").read_text() == expected

    def test_tsv_columns(self, tmp_path: Path) -> None:
        tables.write_tsv(tmp_path / "a.tsv", [], ["x", "y"])
        assert (tmp_path / "a.tsv").read_text() == "x\ty\n"
        with pytest.raises(TableError, match="unexpected column 'z'"):
            tables.write_tsv(tmp_path / "a.tsv", [{"z": 1}], ["x"])

    def test_missing_folder_is_one_line(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="cannot be written"):
            tables.write_json(tmp_path / "none" / "a.json", {})


def test_csv_quotes_what_must_be_and_leaves_absent_cells_empty(tmp_path):
    rows = [{"a": 'x, "y"', "b": 1 / 3}, {"a": None}]
    tables.write_csv(tmp_path / "t.csv", rows, ("a", "b", "c"))
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines == ["a,b,c", '"x, ""y""",0.333333,', ",,"]
    with pytest.raises(ValueError, match="'d'"):
        tables.write_csv(tmp_path / "t.csv", [{"d": 1}], ("a",))
