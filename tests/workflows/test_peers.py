"""Other tools are found on the search path, run, and complained about in one line."""

from __future__ import annotations

import shutil
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.formats import load, save
from faceblind.workflows import peers
from faceblind.workflows.peers import Peer, find_peers, parse_peer

COPY = "import shutil; shutil.copyfile(sys.argv[1], sys.argv[2])"


@pytest.fixture
def path(tmp_path, monkeypatch):
    """An empty search path, and a function that puts programs on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    forget = peers.find_module.cache_clear
    forget()

    def add(name: str, text: str) -> Path:
        program = folder / name
        program.write_text(f"#!{sys.executable}\nimport sys\n{text}\n")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
        return program

    yield add
    forget()


def by_name(name: str) -> Peer:
    return next(one for one in find_peers()[0] if one.name == name)


def test_each_known_tool_is_there_or_listed(path):
    found, missing = find_peers()
    assert {one.name for one in (*found, *missing)} == set(peers.KNOWN)
    why = {one.name: one.why for one in missing}
    assert why["quickshear"] == "not installed; pip install quickshear"
    assert "--peer mede=COMMAND" in why["mede"]
    assert not {one.name for one in found} & {"quickshear", "niimath", "pydeface", "deepdefacer"}


def test_a_tool_gets_source_mask_and_target(path, tmp_path):
    path("quickshear", "open(sys.argv[3], 'w').write(' '.join(sys.argv[1:]))")
    tool = by_name("quickshear")
    source, target, brain = (tmp_path / name for name in ("{brain}", "b.nii.gz", "m.nii.gz"))
    with pytest.raises(FaceblindError, match="needs a brain mask"):
        tool.run(source, target)
    done = tool.run(source, target, brain)
    assert done.failure == ""
    assert done.wall_s > 0
    assert target.read_text() == f"{source} {brain} {target}"


def test_failures_are_one_line(path, tmp_path):
    places = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
    path("deepdefacer", "sys.exit('first line\\nno face in here')")
    assert by_name("deepdefacer").run(*places).failure == "ended with code 1: no face in here"
    path("deepdefacer", "pass")
    assert by_name("deepdefacer").run(*places).failure == "wrote nothing"
    path("deepdefacer", "open(sys.argv[4], 'w')")
    assert by_name("deepdefacer").run(*places).failure == "wrote nothing"
    path("deepdefacer", "import time; time.sleep(60)")
    assert by_name("deepdefacer").run(*places, timeout_s=0.5).failure == "was stopped after 0.5 s"


def test_niimath_borrows_pydefaces_template(path, tmp_path, monkeypatch):
    data = tmp_path / "pydeface" / "data"
    data.mkdir(parents=True)
    path("niimath", "print('program version v1.0.20261016 Linux')")
    monkeypatch.setattr(peers, "find_module", lambda module, beside="": ("python", data.parent))
    tool = by_name("niimath")
    assert tool.command[2:4] == ("-deface", str(data / "mean_reg2mean.nii.gz"))
    assert tool.version == "1.0.20261016"
    assert not tool.needs_brain


def test_a_tool_of_the_users_own(path, tmp_path):
    program = path("mine", f"print('mine 2.5') if '--version' in sys.argv else None\n{COPY}")
    tool = parse_peer("My-tool=mine {source} {target}")
    assert (tool.name, tool.command[0]) == ("My-tool", str(program))
    before = tool.digest
    program.write_text(program.read_text() + "# another build\n")
    assert parse_peer("My-tool=mine {source} {target}").digest != before
    found, missing = find_peers(["mede=mine {source} {target}"])
    assert found[-1].name == "mede"
    assert "mede" not in {one.name for one in missing}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mine", "expected NAME=COMMAND"),
        ("reface=mine {source} {target}", "not one of intact, deface, reface"),
        ("../x=mine {source} {target}", "expected NAME=COMMAND"),
        ("x=mine {source}", r"lacks \{target\}"),
        ("x=", r"lacks \{source\} and \{target\}"),
        ("x='mine {source} {target}", "check the quotes"),
        ("x=nowhere {source} {target}", "no such program"),
    ],
)
def test_what_cannot_be_understood_is_refused(path, text, why):
    path("mine", COPY)
    with pytest.raises(FaceblindError, match=why):
        parse_peer(text)


def test_two_tools_of_one_name_are_refused(path):
    path("mine", COPY)
    with pytest.raises(FaceblindError, match="same name"):
        find_peers(["a=mine {source} {target}", "a=mine {target} {source}"])


def test_the_real_niimath_takes_a_face_off(phantom, tmp_path):
    if shutil.which("niimath") is None or peers.find_module("pydeface") is None:
        pytest.skip("needs niimath, and pydeface for its template: pip install niimath pydeface")
    source, target = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
    save(phantom().scan, source)
    done = by_name("niimath").run(source, target, timeout_s=300)
    assert done.failure == ""
    changed = load(source).volume() != load(target).volume()
    assert np.count_nonzero(changed) > 1000
