"""A real browser for tests of pages: Debian's Chromium, headless, cut off from every network."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parent / "data" / "axe.min.js"
"""axe-core 4.14.1 as published, for tests only; its licence lies beside it."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOCAL = re.compile(r"^(file:|data:|blob:|about:|(http|ws)://127\.0\.0\.1[:/])")
MOUNTED_MS = 10_000


@dataclass
class Tab:
    """One page and what its console and its requests did.

    Parameters
    ----------
    page : playwright.sync_api.Page
    errors : list of str
        Errors and warnings of the console, and exceptions.
    refused : list of str
        Addresses outside this machine that the page asked for.
    """

    page: Any
    errors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def axe(self) -> list[str]:
        """One line for each violation that axe-core finds."""
        self.page.evaluate(_axe())
        found = self.page.evaluate("async () => (await axe.run()).violations")
        return [
            f"{one['id']}: {one['help']}: {node['html'][:200]}"
            for one in found
            for node in one["nodes"]
        ]


@dataclass
class Browser:
    """Opens pages in contexts of their own.

    Parameters
    ----------
    chromium : playwright.sync_api.Browser
    """

    chromium: Any
    contexts: list[Any] = field(default_factory=list)

    def open(
        self, address: str | Path, *, width: int = 1280, height: int = 900, dark: bool = False
    ) -> Tab:
        """Load a file or an address of this machine.

        Parameters
        ----------
        address : str or Path
        width, height : int
            Of the window, in pixels.
        dark : bool
            The reader prefers dark colours.
        """
        context = self.chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        self.contexts.append(context)
        context.set_default_timeout(MOUNTED_MS)
        tab = Tab(context.new_page())

        def gate(route: Any) -> None:
            if LOCAL.match(route.request.url):
                route.continue_()
            else:
                tab.refused.append(route.request.url)
                route.abort()

        context.route("**/*", gate)
        tab.page.on("console", lambda m: _note(tab, m))
        tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.page.goto(address.as_uri() if isinstance(address, Path) else address)
        return tab

    def close(self) -> None:
        """Close what was opened since the last call."""
        for context in self.contexts:
            context.close()
        self.contexts.clear()


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Any]:
    """Playwright's driver: one for all browsers of a process, because a second one is refused."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, see [dev]")
    with sync_api.sync_playwright() as driver:
        yield driver


@contextmanager
def chromium(driver: Any, *more: str) -> Iterator[Any]:
    """Playwright's handle of a headless Chromium; skips where there is none.

    Parameters
    ----------
    driver : playwright.sync_api.Playwright
    *more : str
        Arguments for Chromium.
    """
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"needs one of {', '.join(BROWSERS)} on the PATH")
    found = driver.chromium.launch(executable_path=path, args=["--no-sandbox", *more])
    yield found
    found.close()


@pytest.fixture(scope="session")
def _chromium(_playwright: Any) -> Iterator[Browser]:
    with chromium(_playwright) as found:
        yield Browser(found)


@pytest.fixture
def browser(_chromium: Browser) -> Iterator[Browser]:
    """Opens pages, see `Browser.open`; skips where there is no Chromium."""
    yield _chromium
    _chromium.close()


@lru_cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def _note(tab: Tab, message: Any) -> None:
    if message.type in ("error", "warning"):
        tab.errors.append(f"{message.type}: {message.text}")
