"""Check built pages: internal links lead to files and anchors, nothing loads from a network.

Run ``python tools/check_pages.py build/docs``. Sphinx checks links between sources; this also sees
what templates and generated parts put into the pages. Links to other sites are not followed.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "src")}
NOT_LOADED = {"canonical", "next", "prev", "author", "copyright"}
"""Relations of ``<link>`` that a browser does not fetch."""


class Page(HTMLParser):
    """Anchors and references of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep ids, links and what a browser loads."""
        given = {name: value or "" for name, value in attrs}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        for name in ("src", "href"):
            if (tag, name) in LOADED and name in given and given.get("rel") not in NOT_LOADED:
                self.loaded.append(given[name])


def read(path: Path) -> Page:
    """Parse one file."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def faults(root: Path) -> list[str]:
    """One line for each dead link, and for each thing that would be loaded from elsewhere."""
    # The theme's own files are templates, not pages.
    built = [path for path in root.rglob("*.html") if "_static" not in path.parts]
    pages = {path.resolve(): read(path) for path in built}
    found = []
    for path, page in pages.items():
        name = path.relative_to(root.resolve())
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    found.append(f"{name}: loads {link}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                found.append(f"{name}: no such file: {link}")
            elif parts.fragment and target in pages:
                anchor = unquote(parts.fragment)
                if anchor not in pages[target].anchors:
                    found.append(f"{name}: no such anchor: {link}")
    return sorted(set(found))


def main() -> None:
    """Print faults and exit with 1 if there are any."""
    root = Path(sys.argv[1])
    if not (root / "index.html").is_file():
        raise SystemExit(f"{root}: holds no built pages; run make docs")
    found = faults(root)
    print(*found, sep="\n", end="\n" if found else "")
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
