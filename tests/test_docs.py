"""The pages say what is true: examples run, commands and messages exist, links lead somewhere."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

import pytest
from typer.models import OptionInfo

import faceblind
from faceblind.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "bench" / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```(python|sh)( run)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOURS = {
    "protect": ["tutorials/protect.md", "tutorials/audit.md", "how-to/eeg.md"],
    "python": ["how-to/python.md"],
}
"""Pages whose examples run one after the other in one folder. Other tests run the same study,
reconstruction and session."""
FEWER = {"-n 4": "-n 1", " --series T1w --series T2w": ""}
"""What a reader is told to make, and what takes its place here."""
BENCH_OPTIONS = {"--record", "--tool"}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[tuple[str, bool, str]]:
    """Language, whether it runs, and text of each block."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(language, bool(run), code) for language, run, code in found]


def commands(code: str) -> list[tuple[list[str], int]]:
    """The words after ``faceblind`` of each line, and the exit code that its comment names."""
    found = []
    for line in code.replace("\\\n", " ").splitlines():
        line, _, comment = line.partition(" #")
        if line.startswith("faceblind "):
            code_said = re.search(r"exit code (\d+)", comment)
            words = shlex.split(line.split(">")[0])[1:]
            found.append((words, int(code_said[1]) if code_said else 0))
    return found


pytestmark = pytest.mark.usefixtures("small_plain")


@pytest.mark.slow
@pytest.mark.parametrize("tour", TOURS)
def test_examples_run(tour, tmp_path, monkeypatch, command):
    """Blocks marked ``run`` do what the page says, from the first page of a tour to the last."""
    monkeypatch.chdir(tmp_path)
    ran = 0
    for name in TOURS[tour]:
        namespace: dict[str, object] = {}
        for language, runs, code in blocks(DOCS / name):
            if runs and language == "python":
                exec(compile(code, name, "exec"), namespace)
                ran += 1
            for words, wanted in commands(code) if runs and language == "sh" else ():
                text = shlex.join(words)
                for many, few in FEWER.items():
                    text = text.replace(many, few)
                done = command(*shlex.split(text), "-j", "1")
                assert done.code == wanted, f"{name}: {text}\n{done.out}\n{done.err}"
                ran += 1
    assert ran >= {"protect": 6, "python": 3}[tour]


def test_every_example_that_runs_belongs_to_a_tour():
    pages = {name for names in TOURS.values() for name in names}
    marked = {
        page.relative_to(DOCS).as_posix()
        for page in sorted(DOCS.rglob("*.md"))
        if any(runs for _, runs, _ in blocks(page))
    }
    assert marked == pages


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_compiles_and_its_names_exist(page):
    for language, _, code in blocks(page):
        if language == "python":
            tree = ast.parse(code)
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "faceblind":
                    assert node.attr in faceblind.__all__
    for name in re.findall(r"`faceblind\.([A-Za-z_.]+)`", page.read_text(encoding="utf-8")):
        if name not in faceblind.__all__:
            assert importlib.util.find_spec(f"faceblind.{name}"), name


def options_of() -> dict[str, set[str]]:
    """The options of each command, as they are declared."""
    found = {}
    for one in app.registered_commands:
        names = {"--help", "-h"}
        for hint in get_type_hints(one.callback, include_extras=True).values():
            info = next(
                (m for m in getattr(hint, "__metadata__", ()) if isinstance(m, OptionInfo)), 0
            )
            if info:
                names |= {n for d in (info.default, *info.param_decls) for n in d.split("/")}
        found[one.name] = names
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_exist(page):
    options = options_of()
    text = page.read_text(encoding="utf-8")
    used = [
        words
        for language, _, code in blocks(page)
        if language == "sh"
        for words, _ in commands(code)
    ]
    used += [shlex.split(one) for one in re.findall(r"`faceblind ([a-z][^`\n]*)`", text)]
    for verb, *rest in used:
        if verb != "--version":
            assert verb in options, verb
            given = {word for word in rest if re.fullmatch(r"--?[a-z][a-z-]*", word)}
            assert given <= options[verb], f"{verb}: {given - options[verb]}"
    everything = set().union(*options.values()) | BENCH_OPTIONS | {"--version"}
    if "decisions" not in page.parts:
        assert set(re.findall(r"`(--[a-z][a-z-]+)", text)) <= everything


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text):
        assert (page.parent / target).exists(), target


def test_make_targets_of_the_pages_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in PAGES:
        for target in re.findall(r"^make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_pictures_are_small_and_shown():
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    pictures = {path.resolve() for path in (DOCS / "images").iterdir()}
    assert shown == pictures
    assert all(path.stat().st_size < 150_000 for path in pictures)


REFUSALS = {
    "ScanError", "AlignmentError", "OutputError", "TableError", "ConsentError", "PhotographError",
    "BadParameter",
}  # fmt: skip
FROM_PYTHON = (
    # Said only to those who call functions with wrong values.
    "expected a mask of shape", "expected a 3-D or 4-D volume", "new voxel values",
    "the voxels were replaced", "its stored numbers know no NaN", "MGH files cannot hold",
    "the scan came from a file of another format", "the scan no longer matches the file",
    "is not a key; use cache_key", "is an object array", "unexpected column", "needs a brain mask",
)  # fmt: skip


def fragments(node: ast.expr) -> list[str]:
    """The constant parts of a message."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.Constant)]
    if isinstance(node, ast.BinOp):
        return [*fragments(node.left), *fragments(node.right)]
    return []


def test_every_refusal_is_explained():
    page = " ".join((DOCS / "how-to" / "refusals.md").read_text(encoding="utf-8").split())
    missing = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            if ast.unparse(node.func).rpartition(".")[2] in REFUSALS:
                parts = [part.strip(" :;,.()") for part in fragments(node.args[0])]
                if not any(known in part for part in parts for known in FROM_PYTHON):
                    missing += [part for part in parts if len(part) >= 12 and part not in page]
    assert not missing


def test_public_names_are_in_the_reference():
    listed = re.findall(
        r"^   ([A-Za-z_]+)$", (DOCS / "reference" / "api.md").read_text(), re.MULTILINE
    )
    assert set(faceblind.__all__) - {"__version__"} <= set(listed)


@pytest.fixture
def evidence(script):
    return script("bench/evidence.py")


RECORDS = sorted((ROOT / "bench" / "results").glob("*.json"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_records(path, evidence):
    content = json.loads(path.read_text(encoding="utf-8"))
    evidence.check(content)
    assert content["name"] == path.stem
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|Users|work)\b", path.read_text("utf-8"))


def test_a_record_is_written_and_a_wrong_one_refused(evidence, tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "commit", lambda: "abc1234")
    table = evidence.Table("Hits, of 10.", ("method", "hits"), (("deface", 1), ("reface", 0)))
    record = evidence.Record(
        "name", "Title", "audit", "Who?", "bench/a.py", "python bench/a.py", (1,), True, (table,)
    )
    content = json.loads(evidence.write(record, tmp_path).read_text(encoding="utf-8"))
    assert content["tables"][0]["rows"] == [["deface", 1], ["reface", 0]]
    assert (content["schema"], content["commit"], content["origin"]) == (1, "abc1234", "script")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", content["date"])
    uneven = replace(record, tables=(replace(table, rows=(("deface",),)),))
    with pytest.raises(ValueError, match="one cell for each column"):
        evidence.write(uneven, tmp_path)
    with pytest.raises(ValueError, match="topic"):
        evidence.write(replace(record, topic="weather"), tmp_path)


def test_a_command_is_kept_without_folders(evidence):
    command = evidence.command
    given = ["/x/bench/air.py", "/data/ct.nii.gz", "mr.nii.gz", "--record", "--method", "reface"]
    assert command(given) == "python bench/air.py ct.nii.gz mr.nii.gz --method reface"


def test_dead_links_and_loaded_pages_are_found(script, tmp_path):
    (tmp_path / "a.html").write_text(
        '<p id="here"></p><a href="b.html#there"></a><a href="#here"></a><a href="#gone"></a>'
        '<a href="c.html"></a><a href="https://x.org"></a><script src="https://x.org/a.js"></script>'
    )
    (tmp_path / "b.html").write_text('<h1 id="there"></h1><img src="data:image/png;base64,AA">')
    assert script("tools/check_pages.py").faults(tmp_path) == [
        "a.html: loads https://x.org/a.js",
        "a.html: no such anchor: #gone",
        "a.html: no such file: c.html",
    ]


def test_decisions_are_dated():
    records = sorted((DOCS / "decisions").glob("0*.md"))
    assert len(records) >= 10
    for path in records:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(f"# {int(path.name[:4])}. ")
        assert re.match(r"\*\d{4}-\d\d-\d\d", lines[2]), path.name


def test_no_page_uses_words_that_were_given_up():
    given_up = re.compile(r"\b(sisters?|nod(?:s|ded|ding)?|shall|whom|laid on)\b", re.IGNORECASE)
    for page in sorted(set(DOCS.rglob("*.md")) - set((DOCS / "contributing").iterdir())):
        text = page.read_text(encoding="utf-8")
        assert not given_up.search(text), f"{name_of(page)}: {given_up.search(text)[0]}"
