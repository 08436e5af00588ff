"""The ``faceblind`` command."""

from __future__ import annotations

from typing import Annotated

import typer

from faceblind._version import __version__
from faceblind.cli import (
    audit,
    bids,
    compare,
    deface,
    link,
    reconstruct,
    reface,
    status,
    study,
    volunteers,
)
from faceblind.cli.bids_arguments import BidsCommand
from faceblind.cli.verb import verb
from faceblind.system.threads import one_algebra_thread

app = typer.Typer(
    name="faceblind",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)

app.command("study")(verb(study.study))
app.command("deface")(verb(deface.deface))
app.command("reface")(verb(reface.reface))
app.command("audit")(verb(audit.audit))
app.command("bids", cls=BidsCommand)(verb(bids.bids))
app.command("status")(verb(status.status))
app.command("link")(verb(link.link))
app.command("compare")(verb(compare.compare))
app.command("reconstruct")(verb(reconstruct.reconstruct))
app.command("volunteers")(verb(volunteers.volunteers))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"faceblind {__version__}")
        raise typer.Exit


@app.callback()
def _faceblind(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    """Measure how well a head scan gives away a person's face.

    Exit codes: 0 done, 1 something failed (it is listed), 2 wrong usage, 3 a gate was not passed.
    """


def main() -> None:
    """Run the command line and exit with its code."""
    one_algebra_thread()
    app()


if __name__ == "__main__":
    main()
