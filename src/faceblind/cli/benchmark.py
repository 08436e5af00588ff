"""``faceblind benchmark``: one league table of defacing methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from faceblind.cli.options import Face, Force, NJobs, Out, Quiet, Verbose
from faceblind.cli.verb import DONE, FAILED, say

if TYPE_CHECKING:
    from rich.table import Table

    from faceblind.workflows.benchmark_result import BenchmarkResult


def benchmark(
    out: Out,
    n: Annotated[
        int, typer.Option("-n", "--number", help="How many people of the cohort.", min=4)
    ] = 12,
    peer: Annotated[
        list[str] | None,
        typer.Option(
            "--peer",
            metavar="NAME=COMMAND",
            help="A further tool, such as 'mine=mytool {source} {target}', or with {brain} for the "
            "path of a brain mask; repeat it for more.",
        ),
    ] = None,
    recogniser: Annotated[
        list[str] | None,
        typer.Option(
            "--recogniser",
            help="sface-map, sface, dlib, or the path of an ONNX file; repeat it for more.",
            show_default="all that are installed",
        ),
    ] = None,
    variant: Annotated[
        list[Face] | None,
        typer.Option(
            "--variant",
            help="Faces with what is missing filled in, or as they are; repeat it for both.",
            show_default="completed",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", help="Seconds that a tool may take for a scan.", min=1)
    ] = 1200.0,
    n_jobs: NJobs = -1,
    force: Force = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Compare defacing methods in one league table.

    Protects the same synthetic people by deface, reface and every other tool on the search path
    (niimath, quickshear, pydeface, RadVeil, deepdefacer), and searches for them by their
    photographs, their originals and a second protected series.

    Figures go to OUT; scans, photographs and ranks of people go to OUT/private.
    """
    from rich.console import Console

    import faceblind

    result = faceblind.benchmark(
        out,
        n,
        peers=peer or (),
        recognisers=recogniser,
        variants=[one.value for one in variant or [Face.completed]],
        timeout_s=timeout,
        n_jobs=n_jobs,
        force=force,
    )
    Console().print(league_table(result))
    files = ", ".join(str(out / f"league.{kind}") for kind in ("csv", "md", "json"))
    typer.echo(f"Results: {files}")
    typer.echo(f"Report: {faceblind.write_report(result, out)}")
    for method in result.methods:
        for scan, why in method.failures:
            say(f"failed: {method.name}: {scan}: {why}")
    return FAILED if any(method.failed for method in result.methods) else DONE


def league_table(result: BenchmarkResult) -> Table:
    """The league as a table for the terminal.

    Parameters
    ----------
    result : BenchmarkResult
    """
    from rich.table import Table
    from rich.text import Text

    from faceblind.workflows.benchmark_outputs import LEAGUE_HEADINGS, league_cells

    lines = [
        result.note,
        "Found at the first guess by the strongest attack, 95 % interval (Wilson).",
        *(f"Not run: {one.name}: {one.why}." for one in result.missing),
    ]
    table = Table(
        title=Text(f"{result.people} synthetic people"),
        caption=Text("\n".join(lines)),
        caption_justify="left",
    )
    for heading in LEAGUE_HEADINGS:
        table.add_column(heading)
    for row in league_cells(result):
        table.add_row(*map(Text, row))
    return table
