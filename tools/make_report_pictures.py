"""Make the pictures of reports for the documentation, from made-up results.

Run ``python tools/make_report_pictures.py [OUT]`` from the repository root; OUT is docs/images by
default. Needs playwright and a Chromium on the search path. Takes half a minute.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))

import example_results  # noqa: E402 - lies in another folder of scripts
from faceblind.report.audit_page import audit_page  # noqa: E402
from faceblind.report.compare_page import compare_page  # noqa: E402
from faceblind.report.study_page import study_page  # noqa: E402
from faceblind.report.write import write_page  # noqa: E402

WIDTH = 1000
NOTE = "Made-up figures, for this picture only."
COLOURS = 160


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def picture(browser: Any, page: Path, target: Path, top: str, height: int, *, dark: bool) -> None:
    """A part of a page as a small PNG.

    Parameters
    ----------
    browser
        See `chromium`.
    page, target : Path
    top : str
        Selector of what stands at the upper edge.
    height : int
        In pixels.
    dark : bool
    """
    tab = browser.new_page(
        viewport={"width": WIDTH, "height": height}, color_scheme="dark" if dark else "light"
    )
    tab.goto(page.as_uri())
    tab.eval_on_selector(top, "one => one.scrollIntoView({behavior: 'instant'})")
    tab.screenshot(path=target)
    tab.close()
    Image.open(target).convert("RGB").quantize(COLOURS).save(target, optimize=True)


def main(out: Path) -> None:
    """Write all pictures.

    Parameters
    ----------
    out : Path
    """
    study = replace(example_results.study(people=120, strength=0.3), note=NOTE)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        pages = {name: Path(folder) / f"{name}.html" for name in ("study", "audit", "compare")}
        write_page(study_page(study), pages["study"])
        write_page(audit_page(example_results.audit(60)), pages["audit"])
        write_page(compare_page(example_results.comparison()), pages["compare"])
        for name, page, top, height, dark in (
            ("report-answer", "compare", "header", 760, False),
            ("report-ranks", "study", "#figure-cmc", 560, False),
            ("report-scans", "audit", "#table-scans", 620, False),
            ("report-dark", "study", "#figure-gallery-scaling", 560, True),
        ):
            picture(browser, pages[page], out / f"{name}.png", top, height, dark=dark)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "docs" / "images")
    main(parser.parse_args().out)
