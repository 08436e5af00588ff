"""The Boutiques descriptor says what the command takes, and the recipes hold together."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTAINERS = ROOT / "containers"


def test_the_descriptor_is_that_of_the_command(script):
    kept = json.loads((CONTAINERS / "faceblind.boutiques.json").read_text())
    assert kept == script("tools/build_boutiques.py").descriptor(), (
        "run python tools/build_boutiques.py"
    )
    flags = {one.get("command-line-flag") for one in kept["inputs"]}
    assert {"--participant-label", "--layout", "--bids-filter-file", "--mem-mb"} <= flags


def test_boutiques_accepts_it_and_makes_a_command_of_it(tmp_path):
    bosh = pytest.importorskip("boutiques", reason="needs the dev extra")
    descriptor = CONTAINERS / "faceblind.boutiques.json"
    bosh.validate(str(descriptor))
    invocation = tmp_path / "invocation.json"
    invocation.write_text(
        json.dumps(
            {
                "bids_dir": "raw", "output_dir": "out", "level": "participant",
                "participant_label": ["01", "02"], "layout": "publish", "everything": True,
                "nprocs": 2,
            }
        )
    )  # fmt: skip
    said = bosh.execute("simulate", str(descriptor), "-i", str(invocation)).stdout.split()
    assert said == [
        "faceblind", "bids", "raw", "out", "participant", "--participant-label", "01", "02",
        "--layout", "publish", "--all", "--nprocs", "2",
    ]  # fmt: skip


def test_recipes_use_what_is_there():
    """Containers are not built here: at least their parts exist."""
    docker = (CONTAINERS / "Dockerfile").read_text()
    apptainer = (CONTAINERS / "faceblind.def").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", docker, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    names |= set(re.findall(r"^    (\S+) /source/", apptainer, re.MULTILINE))
    assert names == {"pyproject.toml", "README.md", "LICENSE", "src"}
    assert all((ROOT / name).exists() for name in names)
    for text in (docker, apptainer):
        assert "faceblind" in text
        assert "bids" in text
        assert "FACEBLIND_CONTAINER" in text
    # What the recipes run is the entry point of the package.
    done = subprocess.run(
        [sys.executable, "-m", "faceblind.cli.main", "bids", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "BIDS_DIR" in done.stdout
