"""``faceblind link``: do two scans of one person find each other?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from faceblind.cli.experiment import report
from faceblind.cli.options import Face, Force, NJobs, Out, Quiet, Recogniser, Variant, Verbose


class Matching(StrEnum):
    """How scans are compared."""

    fused = "fused"
    centred = "centred"
    nearest = "nearest"


def link(
    probes: Annotated[
        Path, typer.Argument(metavar="PROBES", help="Folder of scans to search for.")
    ],
    gallery: Annotated[
        Path, typer.Argument(metavar="GALLERY", help="Folder of scans to search among.")
    ],
    out: Out,
    recogniser: Recogniser = "sface-map",
    matching: Annotated[
        Matching, typer.Option("--matching", help="fused compares renders and surfaces.")
    ] = Matching.fused,
    variant: Variant = Face.completed,
    n_jobs: NJobs = -1,
    force: Force = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Search scans among other scans of the same people.

    Any contrasts; people are matched by their sub- labels. Figures go to OUT, ranks per person
    to OUT/private, which only you can open.
    """
    import faceblind

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
    return report(result, out)
