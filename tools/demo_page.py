"""The last step of ``make demo``: one page with the whole loop, from photographs to verdicts.

Run ``python tools/demo_page.py DEMO N`` after the commands of ``make demo``; seconds. The people
are synthetic, so that a page may show them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faceblind
from faceblind.identification.intervals import Rate
from faceblind.report.albums import people_albums
from faceblind.report.compare_page import compare_page
from faceblind.report.page import (
    Album,
    Cell,
    Items,
    Notice,
    Page,
    Picture,
    Section,
    Table,
    number,
)
from faceblind.report.pictures import jpeg_address, scan_strip
from faceblind.report.texts import count, interval
from faceblind.report.write import write_page
from faceblind.workflows.study_material import IN_SILICO

SHOWN = 3
"""People with pictures."""
RANKS = {"rank1": "first guess", "rank5": "first five", "rank10": "first ten"}
BEFORE, AFTER = "before protection", "after reface"
LEGEND = (
    "Of each person: the photograph; the face rebuilt from the scan; then the scan, its defaced "
    "and its refaced version, each as skin from the front and the side and as three slices."
)


@dataclass(frozen=True)
class Demo:
    """Where the demo's commands left their results.

    Parameters
    ----------
    root : Path
    n : int
        People.
    """

    root: Path
    n: int

    def folder(self, name: str) -> Path:
        """Results of one command, such as ``study``."""
        return self.root / f"{name}-{self.n}"

    def verdicts(self, method: str) -> dict[str, Mapping[str, Any]]:
        """Verdicts of the protected scans, by path."""
        text = (self.folder(f"audit-{method}") / "private" / "audit.json").read_text("utf-8")
        return {one["path"]: one for one in json.loads(text)}


def demo_page(demo: Demo) -> Page:
    """The page.

    Parameters
    ----------
    demo : Demo
    """
    compared = faceblind.compare(
        demo.folder("study"), demo.folder("study-refaced"), names=(BEFORE, AFTER)
    )
    verdicts = {method: demo.verdicts(method) for method in ("defaced", "refaced")}
    return Page(
        "From a photograph to a protected scan, and back",
        "shareable",
        "Nobody on this page exists: the people are synthetic.",
        compare_page(compared).answer,
        (
            Section("Before you read on", (Notice(IN_SILICO),)),
            Section("The same people before and after", (_studies(demo),)),
            Section("People", (Notice(LEGEND), *_people(demo, verdicts))),
            Section("Verdicts of the audit", (_verdicts(verdicts),)),
            Section("Reports of each step", (Items(_reports(demo)),)),
        ),
    )


def _studies(demo: Demo) -> Table:
    """Both studies side by side, with the article's figures."""
    sides = [
        json.loads((demo.folder(name) / "summary.json").read_text("utf-8"))
        for name in ("study", "study-refaced")
    ]
    rows = [
        (
            Cell(f"found at the {words}" if key == "rank1" else f"found in the {words}"),
            *(_rate(side[key]) for side in sides),
            _rate(sides[0]["article"].get(key)),
        )
        for key, words in RANKS.items()
    ]
    rows += [
        (
            Cell("no face found"),
            *(number(side["failed_to_enrol"]) for side in sides),
            Cell(""),
        ),
        (Cell("guessing finds"), *(number(s["chance_rank1"], ".3f") for s in sides), Cell("")),
    ]
    columns = ("people", BEFORE, AFTER, "article of 2019, intact")
    caption = "Photographs searched among the faces of scans: counts, rates and 95 % intervals."
    return Table("studies", caption, columns, tuple(rows))


def _rate(content: Mapping[str, Any] | None) -> Cell:
    if content is None:
        return Cell("")
    rate = Rate(**content)
    said = f"{count(rate.hits)} of {rate.n} ({100 * rate.rate:.0f} %, {interval(rate)})"
    return Cell(said, rate.rate)


def _people(demo: Demo, verdicts: Mapping[str, Mapping[str, Any]]) -> list[Album]:
    """Pictures of the first people whose scans were protected in both ways."""
    both = [path for path in verdicts["defaced"] if path in verdicts["refaced"]]
    persons = [path.partition("/")[0] for path in both[:SHOWN]]
    begun = {album.title: album for album in people_albums(_private(demo), persons)}
    albums = []
    for person, path in zip(persons, both, strict=False):
        pictures = list(begun[person].pictures) if person in begun else []
        for caption, folder in (
            ("scan", demo.folder("volunteers") / "scans"),
            ("defaced", demo.folder("defaced")),
            ("refaced", demo.folder("refaced")),
        ):
            said = verdicts[caption][path]["status"] if caption in verdicts else ""
            name = f"{caption} (audit: {said})" if said else caption
            pictures.append(Picture(name, jpeg_address(scan_strip(folder / path))))
        albums.append(Album(person, "", "", tuple(pictures)))
    return albums


def _private(demo: Demo) -> Path:
    return demo.folder("study") / "private"


def _verdicts(verdicts: Mapping[str, Mapping[str, Any]]) -> Table:
    """One line for each scan."""
    rows = []
    for path in sorted({*verdicts["defaced"], *verdicts["refaced"]}):
        cells = [Cell(path)]
        for method in ("defaced", "refaced"):
            one = verdicts[method].get(path)
            cells += [
                Cell(one["status"], tone=one["status"]) if one else Cell("not protected"),
                number(one["score"] if one else None, ".2f"),
                Cell("; ".join(one["reasons"]) if one else ""),
            ]
        rows.append(tuple(cells))
    columns = ("scan", "defaced", "face left", "why", "refaced", "face left", "why")
    caption = "Face left: how much of a recognisable person any attack gets, 0 to 1."
    return Table("verdicts", caption, columns, tuple(rows), searchable=True)


def _reports(demo: Demo) -> tuple[str, ...]:
    names = ("study", "audit-defaced", "audit-refaced", "study-refaced", "compare")
    return tuple(str(demo.folder(name) / "report.html") for name in names)


def main() -> None:
    """Write the page and print where it lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path)
    parser.add_argument("n", type=int)
    given = parser.parse_args()
    target = given.demo / f"demo-{given.n}.html"
    write_page(demo_page(Demo(given.demo, given.n)), target)
    print(f"The whole loop on one page: {target}")


if __name__ == "__main__":
    main()
