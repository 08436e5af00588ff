"""A review of small heads, and a browser that draws them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faceblind.review.prepare import Pictures

sys.path.insert(0, str(Path(__file__).parent))
parts = importlib.import_module("review_parts")
pages = importlib.import_module("review_page")
# Registered by the tests' own conftest.py.
browsers = importlib.import_module("browser")
DRAWS = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
"""Chromium draws WebGL without a graphics card."""


@pytest.fixture
def folders(tmp_path: Path) -> Any:
    """Three people: one passes, one fails, one is unsure."""
    return parts.make_folders(tmp_path)


@pytest.fixture
def app(folders: Any) -> Iterator[Any]:
    """The guarded app on three people; its pictures are made in one process."""
    pytest.importorskip("starlette", reason="needs starlette, see [review]")
    from faceblind.review.server import make_app

    review, pictures = folders.review(), Pictures(folders.tree.notes / "cache", 1)
    yield make_app(review, pictures, parts.TOKEN)
    pictures.close()
    review.close()


@pytest.fixture(scope="session")
def drawing(_playwright: Any) -> Iterator[Any]:
    """A Chromium that draws WebGL, headless."""
    with browsers.chromium(_playwright, *DRAWS) as found:
        yield found


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """Serves a review in a thread, gives its address, and ends it."""
    pytest.importorskip("starlette", reason="needs starlette, see [review]")
    pytest.importorskip("uvicorn", reason="needs uvicorn, see [review]")
    running: list[Any] = []

    def start(folders: Any, **more: Any) -> str:
        running.append(parts.Served(folders, **more))
        return running[-1].address

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def visit(drawing: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address in a context of its own and listens to the console."""
    contexts = []

    def open_page(address: str, width: int = 1200, height: int = 800, **more: Any) -> Any:
        context = drawing.new_context(viewport={"width": width, "height": height}, **more)
        contexts.append(context)
        context.set_default_timeout(pages.WAIT_MS)
        tab = pages.Page(context.new_page())
        tab.page.on("console", lambda m: tab.said.append(f"{m.type}: {m.text}"))
        tab.page.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.page.on("dialog", lambda dialog: tab.said.append(f"dialog: {dialog.message}"))
        tab.page.goto(address)
        return tab

    yield open_page
    for context in contexts:
        context.close()
