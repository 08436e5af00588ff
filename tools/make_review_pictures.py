"""Make the pictures of the review app for the documentation: synthetic people, who do not exist.

Run ``python tools/make_review_pictures.py [OUT] [--work FOLDER]`` from the repository root; OUT is
docs/images by default. Needs the extras ``review`` and ``dev``, and Chromium on the search path.
Takes some minutes; what lies in FOLDER is not made again.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))

from faceblind.formats import load, save  # noqa: E402
from faceblind.scan import Scan  # noqa: E402
from review_app import chromium, run, serving  # noqa: E402 - lies in another folder of scripts

SEED = 6
PEOPLE = 6
FORGOTTEN = "sub-0002"
"""Whose face another tool took out in its lower half only."""
DESK = (1200, 800)
SHEET = (1200, 540)
NARROW = (420, 900)
QUALITY = 80
MOST_BYTES = 150_000
WAIT_MS = 600_000


@dataclass(frozen=True)
class Folders:
    """What is reviewed.

    Parameters
    ----------
    originals, protected, audit : Path
    """

    originals: Path
    protected: Path
    audit: Path


def prepare(work: Path) -> Folders:
    """Synthetic people, their scans defaced, one of them badly, and the audit.

    Parameters
    ----------
    work : Path
    """
    people, protected, audit = work / "people", work / "defaced", work / "audit"
    if not people.is_dir():
        run("volunteers", people, "-n", str(PEOPLE), "--seed", str(SEED), "-j", "1")
    if not audit.is_dir():
        shutil.rmtree(protected, ignore_errors=True)
        run("deface", people / "scans", protected, "-j", "1")
        forget(people / "scans", protected)
        run("audit", protected, "--out", audit, "-j", "1", codes=(0, 3))
    return Folders(people / "scans", protected, audit)


def forget(originals: Path, protected: Path) -> None:
    """Bring the upper half of a face back, as tools do that cut too low.

    Parameters
    ----------
    originals, protected : Path
    """
    (path,) = protected.glob(f"{FORGOTTEN}/**/*_T1w.nii.gz")
    before, after = load(originals / path.relative_to(protected)), load(path)
    places = np.indices(before.shape[:3])
    height = np.tensordot(before.affine[2, :3], places, 1) + before.affine[2, 3]
    differs = before.voxels != after.voxels
    voxels = np.where(height > np.median(height[differs]), before.voxels, after.voxels)
    save(Scan(voxels, after.affine), path, overwrite=True)


def keep(tab: Any, path: Path) -> None:
    """A screenshot as a small file."""
    picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    picture.save(path, "WEBP", quality=QUALITY, method=6)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path.name}: {path.stat().st_size} bytes, too many for a page")


def show(tab: Any, number: int) -> None:
    """Wait until a scan is drawn and the ones after it are there."""
    tab.wait_for_selector(f"body[data-shown='{number}']")
    tab.wait_for_selector(f"body[data-ahead='{number}']")


def overlay(tab: Any, key: str, name: str) -> None:
    """Switch an overlay on and wait until it is drawn."""
    tab.keyboard.press(key)
    tab.wait_for_selector(f"body[data-wanted*='\"{name}\":true']")


def size(pixels: tuple[int, int]) -> dict[str, int]:
    """Width and height as the browser wants them."""
    return dict(zip(("width", "height"), pixels, strict=True))


def desk(browser: Any, address: str, out: Path) -> None:
    """The pages as a wide screen shows them."""
    tab = browser.new_page(viewport=size(DESK))
    tab.set_default_timeout(WAIT_MS)
    tab.goto(address)
    show(tab, 0)
    # Without a graphics card the app draws fewer voxels unless told otherwise.
    tab.keyboard.press("v")
    show(tab, 0)
    overlay(tab, "3", "leaking")
    keep(tab, out / "review-leak.webp")
    tab.keyboard.press("3")
    tab.keyboard.press("4")
    tab.keyboard.press("r")
    show(tab, 1)
    overlay(tab, "1", "replaced")
    overlay(tab, "2", "protected")
    keep(tab, out / "review.webp")
    tab.keyboard.press("d")
    tab.wait_for_selector("#redo[open]")
    keep(tab, out / "review-redo.webp")
    tab.set_viewport_size(size(SHEET))
    tab.goto(address.split("?")[0] + "sheets")
    for image in tab.locator("#tiles img").all():
        while not image.evaluate("one => one.complete && one.naturalWidth"):
            tab.wait_for_timeout(200)
    keep(tab, out / "review-sheet.webp")
    tab.close()


def narrow(browser: Any, address: str, out: Path) -> None:
    """The page as a telephone's width shows it, in dark colours."""
    tab = browser.new_page(viewport=size(NARROW), color_scheme="dark")
    tab.set_default_timeout(WAIT_MS)
    tab.goto(address)
    drawn = (f"body[data-shown='{one}'][data-ahead='{one}']" for one in range(PEOPLE))
    tab.wait_for_selector(", ".join(drawn))
    keep(tab, out / "review-narrow.webp")
    tab.close()


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--work", type=Path, help="a folder to keep the people in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        work = given.work or Path(passing)
        work.mkdir(parents=True, exist_ok=True)
        folders = prepare(work)
        # What was decided for earlier pictures is forgotten.
        fresh = Path(passing) / "defaced"
        shutil.copytree(folders.protected, fresh)
        words = ("--originals", folders.originals, "--audit", folders.audit, "--rater", "anna")
        with chromium() as browser, serving(fresh, *words) as app:
            desk(browser, app.address, given.out)
            narrow(browser, app.address, given.out)


if __name__ == "__main__":
    main()
