"""The help: commands by task, and examples that are right."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
import typer.main

from faceblind.cli.main import app
from faceblind.cli.tasks import EXAMPLES, TASKS


def test_every_command_has_a_task_and_an_example():
    commands = set(typer.main.get_command(app).commands)
    assert {name for names in TASKS.values() for name in names} == commands == set(EXAMPLES)


def test_the_help_lists_them_by_task(command):
    out = command("--help").out
    places = [out.index(f"{task}:") for task in TASKS]
    assert places == sorted(places)
    for name, line in EXAMPLES.items():
        assert re.search(rf"^  {name} +\w", out, re.MULTILINE)
        assert f"$ {line}\n" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_examples_are_accepted(name):
    """As far as their options go: a dry parse, without running the command."""
    words = shlex.split(EXAMPLES[name])
    assert words[:2] == ["faceblind", name]
    found = typer.main.get_command(app).commands[name]
    with found.make_context(name, words[2:], resilient_parsing=True) as context:
        assert context.args == []


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_each_help_ends_with_its_example(command, name):
    assert f"Example: {EXAMPLES[name]}" in " ".join(command(name, "--help").out.split())


def test_shells_can_complete_commands():
    wanted = {
        "_FACEBLIND_COMPLETE": "complete_bash",
        "COMP_WORDS": "faceblind de",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'faceblind'; "
         "from faceblind.cli.main import main; main()"],
        env=os.environ | wanted, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["deface"]
