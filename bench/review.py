"""How long a reviewer waits for the next scan: the real app, a real browser, keys, 1 mm heads.

Run ``python bench/review.py FOLDER [-n 100] [--queue 1000] [--pace 7.2]``. FOLDER keeps three
synthetic people and their defaced scans; a queue names them again and again, and the app reads and
the browser draws each entry anew. Every PACE seconds a key decides; a wait ends when the four
pictures of the next scan have been drawn. Without a graphics card the processor draws them, of
voxels of 2 mm; one more session then asks for all voxels.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

import evidence
from review_app import chromium, run, serving

PEOPLE = 3
SEED = 11
KEYS = "aaru"
MARKER = ".faceblind.json"
WAIT_MS = 300_000
WATCH = """() => {
  const said = globalThis.measured = { waits: [], ahead: [], errors: 0, early: 0 };
  const body = document.body.dataset;
  let pressed = null;
  let drawn = null;
  addEventListener("keydown", (event) => {
    pressed = { at: event.timeStamp, from: body.shown };
    said.early += body.ahead !== body.shown;
  }, true);
  const finish = () => {
    for (const canvas of document.querySelectorAll("canvas")) {
      const gl = canvas.getContext("webgl2");
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    }
  };
  new MutationObserver(() => {
    if (pressed && body.shown && body.shown !== pressed.from) {
      const { at } = pressed;
      pressed = null;
      said.errors += body.shown === "error";
      requestAnimationFrame(() => {
        finish();
        drawn = performance.now();
        said.waits.push(drawn - at);
      });
    }
  }).observe(document.body, { attributes: true, attributeFilter: ["data-shown"] });
  new MutationObserver(() => {
    if (drawn !== null && body.ahead === body.shown) {
      said.ahead.push(performance.now() - drawn);
      drawn = null;
    }
  }).observe(document.body, { attributes: true, attributeFilter: ["data-ahead"] });
}"""
"""Listens in the page: from a key until the pixels of all pictures can be read back."""


@dataclass(frozen=True)
class Session:
    """What one session at the keyboard took, in seconds.

    Parameters
    ----------
    queue : int
        Scans in it.
    all : bool
        Whether all voxels were asked for.
    start : float
        Until the command printed the address.
    listed, first : float
        From opening the address until the queue is there, and until the first scan is drawn.
    waits : sequence of float
        From each key until the next scan is drawn.
    ahead : sequence of float
        From then until the scans after it are in the browser.
    early : int
        Keys that came before that.
    errors : int
        Scans that could not be shown.
    load : float
        Processes that wanted a processor, mean of the last minute, at the end.
    """

    queue: int
    all: bool
    start: float
    listed: float
    first: float
    waits: Sequence[float]
    ahead: Sequence[float]
    early: int
    errors: int
    load: float


def prepare(folder: Path) -> tuple[Path, Path]:
    """Synthetic people and their defaced scans, made once.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    originals, protected : Path
    """
    people, protected = folder / "people", folder / "defaced"
    if not (protected / MARKER).is_file():
        run("volunteers", people, "-n", str(PEOPLE), "--seed", str(SEED), "-j", "1")
        run("deface", people / "scans", protected, "-j", "1")
    return people / "scans", protected


def queue_of(count: int, originals: Path, protected: Path, root: Path) -> tuple[Path, Path]:
    """The same scans under as many names as the queue is long.

    Parameters
    ----------
    count : int
    originals, protected : Path
        See `prepare`.
    root : Path
        Gets both folders.
    """
    raw, out = root / "raw", root / "out"
    out.mkdir(parents=True)
    shutil.copy(protected / MARKER, out)
    scans = sorted(protected.glob("sub-*/**/*_T1w.nii.gz"))
    for number, scan in enumerate(islice(cycle(scans), count)):
        inside = f"sub-{number:04}/anat/sub-{number:04}_T1w.nii.gz"
        for source, target in ((scan, out), (originals / scan.relative_to(protected), raw)):
            (target / inside).parent.mkdir(parents=True)
            os.link(source, target / inside)
    return raw, out


def session(
    browser: Any, folders: tuple[Path, Path], decide: int, pace: float, *, every: bool = False
) -> Session:
    """Decide on scans by keys.

    Parameters
    ----------
    browser : playwright.sync_api.Browser
    folders : tuple of Path
        See `queue_of`.
    decide : int
        How many; the queue must hold more.
    pace : float
        Seconds from one key to the next, longer where the scan is not drawn yet.
    every : bool
        Ask for all voxels first.
    """
    raw, out = folders
    with serving(out, "--originals", raw) as app:
        tab = browser.new_page(viewport={"width": 1440, "height": 900})
        tab.set_default_timeout(WAIT_MS)
        began = time.perf_counter()
        tab.goto(app.address)
        tab.wait_for_selector("#queue li")
        listed = time.perf_counter() - began
        tab.wait_for_selector("body[data-shown='0']")
        first = time.perf_counter() - began
        queue = tab.locator("#queue li").count()
        if every and not tab.is_checked("#show-all"):
            tab.keyboard.press("v")
        tab.wait_for_selector("body[data-ahead='0']")
        tab.wait_for_timeout(1000)
        tab.evaluate(WATCH)
        for number, key in zip(range(decide), cycle(KEYS), strict=False):
            tab.wait_for_timeout(1000 * pace)
            tab.keyboard.press(key)
            tab.wait_for_selector(f"body[data-shown='{number + 1}']")
        tab.wait_for_timeout(1000)
        said = tab.evaluate("measured")
        tab.close()
    waits, ahead = ([ms / 1000 for ms in said[name]] for name in ("waits", "ahead"))
    load = os.getloadavg()[0]
    return Session(
        queue, every, app.seconds, listed, first, waits, ahead, said["early"], said["errors"], load
    )


def rows(found: Session) -> list[tuple[evidence.Cell, ...]]:
    """Rows of the record's table.

    Parameters
    ----------
    found : Session
    """
    name = f"queue of {found.queue:,}{', all voxels' if found.all else ''}"

    def row(text: str, values: Sequence[float], aim: str) -> tuple[evidence.Cell, ...]:
        spread = statistics.median(values), float(np.percentile(values, 95)), max(values)
        return (f"{name}: {text}", len(values), *(round(value, 2) for value in spread), aim)

    found_rows = [
        row("command to address", [found.start], "2"),
        row("page opened to queue listed", [found.listed], "–"),
        row("page opened to first scan drawn", [found.first], "–"),
    ]
    # Of another session the start is the same.
    kept = [] if found.all else found_rows
    kept.append(row("key to next scan drawn", found.waits, "1"))
    if found.ahead:
        kept.append(
            row("scan drawn to the next drawn behind it, one more fetched", found.ahead, "–")
        )
    return kept


def main() -> None:
    """Measure, print, and keep the figures where wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-n", "--decide", type=int, default=100, help="decisions in a short queue")
    parser.add_argument("--queue", type=int, default=1000, help="scans in a long queue; 0: none")
    parser.add_argument("--again", type=int, default=20, help="decisions in the long queue")
    parser.add_argument("--all", type=int, default=20, help="decisions with all voxels; 0: none")
    parser.add_argument("--pace", type=float, default=7.2, help="seconds a scan; 500 an hour")
    evidence.add_option(parser)
    given = parser.parse_args()
    people = prepare(given.folder)
    sessions = []
    plan = [(given.decide + 1, given.decide, False), (given.queue, given.again, False)]
    plan.append((given.all and given.all + 1, given.all, True))
    with chromium() as browser:
        for queue, decide, every in plan:
            if queue:
                with tempfile.TemporaryDirectory(dir=given.folder) as root:
                    folders = queue_of(queue, *people, Path(root))
                    sessions.append(session(browser, folders, decide, given.pace, every=every))
                for line in rows(sessions[-1]):
                    print(*line, sep="\t", flush=True)
                print(sessions[-1].early, "early", sessions[-1].errors, "errors", sessions[-1].load)
    if given.record:
        evidence.write(record(sessions, given.pace))


def record(sessions: Sequence[Session], pace: float) -> evidence.Record:
    """The figures for the documentation.

    Parameters
    ----------
    sessions : sequence of Session
    pace : float
    """
    table = evidence.Table(
        "Seconds. Heads of 1 mm, 240 x 247 x 192 voxels, original and protected.",
        ("step", "n", "median", "95th percentile", "longest", "aim, at most"),
        tuple(row for one in sessions for row in rows(one)),
    )
    number = 3600 / pace
    over = sum(wait > 1 for one in sessions for wait in one.waits)
    total = sum(len(one.waits) for one in sessions)
    loads = ", ".join(f"{one.load:.1f}" for one in sessions)
    notes = (
        f"A key was pressed every {pace:g} s: {number:,.0f} scans in an hour. {over} of {total} "
        f"waits were longer than 1 s; {sum(one.early for one in sessions)} keys came before the "
        "next scan was drawn and the one after it fetched; "
        f"{sum(one.errors for one in sessions)} scans could not be shown.",
        "Chromium drew without a graphics card, so that the app showed voxels of 2 mm where all "
        "were not asked for. At the end "
        f"of the sessions {loads} processes wanted a processor.",
    )
    return evidence.Record(
        name="review",
        title="Waiting in the review app",
        topic="cost",
        question="How long does a reviewer wait for the next scan, and does a long queue slow it?",
        script="bench/review.py",
        command=evidence.command(),
        seeds=(SEED,),
        in_silico=True,
        tables=(table,),
        notes=notes,
    )


if __name__ == "__main__":
    main()
