"""The pages of ``study`` and ``link``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from faceblind.identification import metrics
from faceblind.identification.intervals import Rate
from faceblind.identification.result import ARTICLE, StudyResult
from faceblind.report import experiment_words as words
from faceblind.report.experiment_charts import (
    beside_article,
    cmc_chart,
    open_set_chart,
    rank_histogram,
    scaling_chart,
    subgroup_chart,
)
from faceblind.report.page import (
    PRIVATE_NOTE,
    Album,
    Answer,
    Block,
    Cell,
    Code,
    Items,
    Notice,
    Page,
    Section,
    Table,
    Text,
    flat,
    number,
    share,
    text_table,
)
from faceblind.report.texts import count, interval

TITLES = {"scan-to-scan": "Can scans of one person be linked?"}
SHAREABLE_NOTE = (
    "Shareable: this page shows no face, names nobody and gives no figure of any one person."
)


def study_page(result: StudyResult, hashes: Mapping[str, str] | None = None) -> Page:
    """The page for everybody.

    Parameters
    ----------
    result : StudyResult
    hashes : mapping of str to str, optional
        SHA-256 of result files, by name.
    """
    title = TITLES.get(result.direction, "Can these people be found by the faces in their scans?")
    return Page(
        title, "shareable", SHAREABLE_NOTE, _answer(result), _sections(result, hashes or {})
    )


def private_study_page(
    result: StudyResult,
    hashes: Mapping[str, str] | None = None,
    albums: Sequence[Album] = (),
    flags: Mapping[str, str] | None = None,
) -> Page:
    """The page for the owner of the scans: with results of each person.

    Parameters
    ----------
    result : StudyResult
    hashes : mapping of str to str, optional
        As for `study_page`.
    albums : sequence of Album
        Pictures of people.
    flags : mapping of str to str, optional
        Remarks on people's photographs.
    """
    page = study_page(result, hashes)
    people = Section("Each person", (_people(result, flags or {}),))
    pictures = Section("Pictures", tuple(albums))
    return Page(
        page.title, "private", PRIVATE_NOTE, page.answer, (people, pictures, *page.sections)
    )


def _answer(result: StudyResult) -> Answer:
    return Answer(words.answer(result), beside_article(result))


def _sections(result: StudyResult, hashes: Mapping[str, str]) -> tuple[Section, ...]:
    beyond: list[Block] = []
    if result.open_set:
        beyond.append(open_set_chart(result.open_set))
    if result.gallery_scaling:
        beyond.append(scaling_chart(result.gallery_scaling))
    beyond += [Text(text) for text in words.prior_knowledge(result)]
    groups = subgroup_chart(result)
    failures = (
        f"{result.failed_to_enrol} of {len(result.ranks)} people could not be searched for, "
        "because their scan or photographs gave no usable face. They count as not found."
        if result.failed_to_enrol
        else "Everybody could be searched for."
    )
    return (
        Section("Before you read on", tuple(map(Notice, words.cautions(result)))),
        Section("Figures beside the article's", (_figures(result),)),
        Section("Ranks", (cmc_chart(result), rank_histogram(result)) if result.cmc else ()),
        Section("Beyond this gallery", tuple(beyond)),
        Section("Groups of people", (groups,) if groups else ()),
        Section("Failures", (Text(failures),)),
        Section("What was not tested", (Items(words.not_tested(result)),)),
        methods_section(words.methods(result), words.citations(result)),
        Section("Limits", (Text(words.limits(result)),)),
        settings_section(
            {"direction": result.direction, "recogniser": result.recogniser, **result.settings},
            result.versions,
            hashes,
        ),
    )


def methods_section(text: str, citations: str) -> Section:
    """Methods for a paper, with BibTeX.

    Parameters
    ----------
    text, citations : str
    """
    return Section("Methods, for a paper", (Text(text), Code("References as BibTeX", citations)))


def settings_section(
    settings: Mapping[str, object], versions: Mapping[str, str], hashes: Mapping[str, str]
) -> Section:
    """What repeats the result, and digests of the files that go with the page.

    Parameters
    ----------
    settings, versions, hashes : mapping
    """
    rows = [*flat(settings), *((f"version of {name}", text) for name, text in versions.items())]
    blocks: list[Block] = [
        text_table("settings", "Settings and versions", ("setting", "value"), rows)
    ]
    if hashes:
        caption = "SHA-256 of the files that this page goes with"
        blocks.append(text_table("hashes", caption, ("file", "SHA-256"), hashes.items()))
    return Section("Settings and hashes", tuple(blocks))


def _figures(result: StudyResult) -> Table:
    """The command line's table."""
    chance = metrics.chance_rate(1, ARTICLE.rank1.n)
    found: list[tuple[str, Rate, Rate | None]] = [
        ("found at rank 1", result.rank1, ARTICLE.rank1),
        ("found in first five", result.rank5, ARTICLE.rank5),
        ("found in first ten", result.rank10, None),
        ("not in first five", result.not_found, ARTICLE.not_found),
    ]
    here, there = str(len(result.ranks)), str(ARTICLE.rank1.n)
    empty = Cell("")
    rows = [
        (Cell("people searched"), Cell(here), empty, Cell(there), empty),
        (Cell("gallery"), Cell(str(result.gallery_size)), empty, Cell(there), empty),
    ]
    rows += [(Cell(label), *_pair(ours), *_pair(theirs)) for label, ours, theirs in found]
    rows += [
        (Cell("no face enrolled"), Cell(str(result.failed_to_enrol)), empty, empty, empty),
        (Cell("chance at rank 1"), share(result.chance_rank1), empty, share(chance), empty),
    ]
    columns = ("", "this study", "95 % interval", "article", "95 % interval, article")
    caption = f"Article: {ARTICLE.citation}. Its intervals are computed here from its counts."
    return Table("figures", caption, ("figure", *columns[1:]), tuple(rows))


def _pair(rate: Rate | None) -> tuple[Cell, Cell]:
    if rate is None:
        return Cell(""), Cell("")
    return Cell(f"{count(rate.hits)} ({100 * rate.rate:.1f} %)", rate.rate), Cell(interval(rate))


def _people(result: StudyResult, flags: Mapping[str, str]) -> Table:
    """One line for each person. Private."""
    rows = []
    for entry in result.ranks:
        status = "not searched" if entry.failure else "found" if entry.rank < 2 else "not found"
        tone = {"found": "fail", "not found": "pass", "not searched": "unsure"}[status]
        rows.append(
            (
                Cell(entry.person),
                Cell(status, tone=tone),
                number(entry.rank),
                Cell(str(entry.tied), entry.tied),
                number(entry.mate_score, ".4f"),
                number(entry.best_other_score, ".4f"),
                Cell(flags.get(entry.person, "")),
                Cell(entry.failure),
            )
        )
    columns = (
        "person", "first guess", "rank", "tied with", "own score", "best other score",
        "photographs", "why not searched",
    )  # fmt: skip
    caption = "Each person's search. Whoever is found can be recognised by this recogniser."
    return Table("people", caption, columns, tuple(rows), searchable=True)
