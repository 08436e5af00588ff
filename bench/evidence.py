"""Results of the benchmarks as JSON, from which the documentation's evidence page is made.

A script adds the option ``--record`` with `add_option` and, where it was given, hands a `Record` to
`write`. ``bench/README.md`` describes the fields.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shlex
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

SCHEMA = 1
ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
TOPICS = ("alignment", "study", "protection", "audit", "linking", "volunteers", "cost")
Cell = str | int | float


@dataclass(frozen=True)
class Table:
    """Figures in rows.

    Parameters
    ----------
    caption : str
        What the rows are, with units and aims.
    columns : sequence of str
    rows : sequence of sequence of str, int or float
        As many cells in each as there are columns.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Record:
    """What one run of a script found.

    Parameters
    ----------
    name : str
        The file's stem, such as ``protect-recognition``.
    title : str
    topic : str
        One of `TOPICS`: where the evidence page shows it.
    question : str
        What was asked, in one sentence.
    script : str
        Path from the repository root.
    command : str
        How it was run, without folders of a machine.
    seeds : sequence of int
    in_silico : bool
        Whether the figures are about synthetic people.
    tables : sequence of Table
    notes : sequence of str
        What a reader must know to read the tables; one paragraph each.
    commit, date, machine : str
        Of the code, of the run (year-month-day) and where it ran.
    origin : {"script", "transcribed"}
        Transcribed figures were written down by hand before records existed; their commit and date
        are those of that note.
    """

    name: str
    title: str
    topic: str
    question: str
    script: str
    command: str
    seeds: tuple[int, ...]
    in_silico: bool
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    commit: str = ""
    date: str = ""
    machine: str = ""
    origin: Literal["script", "transcribed"] = "script"


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--record`` to a script's command line."""
    parser.add_argument(
        "--record", action="store_true", help="keep the figures in bench/results, for the docs"
    )


def write(record: Record, folder: Path = RESULTS) -> Path:
    """Write a record, with commit, date and machine filled in where they are empty.

    Parameters
    ----------
    record : Record
    folder : Path
        ``bench/results``.

    Returns
    -------
    Path
        The file.
    """
    content: dict[str, Any] = {"schema": SCHEMA} | asdict(record)
    content["commit"] = record.commit or commit()
    content["date"] = record.date or dt.datetime.now(dt.UTC).date().isoformat()
    content["machine"] = record.machine or machine()
    check(content)
    path = folder / f"{record.name}.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"recorded: {path.name}", file=sys.stderr)
    return path


def check(content: dict[str, Any]) -> None:
    """Refuse content that is no record.

    Raises
    ------
    ValueError
        Naming the field.
    """
    wanted = {"schema", *Record.__dataclass_fields__}
    if set(content) != wanted:
        raise ValueError(f"record: expected the fields {sorted(wanted)}, got {sorted(content)}")
    if content["schema"] != SCHEMA or content["topic"] not in TOPICS:
        raise ValueError(f"record: schema {content['schema']} or topic {content['topic']} unknown")
    for key in ("name", "title", "question", "script", "command", "commit", "date", "machine"):
        if not isinstance(content[key], str) or not content[key]:
            raise ValueError(f"record: {key} is empty")
    dt.date.fromisoformat(content["date"])
    for table in content["tables"]:
        if any(len(row) != len(table["columns"]) for row in table["rows"]):
            raise ValueError(f"record: {table['caption']}: a row has not one cell for each column")


def command(arguments: list[str] | None = None) -> str:
    """The command line of this run, paths shortened to their names, without ``--record``."""
    given = sys.argv if arguments is None else arguments
    words = [Path(word).name if "/" in word else word for word in given[1:] if word != "--record"]
    return shlex.join(["python", f"bench/{Path(given[0]).name}", *words])


def commit() -> str:
    """The short hash of the checkout, with ``+`` where tracked files were changed."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "-s", "-uno") else "")


def machine() -> str:
    """Cores, kind of processor, system and Python."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}"
    )
