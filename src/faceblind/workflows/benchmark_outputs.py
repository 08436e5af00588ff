"""The files of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from faceblind.errors import OutputError
from faceblind.identification.intervals import Rate
from faceblind.system.files import atomic_path
from faceblind.system.tables import write_csv, write_json, write_tsv
from faceblind.workflows.benchmark_result import COLUMNS, SEARCHES, BenchmarkResult

LEAGUE_HEADINGS = (
    "method", "version", "photo → scan", "original → protected", "protected → protected",
    "not protected", "s", "MiB", "brain voxels changed",
)  # fmt: skip
"""Of the short table."""
RANK_COLUMNS = (
    "method", "search", "recogniser", "face", "matching", "participant_id", "rank", "tied",
    "mate_score", "best_other_score", "failure",
)  # fmt: skip


def write_league(root: Path, private: Path, result: BenchmarkResult) -> None:
    """Write the table three times for everybody, and what names people for the owner only.

    Parameters
    ----------
    root : Path
        For ``league.csv``, ``league.md`` and ``league.json``.
    private : Path
        For ``ranks.tsv`` and ``failures.tsv``.
    result : BenchmarkResult
    """
    write_tsv(private / "ranks.tsv", result.person_rows(), RANK_COLUMNS)
    write_tsv(private / "failures.tsv", result.failures(), ("method", "scan", "why"))
    write_csv(root / "league.csv", result.rows(), COLUMNS)
    write_json(root / "league.json", result.summary())
    path = root / "league.md"
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(markdown(result), encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); check space and permissions"
        ) from error


def markdown(result: BenchmarkResult) -> str:
    """The short table, published rates and what was not run, as Markdown.

    Parameters
    ----------
    result : BenchmarkResult
    """
    cohort = result.settings.get("cohort", {})
    published = [
        (one.method, one.material, one.search, one.recogniser, one.people, one.told(), one.citation)
        for one in result.published
    ]
    heading = ("method", "material", "search", "recogniser", "people", "rank 1", "source")
    parts = [
        "# League table of defacing methods",
        f"{result.note} Cohort: preset {cohort.get('preset')}, seed {cohort.get('seed')}, "
        f"{result.people} people.",
        "## In silico",
        _table(LEAGUE_HEADINGS, league_cells(result)),
        "Found at the first guess by the strongest attack, with Wilson's 95 % interval; fewer is "
        "better. Median seconds and peak MiB of one scan; voxels of the true brain over all scans. "
        "`league.csv` has every attack.",
    ]
    if result.missing:
        parts += ["Not run:", "\n".join(f"- {one.name}: {one.why}" for one in result.missing)]
    parts += [
        "## Published",
        "Real people, other scans and recognisers: to be set beside the table above, not to be "
        "ranked in it.",
        _table(heading, published),
    ]
    return "\n\n".join(parts) + "\n"


def league_cells(result: BenchmarkResult) -> list[tuple[str, ...]]:
    """The short table as texts, under `LEAGUE_HEADINGS`.

    Parameters
    ----------
    result : BenchmarkResult
    """
    rows = []
    for row in result.league():
        failed = f"{row['failed']} of {row['scans']}"
        costs = (_number(row["wall_s"], ".1f"), _number(row["peak_mb"], ".0f"))
        found = tuple(_rate(row[search]) for search in SEARCHES)
        brain = brain_cell(row["brain_voxels_changed"], row["brain_scans_changed"])
        rows.append((row["method"], row["version"] or "–", *found, failed, *costs, brain))
    return rows


def brain_cell(voxels: int | None, scans: int | None) -> str:
    """Changed voxels of the brain as text."""
    if voxels is None:
        return "n/a"
    return f"{voxels} in {scans} scans" if voxels else "0"


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return "n/a"
    ends = f"{100 * rate.low:.0f}–{100 * rate.high:.0f} %"
    return f"{round(rate.hits, 2):g} of {rate.n} ({ends})"


def _number(value: float | None, form: str) -> str:
    return "n/a" if value is None else format(value, form)


def _table(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(
        f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |"
        for line in lines
    )
