"""Options that verbs share, so that they read and behave the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Face(StrEnum):
    """Which face of a scan is shown."""

    completed = "completed"
    as_is = "as-is"


def _at_least_one(count: int) -> int:
    if count == 0:
        raise typer.BadParameter("no process does no work; give 1 or more, or -1 for all")
    return count


NJobs = Annotated[
    int,
    typer.Option(
        "--n-jobs",
        "-j",
        help="Processes; -1 takes all processors.",
        min=-1,
        callback=_at_least_one,
    ),
]
Recogniser = Annotated[
    str, typer.Option("--recogniser", help="sface-map, sface, dlib, or the path of an ONNX file.")
]
Variant = Annotated[
    Face,
    typer.Option(
        "--variant", help="Faces with what the field of view cut filled in, or as they are."
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Start of the random numbers.", min=0)]
Force = Annotated[
    bool, typer.Option("--force", help="Accept an output folder that holds other files.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say more; show where an unexpected error arose.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and results.")]
Out = Annotated[
    Path, typer.Argument(metavar="OUT", help="A new folder.", file_okay=False, show_default=False)
]
