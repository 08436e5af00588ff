"""``faceblind review``: decide on every protected scan, by eye."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from faceblind.cli.options import Quiet, Verbose
from faceblind.cli.verb import DONE, say


def _usual_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "rater"


def review(
    protected: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="Output of 'faceblind deface', 'reface' or 'bids', or a folder of scans that "
            "another tool protected.",
        ),
    ],
    originals: Annotated[
        Path | None,
        typer.Option("--originals", help="Folder of the scans before protection."),
    ] = None,
    audit: Annotated[
        Path | None,
        typer.Option(
            "--audit", help="Output of 'faceblind audit OUT --out', to begin with what leaks."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for decisions on another tool's scans; by default OUT-review.",
            file_okay=False,
        ),
    ] = None,
    rater: Annotated[
        str, typer.Option("--rater", help="Who looks.", show_default="your user name")
    ] = "",
    turn: Annotated[
        int,
        typer.Option(
            "--round", help="2 or more: look again, without seeing earlier decisions.", min=1
        ),
    ] = 1,
    move: Annotated[
        bool | None,
        typer.Option(
            "--move/--no-move",
            help="Whether rejected scans leave OUT for a private folder.",
            show_default="in outputs of faceblind",
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", help="Write the decisions to this table, and end.", dir_okay=False
        ),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", help="0 takes any that is free.", min=0, max=65535)
    ] = 0,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Decide on every protected scan, by eye, in a browser on this computer.

    Prints an address that only you can open; ends with Ctrl-C. Decisions are kept at once, and a
    later run goes on where this one ended. A rejected scan leaves OUT at once.
    """
    from faceblind.review import serve

    tree = serve.find_tree(protected, originals, out, moves=move)
    if export is not None:
        serve.write_export(tree, export)
        typer.echo(f"Decisions: {export}")
        return DONE
    name = serve.rater_name(rater or _usual_name())
    say("Open this address in a browser on this computer; end with Ctrl-C.")
    serve.serve(tree, originals, audit, serve.Rater(name, turn), port, typer.echo)
    return DONE
