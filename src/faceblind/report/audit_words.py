"""What is said in words of an audit."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.verdict import ANONYMITY, Verdict
from faceblind.identification.intervals import Rate
from faceblind.identification.result import ARTICLE
from faceblind.report.references import bibtex, of_recogniser
from faceblind.report.texts import count, counted, interval, percent
from faceblind.workflows.audit_report import AuditReport

KINDS = {
    "face_remains": "a face remains, openly or under a fill",
    "feature_in_view": "a region of the face is in view",
    "blurred": "the face is only blurred",
    "mislaid": "the protection lies elsewhere than the face",
    "parallel": "a surface runs parallel to the face",
    "ears": "ears remain",
    "detector": "a face detector finds a face",
    "perhaps_average": "a face that may be another tool's average",
    "wrapped": "a part of the face may be wrapped around",
    "brain_changed": "the brain was altered",
    "brain_empty": "a part of the brain is empty",
    "metadata": "metadata identify or may identify",
    "recognised": "the person was recognised by linking",
    "no_head": "no head was found",
    "unreadable": "the scan could not be read",
    "session": "another series of the session shows the face",
    "mask_outline": "a mask may show the outline of a face",
    "not_examined": "no attack looks at such files",
}
"""Kinds of reasons against a pass, in words."""


def tally(report: AuditReport) -> Counter[str]:
    """Scans by status.

    Parameters
    ----------
    report : AuditReport
    """
    return Counter(verdict.status for verdict in report.verdicts)


def passed_rate(report: AuditReport) -> Rate:
    """Scans that passed, with Wilson's interval.

    Parameters
    ----------
    report : AuditReport
    """
    return Rate.of(tally(report)["pass"], len(report.verdicts))


def linked(report: AuditReport) -> dict[str, Rate]:
    """Of scans that were searched among originals or photographs, those that came first.

    Parameters
    ----------
    report : AuditReport

    Returns
    -------
    dict of str to Rate
        By what they were searched among; empty where nothing was.
    """
    found = {}
    for against in ("originals", "photographs"):
        links = [
            link
            for verdict in report.verdicts
            if verdict.findings
            for link in verdict.findings.links
            if link.against == against
        ]
        if links:
            found[against] = Rate.of(sum(link.rank < 2 for link in links), len(links))
    return found


def answer(report: AuditReport) -> str:
    """The verdict of all scans in a sentence.

    Parameters
    ----------
    report : AuditReport
    """
    counts = tally(report)
    others = [f"{counts['fail']} fail", f"{counts['unsure']} are unsure"]
    if report.not_examined:
        others.append(f"{len(report.not_examined)} other files were not examined")
    text = (
        f"{counted(passed_rate(report), 'scans')} withstood every attack that was made; "
        f"{', '.join(others)}."
    )
    rates = linked(report)
    if rates:
        texts = [f"{counted(rate, 'scans')} among {name}" for name, rate in rates.items()]
        text += f" Recognised: {'; '.join(texts)}."
    return text


def article() -> str:
    """What intact scans gave away in the article."""
    rate = ARTICLE.rank1
    return (
        f"For comparison: of intact scans {count(rate.hits)} of {rate.n} ({percent(rate.rate)}, "
        f"{interval(rate)}) were matched to their owner's photograph ({ARTICLE.citation})."
    )


def gate(report: AuditReport) -> str:
    """Whether the gate is open.

    Parameters
    ----------
    report : AuditReport
    """
    is_open = "The gate is open" if report.passed else "The gate stays shut"
    return (
        f"{is_open}: {percent(report.not_passed)} of scans did not pass, "
        f"{percent(report.fail_above)} are tolerated (--fail-above), and "
        f"{len(report.not_examined)} files were not examined."
    )


def reasons_against(verdict: Verdict) -> tuple[str, ...]:
    """Kinds of reasons why a scan did not pass, each once.

    Parameters
    ----------
    verdict : Verdict
    """
    if verdict.status == "pass":
        return ()
    return tuple(dict.fromkeys(r.kind for r in verdict.reasons if r.kind in KINDS))


def not_tested(report: AuditReport) -> tuple[str, ...]:
    """What was not tried, and on how many scans.

    Parameters
    ----------
    report : AuditReport
    """
    counts = Counter(text for verdict in report.verdicts for text in verdict.not_tested)
    total = len(report.verdicts)
    found = [f"{text}: {n} of {total} scans" for text, n in counts.items()]
    found += [
        "Attackers who train a network to rebuild faces from what is left.",
        "Whether brain or skull alone link scans of one person.",
    ]
    return tuple(found)


def methods(report: AuditReport, versions: dict[str, str], recogniser: str | None) -> str:
    """A paragraph for a paper.

    Parameters
    ----------
    report : AuditReport
    versions : dict of str to str
        Of the software.
    recogniser : str or None
        What linked.
    """
    others = ", ".join(f"{name} {text}" for name, text in versions.items() if name != "faceblind")
    text = (
        f"{len(report.verdicts)} scans were audited with faceblind {versions['faceblind']} "
        f"({others}). The average head was registered to each scan. Attacks looked for skin and "
        "for surfaces parallel to it in eight regions of the face, took off constant, smooth and "
        "noisy fills, undid darkening and blur, searched later volumes and wrapped pieces, ran a "
        "face detector on 81 renders, and read headers and sidecars. A scan fails from "
        f"{percent(SETTINGS.fail_remaining)} of a recognisable face and passes below "
        f"{percent(SETTINGS.pass_remaining)}; between the two it is unsure."
    )
    if recogniser:
        text += (
            f" Scans were linked to other pictures of the same people by {recogniser}; ranks count "
            "from ten people on."
        )
    return text + " Intervals are Wilson's, 95 %."


def citations(recogniser: str | None) -> str:
    """BibTeX of what the page cites.

    Parameters
    ----------
    recogniser : str or None
    """
    keys = ["faceblind", "schwarz2019", "wilson1927"]
    return bibtex([*keys, *(of_recogniser(recogniser) if recogniser else ())])


def limits(report: AuditReport) -> str:
    """A paragraph on what a pass does not say.

    Parameters
    ----------
    report : AuditReport
    """
    total = len(report.verdicts)
    missed = Rate.of(total - tally(report)["pass"], total)
    linkable = f" {report.linkable}" if report.linkable else ""
    return (
        f"{ANONYMITY} (arXiv:2602.10043){linkable} A pass says that these attacks did not find a "
        "face, not that none can. By chance alone the true share of scans that would not pass may "
        f"be as high as {percent(missed.high)}. Verdicts are about scans; whether a data set may "
        "be shared, under the HIPAA Safe Harbor, the GDPR or an agreement, is no question that "
        "they answer."
    )


def bounds() -> dict[str, float]:
    """The bounds of the verdict, by name."""
    return {one.name: getattr(SETTINGS, one.name) for one in fields(SETTINGS)}
