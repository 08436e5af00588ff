"""JSON and tab-separated tables."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from faceblind.errors import OutputError, TableError
from faceblind.system.files import atomic_path


def write_json(path: str | Path, content: Any) -> None:
    """Write strict JSON (UTF-8, no NaN), whole or not at all.

    Numpy scalars and arrays, paths and non-finite numbers (as null) are converted.
    """
    text = json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False)
    _write_text(path, text + "\n")


def write_tsv(
    path: str | Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None
) -> None:
    """Write a tab-separated table as in BIDS (``n/a`` for what is absent), whole or not at all.

    Parameters
    ----------
    path : path
        The file.
    rows : iterable of mapping
        Column name to value. None and non-finite numbers become ``n/a``; floats keep six digits.
    columns : sequence of str, optional
        Which columns, in this order; by default those of the first row. Needed when there may be
        no row.

    Raises
    ------
    TableError
        If a row has a column that is not among `columns`.
    """
    try:
        text = as_tsv(rows, columns)
    except TableError as error:
        raise TableError(f"{path}: {error}") from error
    _write_text(path, text)


def as_tsv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> str:
    """The text that `write_tsv` writes.

    Parameters
    ----------
    rows, columns
        As there.
    """
    table = list(rows)
    names = list(columns) if columns is not None else list(table[0]) if table else []
    lines = ["\t".join(names)]
    for row in table:
        extra = [name for name in row if name not in names]
        if extra:
            raise TableError(f"unexpected column {extra[0]!r} in a row; list all columns")
        lines.append("\t".join(_cell(row.get(name)) for name in names))
    return "\n".join(lines) + "\n"


def write_csv(path: str | Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write a comma-separated table (RFC 4180), whole or not at all; what is absent is empty.

    Parameters
    ----------
    path : path
        The file.
    rows : iterable of mapping
        Column name to value; floats keep six digits.
    columns : sequence of str
        Which columns, in this order.

    Raises
    ------
    ValueError
        If a row has a column that is not among `columns`.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    for row in rows:
        cells = {name: _cell(value) for name, value in row.items()}
        writer.writerow({n: "" if cell == "n/a" else cell for n, cell in cells.items()})
    _write_text(path, text.getvalue())


def _write_text(path: str | Path, text: str) -> None:
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); check space and permissions"
        ) from error


def plain(value: Any) -> Any:
    """Plain JSON types of the same content."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(entry) for entry in value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None or value == "":
        return "n/a"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(str(value).split()) or "n/a"
