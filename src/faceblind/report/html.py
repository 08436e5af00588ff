"""Pages as self-contained HTML: nothing is fetched, and nothing but the page's own code runs."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from faceblind._version import __version__
from faceblind.display import data_address
from faceblind.report.face_diagram import face_symbols, key
from faceblind.report.page import Chart, Page, Table
from faceblind.report.texts import clean

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"
_FORMULA = ("=", "+", "-", "@")


def render_page(page: Page) -> str:
    """The text of an HTML file.

    Parameters
    ----------
    page : Page
    """
    style = _file("page.css") + "\n".join(_rules(page)) + "\n"
    script = _file("page.js")
    policy = (
        "default-src 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return _template().render(
        page=page,
        sections=[section for section in page.sections if section.blocks],
        # Both are files of the package; the policy names their digests.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=policy,
        symbols=face_symbols(),
        face_key=key(),
        version=__version__,
    )


def csv_text(table: Table) -> str:
    """A table as comma-separated values (RFC 4180), of which no cell is a formula.

    Parameters
    ----------
    table : Table
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([clean(name) for name in table.columns])
    for row in table.rows:
        writer.writerow([_csv_cell(cell.plain) for cell in row])
    return stream.getvalue()


def _csv_cell(value: float | str) -> float | str:
    if not isinstance(value, str):
        return value
    text = clean(value)
    # A spreadsheet would run a file's name that starts like a formula.
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _lines(text: str) -> Markup:
    """A text that keeps its line breaks."""
    return Markup("\n").join(map(clean, text.splitlines()))


def _csv_address(table: Table) -> Markup:
    address = data_address(csv_text(table).encode(), "text/csv;charset=utf-8")
    return Markup(address)  # noqa: S704 - base64


def _rules(page: Page) -> list[str]:
    """Rules of all plots, each once."""
    charts = [page.answer.beside]
    charts += [b for section in page.sections for b in section.blocks if isinstance(b, Chart)]
    return sorted({rule for chart in charts for rule in chart.drawing.rules})


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@lru_cache
def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@lru_cache
def _template() -> Template:
    # Only pages need it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_final,
        keep_trailing_newline=True,
    )
    environment.filters["csv"] = _csv_address
    environment.filters["lines"] = _lines
    return environment.get_template("page.html.j2")


def _final(value: Any) -> Any:
    """Whatever is put into the page; markup was made by this package."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    # No line ends between a number and its unit.
    return clean(value).replace(" %", "\N{NO-BREAK SPACE}%")
