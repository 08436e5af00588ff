"""``faceblind volunteers``: synthetic people to try everything on."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from faceblind.cli.options import Force, NJobs, Out, Quiet, Seed, Verbose


def volunteers(
    out: Out,
    n: Annotated[int, typer.Option("-n", "--number", help="How many people.", min=1)] = 84,
    seed: Seed = 0,
    preset: Annotated[
        str,
        typer.Option(
            "--preset",
            help="plain: studio photographs and clean scans; article: as hard as the published "
            "open-source experiment; head_neck_array_elderly, "
            "head_neck_array_elderly_normalised, surface_array, mp2rage, jaw_metal: scans as hard "
            "as real ones.",
        ),
    ] = "plain",
    series: Annotated[
        list[str] | None,
        typer.Option(
            "--series",
            help="A series of each session, such as T1w, T2w, FLAIR, axFLAIR or CT; repeat it for "
            "more.",
            show_default="T1w",
        ),
    ] = None,
    wild: Annotated[
        bool, typer.Option("--wild", help="With plain: photographs as people put them on the web.")
    ] = False,
    ages: Annotated[
        tuple[float, float] | None,
        typer.Option("--ages", help="Youngest and oldest, 3 to 100 years.", metavar="LOW HIGH"),
    ] = None,
    gap_months: Annotated[
        tuple[float, float] | None,
        typer.Option(
            "--gap-months",
            help="Least and greatest time from the scan to the photographs.",
            metavar="LOW HIGH",
        ),
    ] = None,
    n_jobs: NJobs = -1,
    force: Force = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Make synthetic people to try it all on.

    Scans and five photographs each, and the truth about both. Nobody in them exists: figures
    measured on them are in-silico figures. The layout is the one that 'faceblind study' reads.
    """
    import faceblind
    from faceblind.volunteers.photographs.camera import CameraSettings
    from faceblind.volunteers.presets import preset as find_preset

    chosen = find_preset(preset)
    if wild and preset != "plain":
        raise typer.BadParameter(
            f"{preset} has photographs of its own; use --wild with --preset plain",
            param_hint="--wild",
        )
    people, camera = chosen.people, CameraSettings.wild() if wild else chosen.camera
    if ages:
        # Whole years as whole numbers: the fingerprint tells 34 from 34.0.
        low, high = (int(age) if age == int(age) else age for age in ages)
        people = replace(people, ages=(low, high))
    if gap_months:
        people = replace(people, gap_months=gap_months)
    if wild or ages or gap_months:
        chosen = replace(chosen, name=f"{preset}, changed", people=people, camera=camera)
    faceblind.make_volunteers(
        out, n=n, seed=seed, n_jobs=n_jobs, preset=chosen, protocols=series or ("T1w",), force=force
    )
    typer.echo(f"Volunteers: {out / 'scans'}, {out / 'photos.tsv'}, {out / 'participants.tsv'}")
    typer.echo(
        f"Preset: {chosen.name}, version {chosen.version}, fingerprint {chosen.fingerprint}, "
        f"seed {seed}"
    )
    typer.echo("In-silico: nobody in them exists, and figures on them are not about real people.")
