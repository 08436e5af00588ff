"""The verdicts of one audit: counted, and written for everybody and for the owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faceblind._version import software_versions
from faceblind.attacks.reasons import public_texts
from faceblind.attacks.verdict import ANONYMITY, Verdict
from faceblind.datasets.census import ScanFile, session_of
from faceblind.display import table_html
from faceblind.identification.intervals import wilson_interval
from faceblind.system.outputs import PRIVATE, private_dir
from faceblind.system.tables import write_json, write_tsv

KEPT = "brain, cranium, neck, field of view and contrast, which protection keeps"
"""What links protected scans of one person. `bench/protected_links.py` says how often."""
COLUMNS = ("path", "status", "score", "reasons", "advice", "not_tested")
"""Of ``audit.tsv``."""


@dataclass(frozen=True, repr=False)
class AuditReport:
    """The verdicts of one audit.

    Parameters
    ----------
    verdicts : tuple of Verdict
        One for each scan, sorted as `faceblind.datasets.census.find_scans` does.
    fail_above : float
        Share of scans without a pass that is tolerated.
    remarks : tuple of str
        What holds for the whole audit.
    unlinked : tuple of str
        Originals and photographs that could not be used, each with the reason. Names people.
    not_examined : tuple of Verdict
        Other files that may show a head, of the status ``not_examined``, sorted by path.
    ignored : dict of str to tuple of str
        Patterns to the paths of files that would else be among `not_examined`.
    files : tuple of (Path, Path or None)
        Where the scan of each verdict lies, and its original, if one of the same name was given.
        Private.
    linkable : str
        What links the scans of one person to one another, if somebody has several; else empty.
    """

    verdicts: tuple[Verdict, ...]
    fail_above: float
    remarks: tuple[str, ...]
    unlinked: tuple[str, ...] = ()
    not_examined: tuple[Verdict, ...] = ()
    ignored: dict[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[tuple[Path, Path | None], ...] = ()
    linkable: str = ""

    def __repr__(self) -> str:
        counts = Counter(verdict.status for verdict in (*self.verdicts, *self.not_examined))
        told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        return f"AuditReport({told or 'nothing'}; gate {'passed' if self.passed else 'closed'})"

    def _repr_html_(self) -> str:
        counts = Counter(verdict.status for verdict in (*self.verdicts, *self.not_examined))
        rows: list[tuple[str, str]] = [(s, str(count)) for s, count in sorted(counts.items())]
        rows += [
            ("could not be read", str(len(self.failed))),
            ("originals and photographs not used", str(len(self.unlinked))),
            ("gate", "passed" if self.passed else "closed"),
        ]
        return table_html(rows, " ".join(self.remarks))

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """Scans that could not be read."""
        return tuple(verdict for verdict in self.verdicts if verdict.error)

    @property
    def not_passed(self) -> float:
        """Share of scans that did not pass, 0 to 1."""
        return sum(verdict.status != "pass" for verdict in self.verdicts) / len(self.verdicts)

    @property
    def passed(self) -> bool:
        """Whether the gate is passed: all was seen, and no more than `fail_above` did not pass."""
        return not self.not_examined and self.not_passed <= self.fail_above

    def as_list(self, *, private: bool = False) -> list[dict[str, Any]]:
        """What ``--json`` prints; `private` adds ranks, for the owner of the scans only."""
        every = (*self.verdicts, *self.not_examined)
        return [verdict.as_dict(private=private) for verdict in every]


def remarks(verdicts: Sequence[Verdict], linkable: str = "") -> tuple[str, ...]:
    """What is to be said once about all verdicts.

    Parameters
    ----------
    verdicts : sequence of Verdict
    linkable : str
        See `still_linkable`.
    """
    count = len(verdicts)
    bad = sum(verdict.status != "pass" for verdict in verdicts)
    _, high = wilson_interval(bad, count)
    return (
        ANONYMITY,
        f"{bad} of {count} scans did not pass; by chance alone the true rate may be as high as "
        f"{high:.0%} (Wilson, 95 %).",
        *((linkable,) if linkable else ()),
    )


def still_linkable(files: Sequence[ScanFile], base: Path) -> str:
    """What links protected scans of one person to one another, where somebody has several.

    Parameters
    ----------
    files : sequence of ScanFile
    base : Path
        Folder that was searched.

    Returns
    -------
    str
        One sentence or two; empty where nobody has several scans.
    """
    people: Counter[tuple[str, ...]] = Counter()
    for file in files:
        person, _, folder = session_of(file, base)
        people[person, folder] += 1
    several = sum(number > 1 for number in people.values())
    if not several:
        return ""
    return (
        f"{several} of {len(people)} people have several scans here. Protected scans of one person "
        f"can still be linked to one another, by {KEPT}, whatever their labels are."
    )


def table_rows(report: AuditReport) -> list[dict[str, Any]]:
    """The rows of ``audit.tsv``, with `COLUMNS`.

    Parameters
    ----------
    report : AuditReport
    """
    rows: list[dict[str, Any]] = [
        {
            "path": v.path,
            "status": v.status,
            "score": v.findings.score if v.findings else None,
            "reasons": "; ".join(public_texts(v.reasons)),
            "advice": "; ".join(v.advice),
            "not_tested": "; ".join(v.not_tested),
        }
        for v in (*report.verdicts, *report.not_examined)
    ]
    for pattern, paths in report.ignored.items():
        reason = f"named by --ignore {pattern}"
        rows += [{"path": path, "status": "ignored", "reasons": reason} for path in paths]
    return rows


def write_report(root: Path, report: AuditReport, recogniser: str | None) -> None:
    """Write ``audit.tsv`` and ``summary.json`` for everybody, ranks for the owner only.

    Parameters
    ----------
    root : Path
        An output root.
    report : AuditReport
    recogniser : str or None
        What linked, if anything did.
    """
    write_tsv(root / "audit.tsv", table_rows(report), COLUMNS)
    counts = [verdict.status for verdict in report.verdicts]
    summary: dict[str, Any] = {
        "scans": len(counts),
        **{status: counts.count(status) for status in ("pass", "fail", "unsure")},
        "failed": len(report.failed),
        "not_examined": len(report.not_examined),
        "ignored": {pattern: len(paths) for pattern, paths in report.ignored.items()},
        "not_linked": len(report.unlinked),
        "fail_above": report.fail_above,
        "passed": report.passed,
        "remarks": report.remarks,
        "recogniser": recogniser,
        "versions": software_versions(),
    }
    write_json(root / "summary.json", summary)
    private = private_dir(root / PRIVATE)
    write_json(private / "audit.json", report.as_list(private=True))
