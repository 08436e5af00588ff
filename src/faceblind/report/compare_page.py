"""The pages of ``compare``."""

from __future__ import annotations

from collections.abc import Mapping

from faceblind._version import software_versions
from faceblind.identification.paired import PairedDifference
from faceblind.identification.result import ARTICLE
from faceblind.report.charts import intervals
from faceblind.report.experiment_charts import RATE_COLUMNS
from faceblind.report.page import (
    PRIVATE_NOTE,
    Answer,
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
    text_table,
)
from faceblind.report.references import bibtex
from faceblind.report.study_page import SHAREABLE_NOTE, methods_section, settings_section
from faceblind.report.texts import count, counted, interval, percent
from faceblind.workflows.compare import NAMES, Comparison

_TITLE = "Are the same people found less often?"
_CHANGES = {
    (True, True): "found in both",
    (True, False): "no longer found",
    (False, True): "newly found",
    (False, False): "not found",
}
_KEYS = ("faceblind", "schwarz2019", "wilson1927", "mcnemar1947", "bonett2012")


def compare_page(result: Comparison, hashes: Mapping[str, str] | None = None) -> Page:
    """The page for everybody.

    Parameters
    ----------
    result : Comparison
    hashes : mapping of str to str, optional
        SHA-256 of result files, by name.
    """
    answer = Answer(_sentence(result), _beside(result))
    return Page(_TITLE, "shareable", SHAREABLE_NOTE, answer, _sections(result, hashes or {}))


def private_compare_page(result: Comparison, hashes: Mapping[str, str] | None = None) -> Page:
    """The page for the owner of the scans: with both ranks of each person.

    Parameters
    ----------
    result : Comparison
    hashes : mapping of str to str, optional
        As for `compare_page`.
    """
    page = compare_page(result, hashes)
    people = Section("Each person", (_people(result),))
    return Page(page.title, "private", PRIVATE_NOTE, page.answer, (people, *page.sections))


def _sentence(result: Comparison) -> str:
    one = result.differences[0]
    first, second = result.names
    before = (
        f"{first[:1].upper()}{first[1:]}: {counted(one.a, 'people')} were found at the first guess"
    )
    after = f"{count(one.b.hits)} of {one.b.n} ({percent(one.b.rate)}, {interval(one.b)})"
    article = ARTICLE.rank1
    return (
        f"{before}; {second}: {after}, a difference of {_change(one)}. The article of 2019 found "
        f"{count(article.hits)} of {article.n} ({percent(article.rate)}, {interval(article)})."
    )


def _change(one: PairedDifference) -> str:
    ends = f"95 % interval {100 * one.low:+.0f} to {100 * one.high:+.0f}"
    p = "p < 0.001" if one.p_value < 0.001 else f"p = {one.p_value:.2g}"
    return f"{100 * one.difference:+.0f} points ({ends}; {p})".replace("-", "−")


def _beside(result: Comparison) -> Chart:
    one = result.differences[0]
    labels = (*result.names, "Schwarz et al. 2019")
    rates = (one.a, one.b, ARTICLE.rank1)
    rows = tuple(
        (Cell(label), Cell(str(rate.n), rate.n), *rate_cells(rate))
        for label, rate in zip(labels, rates, strict=True)
    )
    return Chart(
        "Found at the first guess",
        f"Dots: shares; bars: 95 % intervals (Wilson). Article: {ARTICLE.citation}.",
        intervals("answer", labels, rates, ("first", "third", "second")),
        Table("answer", "Rank 1", ("study", "people", *RATE_COLUMNS), rows),
    )


def _sections(result: Comparison, hashes: Mapping[str, str]) -> tuple[Section, ...]:
    notes = [Notice(text) for text in result.notes]
    left = result.only_in_a + result.only_in_b
    failures = (
        f"{left} people are in one study only ({result.only_in_a} in A, {result.only_in_b} in B) "
        "and are left out. People who could not be enrolled count as not found."
        if left
        else "The same people are in both studies. Who could not be enrolled counts as not found."
    )
    unlike = [(name, str(a), str(b)) for name, (a, b) in result.unlike.items()]
    blocks = (text_table("unlike", "What else differs", ("setting", *result.names), unlike),)
    versions = software_versions()
    return (
        Section("Before you read on", tuple(notes)),
        Section("Rates and differences", (*_letters(result), _ranks_chart(result), _table(result))),
        Section("What else differs between the studies", blocks if unlike else ()),
        Section("Failures", (Text(failures),)),
        Section(
            "What was not tested",
            (
                Items(
                    (
                        "Other recognisers, directions and larger galleries: see the studies' own "
                        "reports.",
                        "Whether a difference comes from the protection or from something else "
                        "that differs between the studies.",
                    )
                ),
            ),
        ),
        methods_section(_methods(result, versions["faceblind"]), bibtex(_KEYS)),
        Section("Limits", (Text(_limits(result)),)),
        settings_section({"direction": result.direction}, versions, hashes),
    )


def _letters(result: Comparison) -> tuple[Text, ...]:
    """Which is A and which is B, where their names do not say it."""
    if result.names == NAMES:
        return ()
    first, second = result.names
    return (Text(f"A is: {first}. B is: {second}."),)


def _ranks_chart(result: Comparison) -> Chart:
    labels, rates, roles = [], [], []
    for one in result.differences:
        where = "rank 1" if one.rank == 1 else f"first {one.rank}"
        labels += [f"A, {where}", f"B, {where}"]
        rates += [one.a, one.b]
        roles += ["first", "third"]
    rows = tuple(
        (Cell(label), *rate_cells(rate)) for label, rate in zip(labels, rates, strict=True)
    )
    return Chart(
        "Found within each rank",
        "Dots: shares; bars: 95 % intervals (Wilson), which do not know that the people are the "
        "same. The differences below do.",
        intervals("rates", labels, rates, roles),
        Table("rates", "Found within each rank", ("study, rank", *RATE_COLUMNS), rows),
    )


def _table(result: Comparison) -> Table:
    rows = tuple(
        (
            Cell(str(one.rank), one.rank),
            *(
                Cell(f"{100 * value:+.1f}", round(100 * value, 6))
                for value in (one.difference, one.low, one.high)
            ),
            *(Cell(str(n), n) for n in (one.both, one.only_a, one.only_b, one.neither)),
            number(one.p_value, ".2g"),
        )
        for one in result.differences
    )
    columns = (
        "within rank", "B − A, points", "95 % low", "95 % high", "found in both", "A only",
        "B only", "neither", "p (McNemar)",
    )  # fmt: skip
    return Table("differences", "Differences, person by person", columns, rows)


def _methods(result: Comparison, version: str) -> str:
    return (
        f"The same {len(result.people)} people were searched for ({result.direction}) in two "
        f"studies, which were compared person by person with faceblind {version}. Rates have "
        "Wilson's 95 % intervals. Differences have a 95 % bootstrap interval over people, to whom "
        "one found in either study only is added (after Bonett and Price), and McNemar's exact "
        "two-sided test."
    )


def _limits(result: Comparison) -> str:
    one = result.differences[0]
    return (
        "The figures hold for these people and this recogniser. That fewer are found is no proof "
        f"that nobody can be: the true rate of B may be as high as {percent(one.b.high)}. "
        "They are evidence for a judgement of risk; they are no legal judgement, neither of the "
        "HIPAA Safe Harbor nor of the GDPR."
    )


def _people(result: Comparison) -> Table:
    rows = []
    people = zip(result.people, result.ranks_a, result.ranks_b, strict=True)
    for person, a, b in people:
        status = _CHANGES[a < 2, b < 2]
        tone = "fail" if b < 2 else "pass"
        rows.append((Cell(person), Cell(status, tone=tone), number(a), number(b)))
    columns = ("person", "first guess", "rank in A", "rank in B")
    caption = "Each person's rank in both studies; n/a: no search could be made."
    return Table("people", caption, columns, tuple(rows), searchable=True)
