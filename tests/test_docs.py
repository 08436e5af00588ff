"""The pages say what is true: examples run, commands exist, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from faceblind.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "bench" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(python[^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_examples(page, tmp_path, monkeypatch):
    """Every Python block compiles; those marked ``python run`` run, one page after the other."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for info, code in blocks(page):
        compiled = compile(code, str(page), "exec")
        if info.split()[1:] == ["run"]:
            exec(compiled, namespace)


def test_there_are_examples_that_run():
    assert sum(info.endswith(" run") for page in PAGES for info, _ in blocks(page)) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_commands(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text):
        assert (page.parent / target).exists(), target
    verbs = {command.name for command in app.registered_commands}
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    used = re.findall(r"^faceblind ([a-z-]+)", shell, re.MULTILINE)
    used += re.findall(r"`faceblind ([a-z-]+)", text)
    assert set(used) <= verbs


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
