"""The evidence page: every record in ``bench/results``, as Markdown, by topic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
TOPICS = {
    "study": "Finding people by photographs",
    "protection": "Protection",
    "audit": "The audit",
    "linking": "Linking scans to scans",
    "alignment": "Finding the head",
    "volunteers": "The synthetic volunteers",
    "cost": "Time and memory",
}


def records() -> list[dict[str, Any]]:
    """All records, by name."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*.json"))]


def evidence() -> str:
    """A section for each topic, one below it for each record."""
    found = records()
    parts = []
    for topic, title in TOPICS.items():
        mine = [record for record in found if record["topic"] == topic]
        if mine:
            parts += [f"## {title}", *map(_section, mine)]
    return "\n\n".join(parts)


def _section(record: dict[str, Any]) -> str:
    kind = "**In silico.** " if record["in_silico"] else ""
    parts = [
        f"({record['name']})=",
        f"### {record['title']}",
        f"{kind}{record['question']}",
        *(_table(table) for table in record["tables"]),
        *record["notes"],
        _origin(record),
    ]
    return "\n\n".join(parts)


def _origin(record: dict[str, Any]) -> str:
    verb = "Measured" if record["origin"] == "script" else "Written down"
    seeds = ", ".join(map(str, record["seeds"]))
    lines = [
        f"Command: `{record['command']}`",
        *([f"Seed: {seeds}"] if seeds else []),
        f"{verb} on {record['date']} at commit `{record['commit']}`",
        f"Machine: {record['machine']}",
    ]
    return ":::{admonition} How it was measured\n:class: note dropdown\n\n" + "\n".join(
        f"- {line}" for line in lines
    ) + "\n:::"  # fmt: skip


def _table(table: dict[str, Any]) -> str:
    rows = [table["columns"], ["---"] * len(table["columns"]), *table["rows"]]
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return f"{table['caption']}\n\n" + "\n".join(lines)


def _cell(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
