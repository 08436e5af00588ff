"""Progress on stderr: a bar on a terminal, a log line now and then elsewhere.

Lines carry counts only, never what the items are called.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

logger = logging.getLogger(__name__)

LINE_SECONDS = 10.0
"""Least time between two log lines."""


class Progress:
    """Counts what is done and says so.

    Parameters
    ----------
    label : str
        What is counted.
    total : int
        How many there are.
    show : bool
        Whether to say anything.
    bar : rich Progress, optional
        Where there is a terminal.
    """

    def __init__(self, label: str, total: int, show: bool, bar: Bar | None = None) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self.failed = 0
        self._show = show
        self._bar = bar
        self._task = bar.add_task(label, total=total) if bar else None
        self._started = self._last = time.monotonic()

    def advance(self, failed: bool = False) -> None:
        """One more is done."""
        self.done += 1
        self.failed += failed
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, description=self._text())
            return
        now = time.monotonic()
        if not self._show or (self.done < self.total and now - self._last < LINE_SECONDS):
            return
        self._last = now
        left = (now - self._started) / self.done * (self.total - self.done)
        rest = f", about {left:.0f} s left" if self.done < self.total else ""
        logger.info("%s: %d of %d done%s", self._text(), self.done, self.total, rest)

    def _text(self) -> str:
        return f"{self.label} ({self.failed} failed)" if self.failed else self.label


@contextlib.contextmanager
def track(label: str, total: int, show: bool = True) -> Iterator[Progress]:
    """Show progress while the block runs.

    Parameters
    ----------
    label : str
        What is counted; names nobody.
    total : int
        How many there are.
    show : bool
        False says nothing at all.

    Yields
    ------
    Progress
        Call `Progress.advance` once for each.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not (show and total and console.is_terminal):
        yield Progress(label, total, show)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console) as bar:
        yield Progress(label, total, show, bar)
