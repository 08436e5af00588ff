"""``faceblind doctor``: what this installation can do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from faceblind.cli.options import Verbose
from faceblind.cli.verb import DONE, FAILED, one_line

_MARKS = {"ok": "ok   ", "note": "note ", "fault": "FAULT"}


def doctor(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where results would go; its free space is told.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    verbose: Verbose = False,
) -> int:
    """Say what this installation can do, and what is missing."""
    from faceblind.workflows.doctor import examine_installation

    checks = examine_installation(folder)
    if as_json:
        typer.echo(json.dumps([check.as_dict() for check in checks], indent=2, ensure_ascii=False))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            advice = f" -> {check.advice}" if check.advice else ""
            line = f"{_MARKS[check.kind]}  {check.name:{width}}  {check.found}{advice}"
            typer.echo(one_line(line))
    return FAILED if any(check.kind == "fault" for check in checks) else DONE
