"""What ``faceblind study`` and ``faceblind link`` say of their results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from faceblind.cli.verb import DONE, FAILED, say

if TYPE_CHECKING:
    from faceblind.identification.result import StudyResult


def report(result: StudyResult, out: Path) -> int:
    """Write the pages; print the table, where the files lie, and who failed.

    Parameters
    ----------
    result : StudyResult
    out : Path
        The folder of results.

    Returns
    -------
    int
        The exit code.
    """
    from rich.console import Console

    import faceblind
    from faceblind.cli.result_table import result_table

    Console().print(result_table(result))
    typer.echo(f"Results: {out / 'summary.json'}, {out / 'cmc.tsv'}")
    typer.echo(f"Report: {faceblind.write_report(result, out)}")
    failed = [person for person in result.ranks if person.failure]
    for person in failed:
        say(f"failed: {person.person}: {person.failure}")
    return FAILED if failed else DONE
