"""The review app in a browser: synthetic people, the command, and Chromium that draws it.

A part of ``review.py`` and of ``tools/make_review_pictures.py``.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRAWS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
"""WebGL without a graphics card."""
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+")


def faceblind(*arguments: str | Path) -> list[str]:
    """The command line that runs this installation."""
    code = "from faceblind.cli.main import main; main()"
    return [sys.executable, "-c", code, *map(str, arguments)]


def run(*arguments: str | Path, codes: tuple[int, ...] = (0,)) -> None:
    """Run a command of faceblind.

    Parameters
    ----------
    *arguments : str or Path
    codes : tuple of int
        Exit codes that are right.
    """
    code = subprocess.run(faceblind(*arguments), check=False).returncode
    if code not in codes:
        raise SystemExit(f"faceblind {arguments[0]} ended with exit code {code}")


@dataclass(frozen=True)
class Serving:
    """A review that runs.

    Parameters
    ----------
    address : str
        With the token.
    seconds : float
        From the start of the command until it printed the address.
    """

    address: str
    seconds: float


@contextmanager
def serving(protected: Path, *more: str | Path) -> Iterator[Serving]:
    """Run ``faceblind review`` in a process of its own.

    Parameters
    ----------
    protected : Path
    *more : str or Path
        Further arguments of the command.
    """
    began = time.perf_counter()
    command = faceblind("review", protected, *more)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            if not ADDRESS.fullmatch(address):
                raise SystemExit(f"expected an address, got {address!r}")
            yield Serving(address, time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGINT)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window that draws WebGL."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit(f"needs one of {', '.join(BROWSERS)} on the search path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(DRAWS))
        yield browser
        browser.close()
