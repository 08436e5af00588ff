"""The files of a report: one for everybody, one in the private folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from faceblind.errors import OutputError
from faceblind.identification.result import StudyResult
from faceblind.report.albums import people_albums, photograph_flags, scan_albums
from faceblind.report.audit_page import audit_page, private_audit_page
from faceblind.report.benchmark_page import benchmark_page, private_benchmark_page
from faceblind.report.bids_words import group_names, group_notices
from faceblind.report.compare_page import compare_page, private_compare_page
from faceblind.report.html import render_page
from faceblind.report.page import Page
from faceblind.report.study_page import private_study_page, study_page
from faceblind.system.files import atomic_path, file_digest
from faceblind.system.outputs import PRIVATE, private_dir
from faceblind.workflows.audit_report import AuditReport
from faceblind.workflows.benchmark_result import BenchmarkResult
from faceblind.workflows.bids.group import GroupReport
from faceblind.workflows.compare import Comparison
from faceblind.workflows.result_outputs import BEYOND

NAME = "report.html"
_OWNER_ONLY = 0o600
_RESULTS = (
    "summary.json", "cmc.tsv", *BEYOND, "audit.tsv", "compare.json", "compare.tsv",
    "league.csv", "league.md", "league.json",
)  # fmt: skip
"""Public files of all commands that a page may go with; an output folder may hold others."""


def write_report(
    result: StudyResult | AuditReport | GroupReport | Comparison | BenchmarkResult,
    out: str | Path,
    *,
    n_jobs: int = -1,
    show_progress: bool = True,
) -> Path:
    """Write a result as pages for people, beside the files that the command wrote.

    Parameters
    ----------
    result : StudyResult, AuditReport, GroupReport, Comparison or BenchmarkResult
        What `faceblind.study`, `faceblind.link`, `faceblind.audit`, `faceblind.compare` or
        `faceblind.benchmark` returned.
    out : path
        Their output folder.
    n_jobs : int
        Processes that make pictures for an audit's private page; -1 for all processors.
    show_progress : bool
        A bar on a terminal, log lines elsewhere.

    Returns
    -------
    Path
        ``report.html`` in `out`, which shows and names nobody (an audit's names scans, as
        ``audit.tsv`` does). ``private/report.html`` has pictures, names and ranks.

    Raises
    ------
    OutputError
        If a page cannot be written.
    """
    root = Path(out)
    private = private_dir(root / PRIVATE)
    hashes = _hashes(root)
    if isinstance(result, StudyResult):
        shown = study_page(result, hashes)
        people = people_albums(private, result.persons)
        kept = private_study_page(result, hashes, people, photograph_flags(private))
    elif isinstance(result, Comparison):
        shown, kept = compare_page(result, hashes), private_compare_page(result, hashes)
    elif isinstance(result, BenchmarkResult):
        shown, kept = benchmark_page(result, hashes), private_benchmark_page(result, hashes)
    else:
        audit = result.audit if isinstance(result, GroupReport) else result
        linked = _recogniser(root)
        pictures = scan_albums(audit, n_jobs=n_jobs, show_progress=show_progress)
        notices, names = group_notices(result), group_names(result)
        shown = audit_page(audit, linked, hashes, notices)
        kept = private_audit_page(audit, linked, hashes, notices, (*names, *pictures))
    write_page(kept, private / NAME)
    write_page(shown, root / NAME)
    return root / NAME


def write_page(page: Page, path: Path) -> None:
    """Write a page; one that is private can be read by its owner only.

    Parameters
    ----------
    page : Page
    path : Path

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    content = render_page(page).encode("utf-8")
    try:
        with atomic_path(path) as temporary:
            if page.audience == "private":
                # Closed before a byte is in it.
                os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))
            temporary.write_bytes(content)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); check space and permissions"
        ) from error


def _hashes(root: Path) -> dict[str, str]:
    """SHA-256 of the public results that lie beside a report."""
    return {name: file_digest(root / name) for name in _RESULTS if (root / name).is_file()}


def _recogniser(root: Path) -> str | None:
    """What linked the scans of an audit, as its summary says."""
    try:
        summary = json.loads((root / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    named = summary.get("recogniser") if isinstance(summary, dict) else None
    return named if isinstance(named, str) else None
