"""Imports point one way, and nothing here calls home."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "faceblind"

FOUNDATION = {"errors", "progress", "runner", "store", "threads"}
# Each layer and what it may import beside itself and the foundation. A layer is a folder of the
# package; "scan" is the module scan.py; "driver" is every other module at the top (study, audit,
# ...), which joins stations into a verb.
MAY_IMPORT = {
    "foundation": set(),
    "scan": set(),
    "formats": {"scan"},
    "head": {"scan"},
    "face": {"scan", "head"},
    "recognition": {"scan", "head", "face"},
    "evaluation": {"recognition"},
    "protect": {"scan", "head"},
    "volunteers": {"scan"},
    "driver": {
        "root",
        "scan",
        "formats",
        "head",
        "face",
        "recognition",
        "evaluation",
        "protect",
        "volunteers",
    },
}
MAY_IMPORT["report"] = MAY_IMPORT["driver"] | {"driver"}
MAY_IMPORT["cli"] = MAY_IMPORT["report"] | {"report"}
MAY_IMPORT["root"] = MAY_IMPORT["report"] | {"report"}
# Single modules with a wider need, and why.
EXCEPTIONS = {
    # A cohort is written in the layout that the study reads.
    "faceblind.volunteers.cohort": {"formats"},
}
# Synthetic people are shaped by the head model's data, never by the code that finds heads; a grid
# is mere geometry.
VOLUNTEERS_FROM_HEAD = {"faceblind.head.grid", "faceblind.head.model", "faceblind.head.template"}

NEVER = {"torch", "anny"}
NETWORK = {
    "aiohttp", "ftplib", "http", "httpx", "poplib", "requests", "smtplib", "socket",
    "socketserver", "ssl", "telnetlib", "urllib.request", "urllib3", "webbrowser", "xmlrpc",
}  # fmt: skip


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def layer(module: str) -> str:
    parts = module.split(".")
    if len(parts) == 1:
        return "root"
    if parts[1] in FOUNDATION:
        return "foundation"
    if parts[1] in MAY_IMPORT:
        return parts[1]
    return "driver"


def imports(path: Path) -> set[str]:
    """Absolute names of imported modules; of ``from a import b`` both a and a.b where a module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = inner & set(MODULES)
            names |= modules
            if len(modules) < len(inner):
                names.add(node.module)
    return names


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module):
    here = layer(module)
    allowed = MAY_IMPORT[here] | {here, "foundation"} | EXCEPTIONS.get(module, set())
    for name in imports(MODULES[module]):
        if name.split(".")[0] != "faceblind":
            continue
        if here == "volunteers" and name in VOLUNTEERS_FROM_HEAD:
            continue
        assert layer(name) in allowed, f"{module} ({here}) must not import {name} ({layer(name)})"


def test_the_rules_see_what_they_shall_see():
    assert layer("faceblind.head.skin") == "head"
    assert layer("faceblind.store") == "foundation"
    assert layer("faceblind.study") == "driver"
    assert layer("faceblind") == "root"
    assert "faceblind.scan" in imports(PACKAGE / "formats" / "nifti.py")
    assert "faceblind.formats.volumes" in imports(PACKAGE / "formats" / "nifti.py")


def python_files() -> list[Path]:
    return [
        p for folder in ("src", "tests", "tools", "bench") for p in (ROOT / folder).rglob("*.py")
    ]


def is_or_is_in(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_nothing_calls_home():
    for path in python_files():
        found = {name for name in imports(path) if is_or_is_in(name, NETWORK)}
        assert not found, f"{path} imports {found}"
        if PACKAGE in path.parents:
            assert "url" + "open" not in path.read_text(encoding="utf-8"), path


def test_the_package_needs_neither_torch_nor_the_source_of_its_data():
    for path in MODULES.values():
        found = {name for name in imports(path) if is_or_is_in(name, NEVER)}
        assert not found, f"{path} imports {found}"


def test_no_path_of_a_developers_machine():
    suspects = ["/" + "work/", "/" + "home/", "/" + "Users/"]
    folders = ("src", "tests", "tools", "bench", "docs", ".ci")
    files = [p for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file()]
    files += [p for p in ROOT.iterdir() if p.is_file()]
    checked = 0
    for path in files:
        if path.suffix in {".pyc", ".npz", ".onnx", ".gz", ".png", ".jpg", ".dat"}:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        checked += 1
        assert not [s for s in suspects if s in text], path
    assert checked > 20


def test_files_stay_readable():
    long = {path: n for path in MODULES.values() if (n := len(path.read_text().splitlines())) > 550}
    assert not long
