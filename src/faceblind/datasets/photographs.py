"""The table of photographs: which picture shows which person, and whether that person consented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faceblind.datasets.names import MISSING, participant_label
from faceblind.errors import ConsentError, TableError

COLUMNS = ("file", "participant_id", "view", "consent")
"""Columns that a photographs table must have; others are ignored."""


_ROWS_NAMED = 20


@dataclass(frozen=True)
class PhotoRow:
    """One photograph of one person.

    Parameters
    ----------
    file : Path
        The picture; relative entries of the table are taken from the table's folder.
    participant_id : str
        Normalised, with ``sub-``.
    view : str
        Such as ``front`` or ``left``, lower case; may be empty.
    consent : str
        ``yes``; the reader refuses anything else.
    """

    file: Path
    participant_id: str
    view: str
    consent: str


def read_photos_table(path: str | Path) -> list[PhotoRow]:
    """Read and check a photographs table.

    Consent is checked before any photograph is looked for, and there is no way around it.
    Messages name line numbers of the table and no person.

    Parameters
    ----------
    path : str or Path
        Tab-separated UTF-8 text with a header line and at least the columns of `COLUMNS`.

    Returns
    -------
    list of PhotoRow
        In the order of the table.

    Raises
    ------
    TableError
        If the table cannot be read, columns or entries are missing, a file is listed twice or
        does not exist.
    ConsentError
        If ``consent`` is not ``yes`` in every row.
    """
    table = Path(path)
    rows = _table_rows(table)
    refused = [line for line, row in rows if row["consent"].strip().lower() != "yes"]
    if refused:
        raise ConsentError(
            f"{table}: consent is not yes in {_named(refused)}; "
            "remove these photographs or obtain consent"
        )
    photos = []
    problems: dict[str, list[int]] = {}
    seen: dict[Path, int] = {}
    for line, row in rows:
        try:
            label = participant_label(row["participant_id"])
        except TableError as error:
            problems.setdefault(str(error), []).append(line)
            continue
        entry = row["file"].strip()
        file = table.parent / entry
        if entry in MISSING:
            problems.setdefault("no file is given", []).append(line)
        elif not file.is_file():
            problems.setdefault("the file does not exist", []).append(line)
        elif file.resolve() in seen:
            problems.setdefault("the file is listed before", []).append(line)
        else:
            seen[file.resolve()] = line
            view = row["view"].strip().lower()
            photos.append(PhotoRow(file, label, "" if view in MISSING else view, "yes"))
    if problems:
        text = "; ".join(f"{_named(lines)}: {problem}" for problem, lines in problems.items())
        raise TableError(f"{table}: {text}")
    return photos


def _table_rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and cells by column of every row that is not blank."""
    try:
        text = table.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise TableError(f"{table}: no such file; give a photographs table") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{table}: not UTF-8 text; save the table as UTF-8") from error
    except OSError as error:
        raise TableError(f"{table}: cannot be read ({error.strerror})") from error
    # Tables follow BIDS: a tab always separates, a quotation mark is an ordinary character.
    lines = [line.split("\t") for line in text.splitlines()]
    if not lines:
        raise TableError(f"{table}: empty; the first line must name the columns")
    header = [cell.strip() for cell in lines[0]]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        hint = "separate columns by tabs" if len(header) == 1 else f"found {', '.join(header)}"
        raise TableError(f"{table}: column {' and '.join(missing)} missing; {hint}")
    twice = [column for column in COLUMNS if header.count(column) > 1]
    if twice:
        raise TableError(f"{table}: column {twice[0]} appears twice")
    rows, uneven = [], []
    for line, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            uneven.append(line)
        else:
            rows.append((line, dict(zip(header, cells, strict=True))))
    if uneven:
        raise TableError(f"{table}: {_named(uneven)}: expected {len(header)} columns")
    if not rows:
        raise TableError(f"{table}: lists no photographs")
    return rows


def _named(lines: Sequence[int]) -> str:
    """Such as ``line 3`` or ``lines 3, 4 and 7``."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    shown = [str(line) for line in lines[:_ROWS_NAMED]]
    if len(lines) > _ROWS_NAMED:
        shown.append(f"{len(lines) - _ROWS_NAMED} more")
    return f"lines {', '.join(shown[:-1])} and {shown[-1]}"
