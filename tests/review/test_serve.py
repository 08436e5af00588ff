"""From the command to the address: folders, refusals, and a server that answers nobody else."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time

import pytest
from review_parts import Folders

from faceblind.errors import FaceblindError, OutputError, ScanError
from faceblind.review import serve
from faceblind.review.decisions import Decision, Decisions


def test_decisions_lie_in_the_private_folder_of_our_own_output(folders):
    tree = serve.find_tree(folders.protected, None, None, moves=None)
    assert tree.notes == folders.protected / "private" / "review"
    assert tree.moves
    with pytest.raises(OutputError, match="leave --out out"):
        serve.find_tree(folders.protected, None, folders.protected / "x", moves=None)


def test_decisions_on_another_tools_output_lie_beside_it(folders, tmp_path):
    (folders.protected / ".faceblind.json").unlink()
    tree = serve.find_tree(folders.protected, folders.originals, None, moves=None)
    assert tree.notes == tmp_path / "out-review" / "private"
    assert not tree.moves
    assert serve.find_tree(folders.protected, None, tmp_path / "mine", moves=True).moves
    with pytest.raises(OutputError, match="lies inside the input"):
        serve.find_tree(folders.protected, None, folders.protected / "notes", moves=None)


def test_folders_that_cannot_be_right_are_refused(folders, tmp_path):
    with pytest.raises(ScanError, match="not a folder"):
        serve.find_tree(tmp_path / "none", None, None, moves=None)
    with pytest.raises(ScanError, match="no such folder"):
        serve.find_tree(folders.protected, tmp_path / "none", None, moves=None)
    with pytest.raises(ScanError, match="is the protected folder itself"):
        serve.find_tree(folders.protected, folders.protected, None, moves=None)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 81, "a\x1b[0m"])
def test_names_of_raters_fit_on_a_line(name):
    with pytest.raises(FaceblindError, match="rater"):
        serve.rater_name(name)
    assert serve.rater_name(" Zoë ") == "Zoë"


def test_decisions_are_exported_without_a_server(folders, tmp_path):
    with pytest.raises(OutputError, match="holds no decisions yet"):
        serve.write_export(folders.tree, tmp_path / "d.tsv")
    with Decisions(folders.tree.notes) as decisions:
        decisions.add(Decision("a.nii", "anna", 1, "reject", ("eyes",)))
    serve.write_export(folders.tree, tmp_path / "d.tsv")
    header, row = (tmp_path / "d.tsv").read_text().splitlines()
    assert header.startswith("scan\trater\tround\tdecision")
    assert row.startswith("a.nii\tanna\t1\treject\tfail; eyes\tn/a")


def test_what_is_missing_is_said_with_the_line_that_installs_it(folders, monkeypatch):
    monkeypatch.setattr(serve.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FaceblindError, match=r"pip install 'faceblind\[review\]'"):
        serve.serve(folders.tree, None, None, serve.Rater("anna"), 0, print)


def command(folders: Folders) -> list[str]:
    code = "from faceblind.cli.main import main; main()"
    return [sys.executable, "-c", code, "review", str(folders.protected),
            "--originals", str(folders.originals)]  # fmt: skip


def test_the_command_prints_an_address_soon_and_ends_with_ctrl_c(folders):
    pytest.importorskip("starlette", reason="needs starlette, see [review]")
    pytest.importorskip("uvicorn", reason="needs uvicorn, see [review]")
    began = time.monotonic()
    with subprocess.Popen(command(folders), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:  # fmt: skip
        line = process.stdout.readline()
        took = time.monotonic() - began
        try:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}\n", line)
            # Two seconds on an idle machine; others work on this one.
            assert took < 15
            second = subprocess.run(command(folders), capture_output=True, text=True, timeout=60)
            assert second.returncode == 1
            assert "another review of this folder is running" in second.stderr
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert not (folders.tree.notes / "cache").exists()
    assert json.loads((folders.protected / ".faceblind.json").read_text())["verb"] == "deface"
