"""The figures of an experiment as a table for the terminal, beside the article's."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from faceblind.identification import metrics
from faceblind.identification.intervals import Rate
from faceblind.identification.result import ARTICLE, StudyResult

SHOWN_POPULATIONS = {10**4: "rank 1 of 10,000", 10**6: "rank 1 of 1 million"}
"""Larger galleries that the table shows; `gallery_scaling.tsv` has more."""


def result_table(result: StudyResult) -> Table:
    """The figures as a table for the terminal, beside the article's."""
    table = Table(
        title=Text(f"{result.direction} · {result.recogniser} · {result.matching}"),
        caption=Text(_caption(result)),
        caption_justify="left",
    )
    table.add_column("")
    for heading in ("this study", "95 %", "article", "95 %"):
        table.add_column(heading, justify="right")
    table.add_row("persons searched", str(len(result.ranks)), "", str(ARTICLE.rank1.n), "")
    table.add_row("gallery", str(result.gallery_size), "", str(ARTICLE.rank1.n), "")
    trivial = result.trivial_ranks
    table.add_row(
        "found at rank 1", *_cells(result.rank1, 1 in trivial), *_cells(ARTICLE.rank1, False)
    )
    table.add_row(
        "found in first five", *_cells(result.rank5, 5 in trivial), *_cells(ARTICLE.rank5, False)
    )
    table.add_row("found in first ten", *_cells(result.rank10, 10 in trivial), "", "")
    table.add_row(
        "not in first five",
        *_cells(result.not_found, 5 in trivial),
        *_cells(ARTICLE.not_found, False),
    )
    table.add_row("  no face enrolled", str(result.failed_to_enrol), "", "", "")
    table.add_row(
        "chance at rank 1",
        _percent(result.chance_rank1),
        "",
        _percent(metrics.chance_rate(1, ARTICLE.rank1.n)),
        "",
    )
    _add_beyond(table, result)
    return table


def _add_beyond(table: Table, result: StudyResult) -> None:
    """The few lines that say what the figures mean beyond this gallery, where there are any."""
    if result.prior_knowledge:
        cells = _cells(result.prior_knowledge.rank1, False)
        table.add_row("  age, sex known", *cells, "", "")
    for point in result.open_set.points[:1] if result.open_set else ():
        cells = _cells(point.dir, False)
        table.add_row(f"DIR at {100 * point.wanted_fpir:g} % FPIR", *cells, "", "")
    for one in result.gallery_scaling.larger if result.gallery_scaling else ():
        if one.size in SHOWN_POPULATIONS:
            ends = f"{100 * one.low:.1f}-{100 * one.high:.1f} %"
            rate = f"about {100 * one.extreme_values.rate:.0f} %"
            table.add_row(SHOWN_POPULATIONS[one.size], rate, ends, "", "")


def _groups(result: StudyResult) -> list[str]:
    """Which traits differ, and which were tested and do not."""
    differ = [trait for trait in result.subgroups if trait.verdict == "differs"]
    lines = [f"Rank 1 differs by {t.name} (p = {t.corrected:.2g} after Holm)." for t in differ]
    same = [t.name for t in result.subgroups if t.verdict == "no difference shown"]
    return lines + ([f"No difference shown by {', '.join(same)}."] if same else [])


def _caption(result: StudyResult) -> str:
    lines = [
        f"Article: {ARTICLE.citation}; {ARTICLE.direction}, {ARTICLE.recogniser}; "
        "its intervals are computed here from its counts.",
        "Intervals: Wilson, 95 %. Failures to enrol count as misses.",
    ]
    if result.direction != ARTICLE.direction:
        lines.insert(0, f"This study's direction, {result.direction}, is not the article's.")
    if result.trivial_ranks:
        lines.append(
            f"* says nothing: the gallery holds only {result.gallery_size}, "
            "so that guessing does as well."
        )
    if result.gallery_scaling and result.gallery_scaling.larger:
        lines.append("Larger galleries are models; the interval spans both of them.")
    lines += _groups(result)
    if result.note:
        lines.insert(0, result.note)
    return "\n".join(lines)


def _cells(rate: Rate, trivial: bool) -> tuple[str, str]:
    mark = " *" if trivial else ""
    count = f"{round(rate.hits, 2):g} ({_percent(rate.rate)}){mark}"
    return count, f"{100 * rate.low:.1f}-{100 * rate.high:.1f} %"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
