"""``faceblind volunteers``: synthetic people to try everything on."""

from __future__ import annotations

from typing import Annotated

import typer

from faceblind.cli.options import Force, NJobs, Out, Quiet, Seed, Verbose


def volunteers(
    out: Out,
    n: Annotated[int, typer.Option("-n", "--number", help="How many people.", min=1)] = 84,
    seed: Seed = 0,
    n_jobs: NJobs = -1,
    force: Force = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Make synthetic people to try it all on.

    A scan and five photographs each, and the truth about both. Nobody in them exists.
    The layout is the one that 'faceblind study' reads.
    """
    import faceblind

    faceblind.make_volunteers(out, n=n, seed=seed, n_jobs=n_jobs, force=force)
    typer.echo(f"Volunteers: {out / 'scans'}, {out / 'photos.tsv'}, {out / 'participants.tsv'}")
