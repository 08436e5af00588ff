"""``faceblind status``: how far a run over a dataset is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from faceblind.cli.options import Quiet, Verbose
from faceblind.cli.verb import DONE, say


def status(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="OUTPUT_DIR of 'faceblind bids'.")],
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Say what a run over a dataset has done, what failed and what is left."""
    from faceblind.workflows.bids.status import run_status

    found = run_status(out)
    total = sum(found.sessions.values())
    finished = total - found.left
    typer.echo(f"Sessions: {finished} of {total} finished, {found.running} worked on now")
    for state, count in sorted(found.sessions.items()):
        typer.echo(f"  {state}: {count}")
    typer.echo(f"Scans: {sum(found.scans.values())}")
    for state, count in sorted(found.scans.items()):
        typer.echo(f"  {state}: {count}")
    if found.seconds:
        typer.echo(f"{found.seconds:.0f} s for each session")
    if found.left_s is not None:
        typer.echo(f"About {found.left_s / 60:.0f} minutes left")
    for scan in found.absent:
        say(f"not public: {scan.source}: {scan.status}: {scan.reason}")
    return DONE
