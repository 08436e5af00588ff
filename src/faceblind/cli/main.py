"""The ``faceblind`` command."""

from __future__ import annotations

from typing import Annotated

import typer

from faceblind._version import __version__
from faceblind.cli import (
    audit,
    benchmark,
    bids,
    compare,
    deface,
    doctor,
    link,
    reconstruct,
    reface,
    review,
    status,
    study,
    volunteers,
)
from faceblind.cli.bids_arguments import BidsCommand
from faceblind.cli.tasks import TaskGroup, example
from faceblind.cli.verb import verb
from faceblind.system.threads import one_algebra_thread

app = typer.Typer(
    name="faceblind",
    cls=TaskGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)

app.command("study", epilog=example("study"))(verb(study.study))
app.command("deface", epilog=example("deface"))(verb(deface.deface))
app.command("reface", epilog=example("reface"))(verb(reface.reface))
app.command("audit", epilog=example("audit"))(verb(audit.audit))
app.command("review", epilog=example("review"))(verb(review.review))
app.command("bids", cls=BidsCommand, epilog=example("bids"))(verb(bids.bids))
app.command("status", epilog=example("status"))(verb(status.status))
app.command("link", epilog=example("link"))(verb(link.link))
app.command("compare", epilog=example("compare"))(verb(compare.compare))
app.command("benchmark", epilog=example("benchmark"))(verb(benchmark.benchmark))
app.command("reconstruct", epilog=example("reconstruct"))(verb(reconstruct.reconstruct))
app.command("volunteers", epilog=example("volunteers"))(verb(volunteers.volunteers))
app.command("doctor", epilog=example("doctor"))(verb(doctor.doctor))


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
    """What a head scan gives away of a face: measure it, protect it, prove that it is gone.

    Exit codes: 0 done, 1 something failed (it is listed), 2 wrong usage, 3 a gate was not passed.
    """


def main() -> None:
    """Run the command line and exit with its code."""
    one_algebra_thread()
    app()


if __name__ == "__main__":
    main()
