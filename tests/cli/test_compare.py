"""The comparison on the command line: its table, its files, its errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]


def test_a_study_is_compared_with_itself(command: Command, studied: Any, tmp_path: Path) -> None:
    out = tmp_path / "compared"
    done = command("compare", studied.out, studied.out, "--out", out)
    assert done.code == 0, done.err
    for words in ("photo-to-scan · 4 people in both", "at rank 1", "+0.0", "McNemar", "In-silico"):
        assert words in done.out, words
    assert "sub-" not in done.out
    assert "differ" not in done.out
    written = json.loads((out / "compare.json").read_text())
    assert "sub-" not in (out / "report.html").read_text(encoding="utf-8")
    assert "sub-0001" in (out / "private" / "report.html").read_text(encoding="utf-8")
    assert written["people"] == 4
    assert written["differences"][0]["p_mcnemar"] == 1.0
    assert written["unlike"] == {}


def test_nothing_is_written_unless_asked_for(
    command: Command, studied: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("compare", studied.out, studied.out).code == 0
    assert list(tmp_path.iterdir()) == []


def test_differing_galleries_are_said(command: Command, studied: Any, tmp_path: Path) -> None:
    other = Path(shutil.copytree(studied.out, tmp_path / "other"))
    summary = json.loads((other / "summary.json").read_text())
    summary["gallery_size"] = 3
    summary["settings"]["variant"] = "as-is"
    (other / "summary.json").write_text(json.dumps(summary))
    done = command("compare", studied.out, other)
    text = " ".join(done.out.split())
    assert "The galleries differ: 4 in A, 3 in B." in text
    assert "The studies differ in variant." in text


def test_a_folder_without_results_is_refused(
    command: Command, studied: Any, tmp_path: Path
) -> None:
    done = command("compare", studied.out, tmp_path)
    assert done.code == 1
    assert "no results of 'faceblind study'" in done.err
    assert done.err.count("\n") == 1
