"""Options that verbs share, so that they read and behave alike everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NJobs = Annotated[
    int,
    typer.Option("--n-jobs", "-j", help="Processes; -1 takes all processors.", min=-1),
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
