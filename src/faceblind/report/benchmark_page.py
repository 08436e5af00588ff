"""The pages of ``benchmark``."""

from __future__ import annotations

from collections.abc import Mapping

from faceblind.identification.intervals import Rate
from faceblind.identification.result import ARTICLE
from faceblind.report.charts import intervals
from faceblind.report.experiment_charts import RATE_COLUMNS
from faceblind.report.page import (
    PRIVATE_NOTE,
    Answer,
    Block,
    Cell,
    Chart,
    Items,
    Notice,
    Page,
    Section,
    Table,
    Text,
    number,
    rate_cells,
    share,
    text_table,
)
from faceblind.report.references import bibtex
from faceblind.report.study_page import SHAREABLE_NOTE, methods_section, settings_section
from faceblind.report.texts import counted
from faceblind.workflows.benchmark_outputs import LEAGUE_HEADINGS, brain_cell
from faceblind.workflows.benchmark_result import SEARCHES, BenchmarkResult, MethodRun

_TITLE = "Which method hides faces best?"
_KEYS = ("faceblind", "schwarz2019", "wilson1927", "zhong2021", "king2009")
_WHERE = {
    "photo-to-scan": "Photographs searched among scans",
    "original-to-protected": "Original scans searched among protected ones",
    "protected-to-protected": "Another protected series searched among protected scans",
}


def benchmark_page(result: BenchmarkResult, hashes: Mapping[str, str] | None = None) -> Page:
    """The page for everybody.

    Parameters
    ----------
    result : BenchmarkResult
    hashes : mapping of str to str, optional
        SHA-256 of result files, by name.
    """
    answer = Answer(_sentence(result), _chart(result, SEARCHES[0], "answer"))
    return Page(_TITLE, "shareable", SHAREABLE_NOTE, answer, _sections(result, hashes or {}))


def private_benchmark_page(
    result: BenchmarkResult, hashes: Mapping[str, str] | None = None
) -> Page:
    """The page for whoever ran it: with failures by name and the ranks of each person.

    Parameters
    ----------
    result : BenchmarkResult
    hashes : mapping of str to str, optional
        As for `benchmark_page`.
    """
    page = benchmark_page(result, hashes)
    lost = [tuple(row.values()) for row in result.failures()]
    blocks: list[Block] = [_people(result)]
    if lost:
        columns = ("method", "scan", "why")
        blocks.append(text_table("failures", "Scans that were not protected", columns, lost))
    people = Section("Each person", tuple(blocks))
    return Page(page.title, "private", PRIVATE_NOTE, page.answer, (people, *page.sections))


def _sentence(result: BenchmarkResult) -> str:
    """Who is found by photographs: in intact scans, and by method."""
    parts = []
    for name in ("intact", "deface", "reface"):
        one = result.strongest(name, SEARCHES[0])
        if one is not None:
            where = "in intact scans" if name == "intact" else f"after {name}"
            parts.append(f"{counted(one.result.rank1, 'people')} {where}")
    others = [m.name for m in result.methods if m.name not in ("intact", "deface", "reface")]
    beside = f" Beside them: {', '.join(others)}." if others else " No other tool was run."
    found = "; ".join(parts) or "nobody could be searched for"
    return f"Synthetic people found by photographs at the first guess: {found}.{beside}"


def _chart(result: BenchmarkResult, search: str, name: str) -> Chart:
    labels, rates, roles = [], [], []
    for method in result.ranked():
        one = result.strongest(method.name, search)
        if one is not None:
            labels.append(method.name)
            rates.append(one.result.rank1)
            roles.append("first" if method.name in ("intact", "deface", "reface") else "third")
    if search == SEARCHES[0]:
        labels.append("real people, intact (2019)")
        rates.append(ARTICLE.rank1)
        roles.append("second")
    rows = tuple(
        (Cell(label), Cell(str(rate.n), rate.n), *rate_cells(rate))
        for label, rate in zip(labels, rates, strict=True)
    )
    beside = f" Real people: {ARTICLE.citation}." if search == SEARCHES[0] else ""
    return Chart(
        _WHERE[search],
        "Dots: shares found at the first guess by the strongest attack; bars: 95 % intervals "
        f"(Wilson). Fewer is better.{beside}",
        intervals(name, labels, rates, roles),
        Table(name, _WHERE[search], ("method", "people", *RATE_COLUMNS), rows),
    )


def _sections(result: BenchmarkResult, hashes: Mapping[str, str]) -> tuple[Section, ...]:
    charts = tuple(
        _chart(result, search, search)
        for search in SEARCHES[1:]
        if any(one.search == search for one in result.attacks)
    )
    missing = [(one.name, one.why) for one in result.missing]
    columns = ("method", "why")
    return (
        Section("Before you read on", (Notice(result.note),) if result.note else ()),
        Section("League table", (_league(result), _costs(result))),
        Section("Scans searched among scans", charts),
        Section("Published figures", (_published(result),)),
        Section("Failures", _failures(result)),
        Section(
            "Tools that were not run",
            (text_table("missing", "Known tools, and why not", columns, missing),)
            if missing
            else (),
        ),
        Section("All attacks", (_attacks(result),)),
        Section("What was not tested", (Items(_not_tested(result)),)),
        methods_section(_methods(result), bibtex(_KEYS)),
        Section("Limits", (Text(_limits(result)),)),
        settings_section(result.settings, result.versions, hashes),
    )


def _league(result: BenchmarkResult) -> Table:
    rows = []
    for row in result.league():
        found = tuple(_found(row[search]) for search in SEARCHES)
        rows.append((Cell(row["method"]), Cell(row["version"] or "–"), *found))
    return Table(
        "league",
        "Found at the first guess by the strongest attack, with 95 % interval; the best method "
        "by photographs comes first. In silico.",
        LEAGUE_HEADINGS[: 2 + len(SEARCHES)],
        tuple(rows),
    )


def _found(rate: Rate | None) -> Cell:
    if rate is None:
        return Cell("n/a", float("nan"))
    text = f"{round(rate.hits, 2):g} of {rate.n} ({100 * rate.low:.0f}–{100 * rate.high:.0f} %)"
    return Cell(text, rate.rate)


def _costs(result: BenchmarkResult) -> Table:
    rows = tuple(_cost(method) for method in result.ranked())
    columns = (
        "method", "protected", "of", "s", "CPU s", "peak MiB", "brain voxels changed",
        "on another grid",
    )  # fmt: skip
    return Table(
        "costs",
        "What protection costs: medians of the whole process for one scan, one at a time; voxels "
        "of the volunteers' true brains whose value changed, over all scans.",
        columns,
        rows,
    )


def _cost(one: MethodRun) -> tuple[Cell, ...]:
    voxels = float("nan") if one.brain_voxels is None else one.brain_voxels
    return (
        Cell(one.name),
        number(one.protected),
        number(one.scans),
        number(one.wall_s, ".1f"),
        number(one.cpu_s, ".1f"),
        number(one.peak_mb, ".0f"),
        Cell(brain_cell(one.brain_voxels, one.brain_scans), voxels),
        number(one.other_grid),
    )


def _published(result: BenchmarkResult) -> Table:
    rows = tuple(
        (
            Cell(one.method), Cell(one.material), Cell(one.search), Cell(one.recogniser),
            number(one.people), Cell(one.told(), one.rank1[0]), Cell(one.citation),
        )
        for one in result.published
    )  # fmt: skip
    columns = ("method", "material", "search", "recogniser", "people", "rank 1", "source")
    caption = (
        "Published, of real people, other scans and recognisers: to be set beside the league "
        "table, not to be ranked in it."
    )
    return Table("published", caption, columns, rows)


def _failures(result: BenchmarkResult) -> tuple[Block, ...]:
    lines = [
        f"{one.name}: {one.failed} of {one.scans} scans were not protected. They are left out of "
        "its searches, whose gallery is smaller."
        for one in result.methods
        if one.failed
    ]
    return (Items(tuple(lines)),) if lines else (Text("Every method protected every scan."),)


def _attacks(result: BenchmarkResult) -> Table:
    rows = tuple(
        (
            Cell(one.method), Cell(one.search), Cell(one.recogniser), Cell(one.face),
            Cell(one.matching), number(len(one.result.ranks)),
            *rate_cells(one.result.rank1), share(one.result.rank5.rate),
            number(one.result.failed_to_enrol),
        )
        for one in result.attacks
    )  # fmt: skip
    columns = (
        "method", "search", "recogniser", "face", "matching", "people", *RATE_COLUMNS,
        "first five", "not enrolled",
    )  # fmt: skip
    caption = "Every attack. Who could not be enrolled counts as not found."
    return Table("attacks", caption, columns, rows, searchable=True)


def _not_tested(result: BenchmarkResult) -> tuple[str, ...]:
    shown = result.settings.get("faces", ())
    other = [face for face in ("completed", "as-is") if face not in shown]
    return (
        "Real people, and scans of other scanners, contrasts and ages.",
        "Other recognisers, commercial ones above all, and attacks that undo a tool's own cut.",
        *(f"Faces shown {face}: add --variant {face}." for face in other),
        "Linking by brain shape, and what files say in words.",
        "What protection does to later processing, beyond voxels of the brain.",
    )


def _methods(result: BenchmarkResult) -> str:
    cohort = result.settings.get("cohort", {})
    tools = ", ".join(
        f"{one.name} {one.version}".strip() for one in result.methods if one.name != "intact"
    )
    version = result.versions.get("faceblind", "")
    return (
        f"{result.people} synthetic people (preset {cohort.get('preset')}, seed "
        f"{cohort.get('seed')}) were scanned in two series ({', '.join(cohort.get('series', ()))}) "
        f"and photographed five times each. Their scans were protected with {tools}, each as a "
        "program of its own, one scan at a time. faceblind "
        f"{version} searched for the people by {', '.join(result.settings.get('recognisers', ()))}:"
        " photographs among protected scans, originals among the same scans protected, and one "
        "protected series among the other. The league table names the attack that found most "
        "people. Rates have Wilson's 95 % intervals; people who could not be enrolled count as not "
        "found. Voxels of the true brain count as changed where they differ by more than a "
        "millionth of the scan's range."
    )


def _limits(result: BenchmarkResult) -> str:
    return (
        f"The figures are in silico, and {result.people} people tell methods apart only where the "
        "intervals are apart. The strongest of several attacks is picked on the same people, which "
        "favours the attack a little. Times hold for this machine. The figures are no legal "
        "judgement, neither of the HIPAA Safe Harbor nor of the GDPR."
    )


def _people(result: BenchmarkResult) -> Table:
    rows = []
    for method in result.ranked():
        for search in SEARCHES:
            one = result.strongest(method.name, search)
            for entry in one.result.ranks if one else ():
                why = Cell(entry.failure)
                person = (Cell(entry.person), Cell(method.name), Cell(search))
                rows.append((*person, number(entry.rank), why))
    columns = ("person", "method", "search", "rank", "why not searched")
    caption = "Each person's rank in the strongest attack of each search."
    return Table("people", caption, columns, tuple(rows), searchable=True)
