"""``faceblind reconstruct``: look at the face that one scan gives away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from faceblind.cli.options import Force, Out, Quiet, Verbose


def reconstruct(
    scan: Annotated[
        Path, typer.Argument(metavar="SCAN", help="A scan: .nii.gz, .nii, .mgz, .mgh or .nrrd.")
    ],
    out: Out,
    force: Force = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Write the face of one scan, for a look.

    A mesh (PLY) and a sheet of renders (PNG). OUT becomes a folder that only you
    can open: what lies in it is a picture of a person.
    """
    import faceblind

    faceblind.reconstruct(scan, out, force=force)
    typer.echo(f"Face: {out}")
