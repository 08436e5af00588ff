"""Colours only on a terminal without NO_COLOR; imports without a search for garbage."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys

import pytest

from faceblind.cli.verb import quick_imports

COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-7]|38;[\d;]+|9[0-7])m")
CODE = (
    "import logging; from faceblind.cli.verb import set_up_logging;"
    "set_up_logging(verbose=True, quiet=False); logging.getLogger('faceblind').warning('careful')"
)


def said(terminal: bool, **variables: str) -> bytes:
    """What goes to standard error, which is a terminal or a pipe."""
    pty = pytest.importorskip("pty", reason="needs a POSIX terminal")
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    environment = {**kept, "TERM": "xterm-256color", **variables}
    read, write = pty.openpty() if terminal else os.pipe()
    child = subprocess.Popen([sys.executable, "-c", CODE], stderr=write, env=environment)
    os.close(write)
    parts = []
    while True:
        try:
            part = os.read(read, 65536)
        except OSError:  # the terminal's other end was closed
            break
        if not part:
            break
        parts.append(part)
    os.close(read)
    assert child.wait() == 0
    return b"".join(parts)


def test_a_terminal_gets_colours_unless_no_color_is_set():
    shown = said(terminal=True)
    assert COLOUR.search(shown)
    plain = said(terminal=True, NO_COLOR="1")
    assert b"careful" in plain
    assert not COLOUR.search(plain)


def test_a_pipe_gets_plain_text():
    text = said(terminal=False)
    assert b"careful" in text
    assert b"\x1b" not in text


def _fails_to_import():
    with quick_imports():
        raise ImportError(str(gc.isenabled()))


def test_imports_are_not_searched_for_garbage_and_everything_after_them_is():
    before = gc.isenabled()
    try:
        for begin in (gc.disable, gc.enable):
            begin()
            wanted = gc.isenabled()
            with pytest.raises(ImportError, match="False"):
                _fails_to_import()
            assert gc.isenabled() == wanted
    finally:
        (gc.enable if before else gc.disable)()
