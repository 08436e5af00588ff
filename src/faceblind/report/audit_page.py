"""The pages of ``audit`` and of ``bids ... group``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from faceblind._version import software_versions
from faceblind.attacks.reasons import public_texts
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.surface import LOOKED_AT
from faceblind.attacks.verdict import LEAST_SEEN, Verdict
from faceblind.identification.intervals import Rate
from faceblind.identification.result import ARTICLE
from faceblind.report import audit_words as words
from faceblind.report.charts import intervals
from faceblind.report.experiment_charts import RATE_COLUMNS
from faceblind.report.face_diagram import face_diagram
from faceblind.report.page import (
    PRIVATE_NOTE,
    Answer,
    Block,
    Cell,
    Chart,
    FaceKey,
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
from faceblind.report.study_page import methods_section, settings_section
from faceblind.workflows.audit_report import AuditReport

SHAREABLE_NOTE = (
    "Shareable: this page shows no face and no person's ranks. It names scans as audit.tsv does."
)
_TITLE = "Is the face gone from these scans?"
_REPLACED = {"cut": "faceblind, removed", "face": "faceblind, average face"}
_COLUMNS = ("scan", "verdict", "face left", "regions", "why", "what to do", "protection")


def audit_page(
    report: AuditReport,
    recogniser: str | None = None,
    hashes: Mapping[str, str] | None = None,
    notices: Sequence[str] = (),
) -> Page:
    """The page for everybody.

    Parameters
    ----------
    report : AuditReport
    recogniser : str, optional
        What linked, if anything did.
    hashes : mapping of str to str, optional
        SHA-256 of result files, by name.
    notices : sequence of str
        What else must be known first.
    """
    answer = Answer(words.answer(report), _beside(report))
    sections = _sections(report, recogniser, hashes or {}, notices, private=False)
    return Page(_TITLE, "shareable", SHAREABLE_NOTE, answer, sections)


def private_audit_page(
    report: AuditReport,
    recogniser: str | None = None,
    hashes: Mapping[str, str] | None = None,
    notices: Sequence[str] = (),
    blocks: Sequence[Block] = (),
) -> Page:
    """The page for the owner of the scans: with pictures and ranks.

    Parameters
    ----------
    report : AuditReport
    recogniser, hashes, notices
        As for `audit_page`.
    blocks : sequence of Block
        Pictures of scans, before and after, and what else only the owner may read.
    """
    answer = Answer(words.answer(report), _beside(report))
    pictures = Section("Pictures and names", tuple(blocks))
    sections = _sections(report, recogniser, hashes or {}, notices, private=True)
    return Page(_TITLE, "private", PRIVATE_NOTE, answer, (*sections[:2], pictures, *sections[2:]))


def _beside(report: AuditReport) -> Chart:
    """Passed, and recognised where that was tested, beside the article's."""
    rates = {"passed the audit": words.passed_rate(report)}
    rates |= {f"recognised, {name}": rate for name, rate in words.linked(report).items()}
    rates["intact, article: recognised"] = ARTICLE.rank1
    rows = tuple(
        (Cell(label), Cell(str(rate.n), rate.n), *rate_cells(rate)) for label, rate in rates.items()
    )
    roles = ["first"] * (len(rates) - 1) + ["second"]
    return Chart(
        "These scans, and intact ones in the article",
        f"Dots: shares; bars: 95 % intervals (Wilson). Article: {ARTICLE.citation}.",
        intervals("answer", list(rates), list(rates.values()), roles),
        Table("answer", "Shares of scans", ("what", "scans", *RATE_COLUMNS), rows),
    )


def _sections(
    report: AuditReport,
    recogniser: str | None,
    hashes: Mapping[str, str],
    notices: Sequence[str],
    *,
    private: bool,
) -> tuple[Section, ...]:
    versions = software_versions()
    leaks: list[Block] = [one for one in (_kinds(report), _regions(report)) if one]
    failures: list[Block] = [
        text_table(
            "failures", "Scans that could not be read", ("scan", "why"),
            [(v.path, "; ".join(public_texts(v.reasons))) for v in report.failed],
        )
    ] if report.failed else [Text("Every scan could be read.")]  # fmt: skip
    if report.unlinked:
        lost = f"{len(report.unlinked)} originals or photographs could not be used for linking."
        failures.append(Text(lost))
        failures += [Items(report.unlinked)] if private else []
    first: list[Block] = [Notice(text) for text in (words.gate(report), *notices)]
    first.append(Text(words.article()))
    settings = {"fail_above": report.fail_above, "recogniser": recogniser, "bound": words.bounds()}
    ranks = _ranks(report) if private else None
    return (
        Section("Before you read on", tuple(first)),
        Section("Each scan", (FaceKey(), _scans(report, private=private))),
        Section("Ranks of people", (ranks,) if ranks else ()),
        Section("What leaks", tuple(leaks)),
        Section("Failures", tuple(failures)),
        Section("What was not tested", (Items(words.not_tested(report)),)),
        methods_section(words.methods(report, versions, recogniser), words.citations(recogniser)),
        Section("Limits", (Text(words.limits(report)),)),
        settings_section(settings, versions, hashes),
    )


def _scans(report: AuditReport, *, private: bool) -> Table:
    """One line for each scan, those that did not pass first."""
    order = {"fail": 0, "unsure": 1, "not_examined": 2, "pass": 3}
    verdicts = sorted((*report.verdicts, *report.not_examined), key=lambda v: order[v.status])
    rows = [_scan_row(verdict, private=private) for verdict in verdicts]
    for pattern, paths in report.ignored.items():
        why = Cell(f"named by --ignore {pattern}")
        empty = Cell("")
        rows += [
            (Cell(path), Cell("ignored", tone="ignored"), number(None), empty, why, empty, empty)
            for path in paths
        ]
    caption = (
        "Face left: how much of a recognisable person any attack gets, 0 to 1. "
        "The faces look at you: a person's left ear is on the right."
    )
    return Table("scans", caption, _COLUMNS, tuple(rows), searchable=True)


def _scan_row(verdict: Verdict, *, private: bool) -> tuple[Cell, ...]:
    found = verdict.findings
    texts = (
        tuple(reason.text for reason in verdict.reasons)
        if private
        else public_texts(verdict.reasons)
    )
    status = verdict.status.replace("_", " ")
    replaced = ""
    if found:
        maybe = "perhaps another tool's" if found.replaced_by_other else "none recognised"
        replaced = _REPLACED.get(found.replaced, maybe)
    shown = [
        f"{name} {one.shown:.2f}"
        for name, one in (found.regions.items() if found else ())
        if one.seen >= LEAST_SEEN
    ]
    drawing = face_diagram(found.regions) if found and found.regions else None
    return (
        Cell(verdict.path),
        Cell(status, tone=verdict.status),
        number(found.score if found else None, ".2f"),
        Cell("", "; ".join(shown), drawing=drawing),
        Cell("; ".join(texts)),
        Cell("; ".join(verdict.advice)),
        Cell(replaced),
    )


def _ranks(report: AuditReport) -> Table | None:
    """Ranks of each scan's person. Private."""
    rows = [
        (
            Cell(verdict.path),
            Cell(link.against),
            number(link.rank),
            Cell(str(link.gallery), link.gallery),
            Cell(link.variant),
            number(link.lead, ".2f"),
        )
        for verdict in report.verdicts
        if verdict.findings
        for link in verdict.findings.links
    ]
    columns = ("scan", "among", "rank", "of", "face", "lead")
    caption = "Where each scan's person stood. Lead: over the best other, in spreads of all scores."
    return Table("linking", caption, columns, tuple(rows), searchable=True) if rows else None


def _kinds(report: AuditReport) -> Table | None:
    """How many scans did not pass for each kind of reason."""
    counts = Counter(kind for v in report.verdicts for kind in words.reasons_against(v))
    if not counts:
        return None
    rows = tuple((Cell(words.KINDS[kind]), Cell(str(n), n)) for kind, n in counts.most_common())
    return Table("reasons", "Why scans did not pass; one may have several", ("why", "scans"), rows)


def _regions(report: AuditReport) -> Chart | None:
    """In how many scans each region shows."""
    rates, labels = [], []
    for name in LOOKED_AT:
        seen = [
            verdict.findings.regions[name]
            for verdict in report.verdicts
            if verdict.findings and name in verdict.findings.regions
        ]
        seen = [one for one in seen if one.seen >= LEAST_SEEN]
        if seen:
            labels.append(name)
            rates.append(Rate.of(sum(one.shown >= SETTINGS.shown for one in seen), len(seen)))
    if not rates:
        return None
    rows = tuple(
        (Cell(label), Cell(str(rate.n), rate.n), *rate_cells(rate))
        for label, rate in zip(labels, rates, strict=True)
    )
    return Chart(
        "Regions that show",
        f"Share of scans in which at least {100 * SETTINGS.shown:.0f} % of a region shows, as skin "
        "or as a surface parallel to it, of those that have it in the field of view. Bars: 95 % "
        "interval (Wilson). What faceblind itself put there does not count.",
        intervals("regions", labels, rates, ["first"] * len(rates)),
        Table("regions", "Regions that show", ("region", "in view", *RATE_COLUMNS), rows),
    )
