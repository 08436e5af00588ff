"""Other tools are found on the search path, run, and complained about in one line."""

from __future__ import annotations

import stat
import sys

import pytest

from faceblind.errors import FaceblindError, OutputError


@pytest.fixture(scope="module")
def other_tools(script):
    return script("bench/other_tools.py")


@pytest.fixture
def path(other_tools, tmp_path, monkeypatch):
    """An empty search path, and a function that puts programs on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    forget = other_tools.find_module.cache_clear
    forget()

    def add(name: str, text: str) -> None:
        program = folder / name
        program.write_text(f"#!{sys.executable}\nimport sys\n{text}\n")
        program.chmod(program.stat().st_mode | stat.S_IEXEC)

    yield add
    forget()


def test_nothing_is_installed_on_an_empty_path(other_tools, path):
    names = {tool.name for tool in other_tools.installed()}
    assert not names & {"quickshear", "niimath", "deepdefacer"}
    with pytest.raises(FaceblindError, match="pip install quickshear"):
        other_tools.get_tool("quickshear")
    with pytest.raises(FaceblindError, match="unknown; choose pydeface"):
        other_tools.get_tool("nothing")


def test_a_tool_gets_source_mask_and_target(other_tools, path, tmp_path):
    path("quickshear", "open(sys.argv[3], 'w').write(' '.join(sys.argv[1:]))")
    tool = other_tools.get_tool("quickshear")
    source, target, brain = (tmp_path / name for name in ("a.nii.gz", "b.nii.gz", "brain.nii.gz"))
    with pytest.raises(OutputError, match="needs a brain mask"):
        other_tools.run(tool, source, target)
    other_tools.run(tool, source, target, brain)
    assert target.read_text() == f"{source} {brain} {target}"


def test_failures_are_one_line(other_tools, path, tmp_path):
    path("deepdefacer", "sys.exit('first line\\nno face in here')")
    with pytest.raises(OutputError, match=r"failed on a\.nii\.gz: no face in here"):
        other_tools.run(
            other_tools.get_tool("deepdefacer"), tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
        )
    path("deepdefacer", "pass")
    with pytest.raises(OutputError, match="wrote nothing"):
        other_tools.run(
            other_tools.get_tool("deepdefacer"), tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
        )


def test_niimath_borrows_pydefaces_template(other_tools, path, tmp_path, monkeypatch):
    data = tmp_path / "pydeface" / "data"
    data.mkdir(parents=True)
    path("niimath", "pass")
    monkeypatch.setattr(other_tools, "find_module", lambda module: ("python", data.parent))
    command = other_tools.get_tool("niimath").command(
        tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", None
    )
    assert command[2] == "-deface"
    assert command[3] == str(data / "mean_reg2mean.nii.gz")
