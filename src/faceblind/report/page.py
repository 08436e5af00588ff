"""What a page says, before anything is said of how it looks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from markupsafe import Markup

from faceblind.identification.intervals import Rate
from faceblind.report.charts import Drawing
from faceblind.report.texts import count

Audience = Literal["shareable", "private"]
"""Whether a page may be given away, or shows and names people."""

LONGEST_WORD = 20
"""Letters of a word that is never broken."""
SENTENCE = 40
"""Letters from which a text gets a wide column."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Parameters
    ----------
    text : str
        What is read.
    value : float or str, optional
        What sorts and what the CSV holds; by default the text.
    tone : str
        Class of a verdict, shown as a badge; empty otherwise.
    drawing : Markup, optional
        Shown before the text.
    """

    text: str
    value: float | str | None = None
    tone: str = ""
    drawing: Markup | None = None

    @property
    def is_long(self) -> bool:
        """Whether some word, such as a path, may have to be broken."""
        return (
            len(self.text) > LONGEST_WORD
            and max(map(len, self.text.split()), default=0) > LONGEST_WORD
        )

    @property
    def is_wide(self) -> bool:
        """Whether the text is a sentence, which needs room."""
        return len(self.text) > SENTENCE

    @property
    def plain(self) -> float | str:
        """The value, or the text where there is none; a number that is not finite is empty."""
        if self.value is None:
            return self.text
        if isinstance(self.value, float) and not math.isfinite(self.value):
            return ""
        return self.value


@dataclass(frozen=True)
class Table:
    """A table, which is also a CSV file.

    Parameters
    ----------
    name : str
        Unique on the page; the CSV file is called so.
    caption : str
    columns : tuple of str
    rows : tuple of tuple of Cell
        Each as long as `columns`.
    searchable : bool
        Offer search, filter and sorting.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    searchable: bool = False
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Chart:
    """A plot with the table of its figures, which says the same to those who do not see it.

    Parameters
    ----------
    title, description : str
    drawing : Drawing
    table : Table
    """

    title: str
    description: str
    drawing: Drawing
    table: Table
    kind: ClassVar[str] = "chart"


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Notice:
    """A paragraph that nobody should miss."""

    text: str
    kind: ClassVar[str] = "notice"


@dataclass(frozen=True)
class Items:
    """A list of short texts."""

    items: tuple[str, ...]
    kind: ClassVar[str] = "items"


@dataclass(frozen=True)
class Code:
    """A text to be copied as it is, such as BibTeX."""

    label: str
    text: str
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class FaceKey:
    """What the colours of the face diagrams mean."""

    kind: ClassVar[str] = "facekey"


@dataclass(frozen=True)
class Picture:
    """An image within the page.

    Parameters
    ----------
    caption : str
    data : str
        A ``data:`` address, see `faceblind.report.pictures`.
    """

    caption: str
    data: str


@dataclass(frozen=True)
class Album:
    """Pictures of one scan or person side by side. Private pages only.

    Parameters
    ----------
    title, note : str
    tone : str
        See `Cell`.
    pictures : tuple of Picture
    """

    title: str
    note: str
    tone: str
    pictures: tuple[Picture, ...]
    kind: ClassVar[str] = "album"


Block = Table | Chart | Text | Notice | Items | Code | FaceKey | Album


PRIVATE_NOTE = "Private: this page shows or names people. Keep it where the scans are."
"""What every private page says of itself."""


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Answer:
    """What the reader came for.

    Parameters
    ----------
    sentence : str
        With its interval.
    beside : Chart
        The figure of this page and the article's.
    """

    sentence: str
    beside: Chart


@dataclass(frozen=True)
class Page:
    """One report.

    Parameters
    ----------
    title : str
    audience : {"shareable", "private"}
    note : str
        Who may read it, and what it shows.
    answer : Answer
    sections : tuple of Section
        Those without blocks are left out.
    """

    title: str
    audience: Audience
    note: str
    answer: Answer
    sections: tuple[Section, ...]


def number(value: float | None, form: str = "g") -> Cell:
    """A number that sorts as one; ``n/a`` where there is none."""
    if value is None or not math.isfinite(value):
        return Cell("n/a", math.nan)
    return Cell(format(value, form), float(value))


def share(value: float | None) -> Cell:
    """A share as percent with one decimal, sorted by its value."""
    if value is None or not math.isfinite(value):
        return Cell("n/a", math.nan)
    return Cell(f"{100 * value:.1f} %", round(float(value), 6))


def rate_cells(rate: Rate) -> tuple[Cell, Cell, Cell, Cell]:
    """Hits, rate, and the ends of the interval."""
    return Cell(count(rate.hits), rate.hits), share(rate.rate), share(rate.low), share(rate.high)


def flat(content: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Nested settings as names with dots and texts, in their own order."""
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flat(value, f"{name}.")
        elif isinstance(value, (list, tuple)):
            yield name, ", ".join(map(str, value))
        else:
            yield name, "none" if value is None else str(value)


def text_table(
    name: str, caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> Table:
    """A table of plain texts."""
    return Table(name, caption, tuple(columns), tuple(tuple(map(Cell, row)) for row in rows))
