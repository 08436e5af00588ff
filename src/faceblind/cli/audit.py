"""``faceblind audit``: is the face really gone?"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceblind.cli.options import Force, NJobs, Quiet, Recogniser, Verbose
from faceblind.cli.verb import DONE, FAILED, GATE, one_line, quick_imports, say

if TYPE_CHECKING:
    from faceblind.workflows.audit_report import AuditReport


class Form(StrEnum):
    """What is printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    tsv = "tsv"


def audit(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A scan, a folder or a BIDS dataset.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for audit.tsv and report.html.", file_okay=False),
    ] = None,
    originals: Annotated[
        Path | None, typer.Option("--originals", help="Folder of the scans before protection.")
    ] = None,
    photos: Annotated[
        Path | None, typer.Option("--photos", help="Table of photographs with consent.")
    ] = None,
    fail_above: Annotated[
        float,
        typer.Option("--fail-above", help="Share of scans that may miss a pass.", min=0, max=1),
    ] = 0.0,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="PATTERN",
            help="Files in PATH that need not be examined, such as 'sourcedata/' or '*.mif' "
            "(repeatable). Scans that can be read are examined all the same.",
        ),
    ] = None,
    form: Annotated[
        Form,
        typer.Option(
            "--format", help="What to print: words, or SARIF 2.1.0, JSON or TSV and nothing else."
        ),
    ] = Form.text,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    recogniser: Recogniser = "sface-map",
    n_jobs: NJobs = -1,
    force: Force = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Attack protected scans and say what still leaks.

    Exit codes: 0 all pass and nothing was left unseen, 3 some fail, are unsure or are not examined,
    1 some file could not be used, 2 usage.
    """
    with quick_imports():
        import faceblind
        from faceblind.attacks.reasons import public_texts
        from faceblind.attacks.unexamined import in_lines

        examine_all = faceblind.audit
    report = examine_all(
        path,
        out,
        originals=originals,
        photos=photos,
        fail_above=fail_above,
        ignore=ignore or (),
        recogniser=recogniser,
        n_jobs=n_jobs,
        force=force,
    )
    page = faceblind.write_report(report, out, n_jobs=n_jobs) if out is not None else None
    if as_json or form != Form.text:
        typer.echo(_printed(report, Form.json if as_json else form), nl=False)
        for remark in report.remarks:
            say(remark)
    else:
        for verdict in report.verdicts:
            line = f"{verdict.status:6}  {verdict.path}: {'; '.join(public_texts(verdict.reasons))}"
            typer.echo(one_line(line))
            for advice in verdict.advice:
                typer.echo(f"        do: {advice}")
        for line in in_lines(report.not_examined):
            typer.echo(one_line(line))
        for untested in sorted({u for verdict in report.verdicts for u in verdict.not_tested}):
            typer.echo(f"not tested: {untested}")
        for remark in report.remarks:
            typer.echo(remark)
        if out is not None:
            typer.echo(f"Results: {out / 'audit.tsv'}")
            typer.echo(f"Report: {page}")
    for verdict in report.failed:
        say(f"failed: {verdict.path}: {verdict.error}")
    for reason in report.unlinked:
        say(f"failed: {reason}")
    if report.failed or report.unlinked:
        return FAILED
    return DONE if report.passed else GATE


def _printed(report: AuditReport, form: Form) -> str:
    """The verdicts in a form for other programs."""
    from faceblind.workflows.audit_formats import sarif, tsv

    if form == Form.tsv:
        return tsv(report)
    content = sarif(report) if form == Form.sarif else report.as_list()
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
