"""``faceblind compare``: are the same people found less often in one study than in another?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceblind.cli.options import Force, Quiet, Verbose

if TYPE_CHECKING:
    from rich.table import Table

    from faceblind.workflows.compare import Comparison


def compare(
    study_a: Annotated[
        Path, typer.Argument(metavar="STUDY_A", help="Results of a study, such as before.")
    ],
    study_b: Annotated[
        Path, typer.Argument(metavar="STUDY_B", help="Results on the same people, such as after.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="New folder for compare.json, compare.tsv and report.html."),
    ] = None,
    name_a: Annotated[
        str, typer.Option("--name-a", help="What reports call A, such as 'before protection'.")
    ] = "study A",
    name_b: Annotated[
        str, typer.Option("--name-b", help="What reports call B, such as 'after reface'.")
    ] = "study B",
    force: Force = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Compare two studies of the same people, person by person.

    Takes the folders of two runs of study, or of two runs of link, with the same photographs.
    Prints rates, the difference with its interval, and McNemar's exact test.
    """
    from rich.console import Console

    import faceblind

    result = faceblind.compare(study_a, study_b, out, names=(name_a, name_b), force=force)
    Console().print(comparison_table(result))
    if out is not None:
        typer.echo(f"Results: {out / 'compare.json'}, {out / 'compare.tsv'}")
        typer.echo(f"Report: {faceblind.write_report(result, out)}")


def comparison_table(result: Comparison) -> Table:
    """The comparison as a table for the terminal.

    Parameters
    ----------
    result : Comparison
    """
    from rich.table import Table
    from rich.text import Text

    title = f"{result.direction} · {len(result.people)} people in both"
    table = Table(title=Text(title), caption=Text(_caption(result)), caption_justify="left")
    table.add_column("found")
    for heading in ("A", "B", "B - A, points", "95 %", "A only", "B only", "p"):
        table.add_column(heading, justify="right")
    for one in result.differences:
        table.add_row(
            "at rank 1" if one.rank == 1 else f"in first {one.rank}",
            f"{100 * one.a.rate:.1f} %",
            f"{100 * one.b.rate:.1f} %",
            f"{100 * one.difference:+.1f}",
            f"{100 * one.low:+.1f} to {100 * one.high:+.1f}",
            str(one.only_a),
            str(one.only_b),
            f"{one.p_value:.2g}",
        )
    return table


def _caption(result: Comparison) -> str:
    lines = [*result.notes]
    if result.only_in_a or result.only_in_b:
        lines.append(
            f"Left out: {result.only_in_a} people of A only, {result.only_in_b} of B only."
        )
    lines.append("Interval: paired bootstrap over people. p: McNemar's exact test, two-sided.")
    if "gallery_size" in result.unlike:
        a, b = result.unlike["gallery_size"]
        lines.append(f"The galleries differ: {a} in A, {b} in B. A smaller one is easier.")
    others = [name for name in result.unlike if name != "gallery_size"]
    if others:
        lines.append(f"The studies differ in {', '.join(others)}.")
    return "\n".join(lines)
