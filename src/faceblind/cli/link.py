"""``faceblind link``: do two scans of one person find each other?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from faceblind.cli.options import Force, NJobs, Out, Quiet, Verbose
from faceblind.cli.verb import DONE, FAILED


class Matching(StrEnum):
    """How scans are compared."""

    fused = "fused"
    centred = "centred"
    nearest = "nearest"


class Variant(StrEnum):
    """Which face the recogniser sees."""

    completed = "completed"
    as_is = "as-is"


def link(
    probes: Annotated[
        Path, typer.Argument(metavar="PROBES", help="Folder of scans to search for.")
    ],
    gallery: Annotated[
        Path, typer.Argument(metavar="GALLERY", help="Folder of scans to search among.")
    ],
    out: Out,
    recogniser: Annotated[
        str, typer.Option("--recogniser", help="sface, dlib, or the path of an ONNX file.")
    ] = "sface",
    matching: Annotated[
        Matching, typer.Option("--matching", help="fused compares renders and surfaces.")
    ] = Matching.fused,
    variant: Annotated[
        Variant, typer.Option("--variant", help="The face that the recogniser sees.")
    ] = Variant.completed,
    n_jobs: NJobs = -1,
    force: Force = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Search scans among other scans of the same people.

    Any contrasts; people are matched by their sub- labels. Figures go to OUT, ranks per person
    to OUT/private, which only you can open.
    """
    from rich.console import Console

    import faceblind
    from faceblind.evaluation.result import result_table

    result = faceblind.link(
        probes,
        gallery,
        out,
        recogniser=recogniser,
        matching=matching.value,
        variant=variant.value,
        n_jobs=n_jobs,
        force=force,
    )
    Console().print(result_table(result))
    typer.echo(f"Results: {out / 'summary.json'}, {out / 'cmc.tsv'}")
    failed = [person for person in result.ranks if person.failure]
    for person in failed:
        typer.echo(f"failed: {person.person}: {person.failure}", err=True)
    return FAILED if failed else DONE
