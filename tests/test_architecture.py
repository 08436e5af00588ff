"""Imports point the way that docs/contributing/architecture.md says, and nothing calls home."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "faceblind"
PAGE = ROOT / "docs" / "contributing" / "architecture.md"

EVERYWHERE = {"errors", "_version"}
"""What every other room may import without saying so."""
MOST_LINES = 420

NEVER = {"torch", "anny"}
NETWORK = {
    "aiohttp", "azure", "ftplib", "http", "httpx", "poplib", "requests", "smtplib", "socket",
    "socketserver", "ssl", "telnetlib", "urllib.request", "urllib3", "webbrowser", "xmlrpc",
}  # fmt: skip


SERVICES = {
    "src/faceblind/recognition/services/azure_face.py": {"azure"},
    "src/faceblind/recognition/services/rest.py": {"http"},
    "tests/recognition/services/fake_services.py": {"http"},
}
"""Files that may connect to a service which the user named, and by what."""


class Allowed(NamedTuple):
    """One entry of a row: what may be imported, and by which module where not by all."""

    name: str
    only_in: str | None


Rows = dict[str, list[Allowed]]


def tables(text: str) -> tuple[Rows, Rows]:
    """The rows of the page's two tables: rooms, and folders within a room."""
    found: list[Rows] = []
    for line in text.splitlines():
        if re.match(r"\| (room|folder) \|", line):
            found.append({})
        elif match := re.match(r"\| `([\w./]+)` \|[^|]*\|([^|]*)\|$", line):
            name = match[1].removesuffix("/").removesuffix(".py").replace("/", ".")
            assert name not in found[-1], f"two rows for {name}"
            entries = re.findall(r"`([\w.]+)`(?: \(only in `([\w.]+)`\))?", match[2])
            found[-1][name] = [Allowed(what, where or None) for what, where in entries]
    rooms, folders = found
    return rooms, folders


ROOMS, FOLDERS = tables(PAGE.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    """Dotted name below the package; the package itself is ``__init__``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


PATHS = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
SOURCES = {name: path.read_text(encoding="utf-8") for name, path in PATHS.items()}


@cache
def statements(text: str) -> tuple[tuple[str, str | None], ...]:
    """What a source imports: (a, None) for ``import a``, (a, b) for ``from a import b``.

    A text that is a module's name counts too: it may be imported by that name.
    """
    found: list[tuple[str, str | None]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [(node.value, None)] if re.fullmatch(r"faceblind(\.\w+)+", node.value) else []
    return tuple(found)


def imported(text: str) -> set[str]:
    """Absolute names of what a source imports: of ``from a import b`` both ``a`` and ``a.b``."""
    found = {name for name, _ in statements(text)}
    return found | {f"{name}.{leaf}" for name, leaf in statements(text) if leaf}


def arrows(module: str, text: str) -> set[str]:
    """Modules of the package that a module imports; ``__init__`` for the package itself."""
    found: set[str] = set()
    for name, leaf in statements(text):
        first, _, rest = name.partition(".")
        if first == "faceblind":
            whole = f"{rest}.{leaf}".removeprefix(".") if leaf else rest
            found.add(whole if whole in PATHS else rest or "__init__")
    return (found & set(PATHS)) - {module}


def room(module: str) -> str:
    return module.split(".")[0]


def folder(module: str) -> str | None:
    """The folder within a room in which a module lies."""
    return next((name for name in FOLDERS if module == name or module.startswith(f"{name}.")), None)


def covers(entry: Allowed, module: str, name: str) -> bool:
    if entry.only_in and module != entry.only_in:
        return False
    return name == entry.name or name.startswith(f"{entry.name}.")


def violations(sources: Mapping[str, str]) -> list[str]:
    """Imports that no row of the page allows."""
    found = []
    for module, text in sources.items():
        here, inner = room(module), folder(module)
        for name in sorted(arrows(module, text)):
            if room(name) == here:
                loose = inner is None or folder(name) == inner or name == here
                ok = loose or any(covers(entry, module, name) for entry in FOLDERS[inner])
            elif here in EVERYWHERE:
                ok = False
            else:
                ok = name in EVERYWHERE or any(covers(e, module, name) for e in ROOMS[here])
            if not ok:
                found.append(f"{module} must not import {name}")
    return found


def test_imports_point_one_way():
    assert violations(SOURCES) == []


def test_every_folder_and_top_level_module_has_a_row():
    there = {p.stem if p.suffix == ".py" else p.name for p in PACKAGE.iterdir()
             if p.suffix == ".py" or (p.is_dir() and p.name != "__pycache__")}  # fmt: skip
    assert there == set(ROOMS)
    inner = {module_name(p) for p in PACKAGE.rglob("*/*/__init__.py")}
    assert inner == set(FOLDERS)


def test_the_tests_mirror_the_package():
    """A file of tests stands where its module stands; some at the top are about the repository."""
    here = Path(__file__).parent
    about_all = {"test_architecture.py", "test_docs.py", "test_packaging.py", "test_version.py"}
    for path in here.rglob("test_*.py"):
        place = path.relative_to(here)
        if place.parts[0] in {"bench", "tools"} or str(place) in about_all:
            continue
        module = PACKAGE / place.with_name(place.name.removeprefix("test_"))
        assert module.is_file() or module.stem == module.parent.name, place


def test_a_row_names_only_rooms_above_it_and_what_exists():
    above: set[str] = set()
    for name, entries in ROOMS.items():
        for entry in entries:
            assert room(entry.name) in above, f"{name}: {entry.name} does not stand above it"
            assert entry.name in SOURCES, entry.name
            assert entry.only_in is None or entry.only_in in SOURCES, entry.only_in
        above.add(name)
    for name, entries in FOLDERS.items():
        assert all(entry.name in SOURCES and room(entry.name) == room(name) for entry in entries)


def test_a_row_names_nothing_that_is_not_used():
    for name, entries in ROOMS.items():
        used = {
            other
            for module, text in SOURCES.items()
            if room(module) == name
            for other in arrows(module, text)
        }
        for entry in entries:
            assert any(covers(entry, entry.only_in or name, other) for other in used), (name, entry)


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def room_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for module, text in sources.items():
        others = {room(name) for name in arrows(module, text)} - {room(module)}
        graph.setdefault(room(module), set()).update(others)
    return graph


def test_there_are_no_circles():
    assert circle(room_graph(SOURCES)) == []
    assert circle({m: arrows(m, text) for m, text in SOURCES.items()}) == []


def first_module(name: str) -> str:
    """A module of a room, none of those that may import more than the others."""
    more = {entry.only_in for entry in ROOMS[name]}
    own = [m for m in SOURCES if room(m) == name and ("." in m or PATHS[m].stem == name)]
    return next(m for m in own if m not in more)


def with_line(module: str, line: str) -> dict[str, str]:
    """The sources with one more import at the end of one module."""
    return {**SOURCES, module: f"{SOURCES[module]}\n{line}\n"}


ROOMS_WITH_CODE = [name for name in ROOMS if name != "data"]


@pytest.mark.parametrize("name", ROOMS_WITH_CODE)
def test_a_forbidden_import_is_seen_in_every_room(name):
    """Whatever its form, and for every room that the row leaves out."""
    module = first_module(name)
    allowed = {room(entry.name) for entry in ROOMS[name] if not entry.only_in}
    forbidden = set(ROOMS_WITH_CODE) - allowed - {name}
    if name not in EVERYWHERE:
        forbidden -= EVERYWHERE
    assert forbidden
    for other in sorted(forbidden):
        target = first_module(other)
        dotted = "faceblind" if target == "__init__" else f"faceblind.{target}"
        package, _, leaf = dotted.rpartition(".")
        lines = [f"import {dotted}", f"def late():\n    import {dotted}"]
        lines += [f"from {package} import {leaf}"] if package else ["from faceblind import study"]
        for line in lines:
            seen = violations(with_line(module, line))
            assert seen == [f"{module} must not import {target}"], line


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_a_forbidden_import_is_seen_in_every_folder_of_a_room(name):
    module = next(m for m in SOURCES if m.startswith(f"{name}."))
    allowed = FOLDERS[name]
    others = [m for m in SOURCES if room(m) == room(name) and "." in m and folder(m) != name]
    target = next(m for m in others if not any(covers(entry, module, m) for entry in allowed))
    seen = violations(with_line(module, f"import faceblind.{target}"))
    assert seen == [f"{module} must not import {target}"]


def test_an_exception_holds_for_one_module_alone():
    assert violations(with_line("volunteers.cohort", "import faceblind.formats.mgh")) == []
    seen = violations(with_line("volunteers.presets", "import faceblind.formats.mgh"))
    assert seen == ["volunteers.presets must not import formats.mgh"]


def test_a_circle_is_seen():
    graph = room_graph(with_line("scan", "import faceblind.head.skin"))
    assert {"scan", "head"} <= set(circle(graph))
    sources = with_line("geometry.points", "import faceblind.geometry.mesh")
    sources["geometry.mesh"] += "\nimport faceblind.geometry.points\n"
    found = circle({m: arrows(m, text) for m, text in sources.items()})
    assert {"geometry.points", "geometry.mesh"} <= set(found)


def test_a_folder_without_a_row_is_seen():
    rooms, folders = tables(PAGE.read_text(encoding="utf-8").replace("| `head/` |", "| `heat/` |"))
    assert "head" not in rooms
    assert folders == FOLDERS


def python_files() -> list[Path]:
    return [
        p for folder in ("src", "tests", "tools", "bench") for p in (ROOT / folder).rglob("*.py")
    ]


def is_or_is_in(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def test_nothing_calls_home():
    for path in python_files():
        text = path.read_text(encoding="utf-8")
        banned = NETWORK - SERVICES.get(path.relative_to(ROOT).as_posix(), set())
        found = {name for name in imported(text) if is_or_is_in(name, banned)}
        assert not found, f"{path} imports {found}"
        if PACKAGE in path.parents:
            assert "url" + "open" not in text, path


def test_the_package_needs_neither_torch_nor_the_source_of_its_data():
    for module, text in SOURCES.items():
        found = {name for name in imported(text) if is_or_is_in(name, NEVER)}
        assert not found, f"{module} imports {found}"


def test_no_path_of_a_developers_machine():
    suspects = ["/" + "work/", "/" + "home/", "/" + "Users/"]
    folders = ("src", "tests", "tools", "bench", "docs", ".ci")
    files = [p for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file()]
    files += [p for p in ROOT.iterdir() if p.is_file()]
    checked = 0
    for path in files:
        if path.suffix in {".pyc", ".npz", ".onnx", ".gz", ".png", ".jpg", ".dat"}:
            continue
        if path.name.endswith(".umd.js"):
            # Of others, byte for byte: Emscripten's own machine has a home.
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        checked += 1
        assert not [s for s in suspects if s in text], path
    assert checked > 20


def test_files_stay_readable():
    long = {name: n for name, text in SOURCES.items() if (n := len(text.splitlines())) > MOST_LINES}
    assert not long
