"""The package is whole: one version, typed, every public name there, licences beside the data."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import faceblind

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "faceblind"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_version_stands_in_one_place():
    assert re.fullmatch(r"\d+\.\d+\.\d+\w*", faceblind.__version__)
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert "version" not in PROJECT["project"]
    assert "\nversion:" not in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    homes = [
        path
        for path in PACKAGE.rglob("*.py")
        if f'"{faceblind.__version__}"' in path.read_text(encoding="utf-8")
    ]
    assert homes == [PACKAGE / "_version.py"]


def test_installed_metadata_agrees():
    try:
        installed = metadata.metadata("faceblind")
    except metadata.PackageNotFoundError:
        pytest.skip("faceblind runs from its source tree, it is not installed")
    assert installed["Version"] == faceblind.__version__
    assert installed["License-Expression"] == "Apache-2.0"


def test_typed_and_licensed():
    assert (PACKAGE / "py.typed").is_file()
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0" in text
    if (PACKAGE / "data").is_dir():
        assert list((PACKAGE / "data").rglob("*LICENSE*"))


@pytest.mark.parametrize("name", [n for n in faceblind.__all__ if n != "__version__"])
def test_every_public_name_loads(name):
    value = getattr(faceblind, name)
    assert value.__doc__
    assert value.__name__ == name


def test_public_names_are_declared_once_for_people_and_type_checkers():
    assert sorted(faceblind.__all__) == faceblind.__all__ == dir(faceblind)
    assert set(faceblind.__all__) == {*faceblind._HOME, "__version__"}
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    declared = {a.name: n.module for n in block.body for a in n.names}
    assert declared == faceblind._HOME
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = faceblind.nonsense


def test_import_is_lazy():
    code = "import sys, faceblind; print(sorted({'numpy', 'nibabel', 'cv2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


def test_every_module_imports_without_optional_packages():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        assert importlib.import_module(name).__doc__, f"{name} has no docstring"


def test_every_import_is_a_declared_dependency():
    names = {
        "PIL": "pillow",
        "azure": "azure-ai-vision-face",
        "cv2": "opencv-python-headless",
        "skimage": "scikit-image",
        "dask_jobqueue": "dask-jobqueue",
        "dlib": "dlib-bin",
        "face_recognition_models": "face-recognition-models",
        "pillow_heif": "pillow-heif",
    }
    listed = [*PROJECT["project"]["dependencies"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        listed += extra
    declared = {re.split(r"[<>=!~\[; ]", line)[0] for line in listed}
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    third_party = found - set(sys.stdlib_module_names) - {"faceblind"}
    assert {names.get(name, name) for name in third_party} <= declared


def test_the_dockerfile_has_no_fault_that_a_linter_knows(tmp_path):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    hadolint = shutil.which("hadolint", path=path)
    if hadolint is None:
        pytest.skip("needs hadolint of the dev extra")

    def said(file):
        done = subprocess.run([hadolint, "--no-color", file], capture_output=True, text=True)
        return done.returncode, done.stdout

    assert said(ROOT / "containers" / "Dockerfile") == (0, "")
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN cd /opt && pip install faceblind\n")
    code, text = said(bad)
    assert code == 1
    assert {"DL3006", "DL3003", "DL3042"} <= set(re.findall(r"DL\d+", text))


def recipe_sections():
    """Header lines of the Apptainer recipe, and the lines of each of its sections."""
    lines = (ROOT / "containers" / "faceblind.def").read_text(encoding="utf-8").splitlines()
    sections = {"": []}
    current = ""
    for line in lines:
        if line.startswith("%"):
            current = line[1:].strip()
            assert current not in sections
            sections[current] = []
        elif line.strip() and not line.startswith("#"):
            sections[current].append(line.strip())
    return sections


def test_the_apptainer_recipe_makes_what_the_dockerfile_makes():
    sections = recipe_sections()
    docker = (ROOT / "containers" / "Dockerfile").read_text(encoding="utf-8")
    base = re.findall(r"^FROM (\S+)", docker, re.MULTILINE)
    assert sections[""] == ["Bootstrap: docker", f"From: {base[-1]}"]
    assert set(sections) == {"", "files", "post", "environment", "runscript"}
    sources = [line.split()[0] for line in sections["files"]]
    assert sorted(sources) == ["LICENSE", "README.md", "pyproject.toml", "src"]
    for line in sections["files"]:
        source, target = line.split()
        assert (ROOT / source).exists()
        assert target == f"/source/{source}"
    for name in ("post", "environment", "runscript"):
        script = "\n".join(sections[name])
        checked = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
    assert shlex.split(sections["runscript"][-1]) == ["exec", "faceblind", "bids", "$@"]
    exported = {line.split()[1].partition("=")[0] for line in sections["environment"]}
    assert exported == set(re.findall(r"(\w+)=", docker[docker.index("ENV ") :].split("ENTRY")[0]))
    built = next(line for line in sections["post"] if "-m venv" in line).split()[-1]
    assert sections["environment"][0] == f"export PATH={built}/bin:$PATH"
