"""The package is whole: one version, typed, every public name there, licences beside the data."""

from __future__ import annotations

import ast
import importlib
import re
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
