"""``faceblind study``: can these people be found by the faces in their scans?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from faceblind.cli.experiment import report
from faceblind.cli.options import Face, Force, NJobs, Out, Quiet, Variant, Verbose


class Direction(StrEnum):
    """Which side is searched in which."""

    photo_to_scan = "photo-to-scan"
    scan_to_photo = "scan-to-photo"


class Matching(StrEnum):
    """How pictures are compared."""

    adapted = "adapted"
    centred = "centred"
    nearest = "nearest"


class Service(StrEnum):
    """Who searches instead of a recogniser on this machine."""

    azure = "azure"
    compreface = "compreface"


def study(
    scans: Annotated[
        Path, typer.Argument(metavar="SCANS", help="Folder of scans, BIDS-like or flat.")
    ],
    photos: Annotated[
        Path,
        typer.Argument(
            metavar="PHOTOS.tsv", help="Table with file, participant_id, view, consent (all yes)."
        ),
    ],
    out: Out,
    participants: Annotated[
        Path | None, typer.Option("--participants", help="participants.tsv with age and sex.")
    ] = None,
    direction: Annotated[
        Direction, typer.Option("--direction", help="The probe, then the gallery.")
    ] = Direction.photo_to_scan,
    recogniser: Annotated[
        str | None,
        typer.Option(
            "--recogniser",
            help="sface-map, sface, dlib, or the path of an ONNX file. Default: sface-map; sface "
            "for centred and nearest.",
        ),
    ] = None,
    matching: Annotated[
        Matching | None,
        typer.Option(
            "--matching",
            help="nearest is the published recipe, kept to compare. Default: adapted with "
            "sface-map, else centred.",
        ),
    ] = None,
    variant: Variant = Face.completed,
    series: Annotated[
        str | None,
        typer.Option(
            "--series", help="Only scans whose name ends so, such as FLAIR or acq-axial_FLAIR."
        ),
    ] = None,
    save_faces: Annotated[
        bool, typer.Option("--save-faces", help="Keep meshes and renders in OUT/private.")
    ] = False,
    service: Annotated[
        Service | None,
        typer.Option(
            "--service",
            help="Upload renders and photographs to a face service and let it search. Endpoint and "
            "key come from the environment.",
        ),
    ] = None,
    may_upload: Annotated[
        bool,
        typer.Option(
            "--i-have-permission-to-upload",
            help="You answer for sending these pictures to the --service.",
        ),
    ] = False,
    service_config: Annotated[
        Path | None,
        typer.Option(
            "--service-config",
            help="TOML file: who permitted the upload of real people's faces, until when.",
        ),
    ] = None,
    most_requests: Annotated[
        int,
        typer.Option(
            "--most-requests",
            help="Upload nothing if the --service would need more requests.",
            min=1,
        ),
    ] = 10_000,
    n_jobs: NJobs = -1,
    force: Force = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> int:
    """Find people by the faces in their scans.

    Searches photographs among the faces of scans and prints the table of the 2019 article.

    Figures go to OUT; whatever shows or names a person goes to OUT/private, which only you can
    open.
    """
    import faceblind
    from faceblind.workflows.study_service import ServiceChoice

    if service is None and (may_upload or service_config is not None):
        raise typer.BadParameter("give --service, too", param_hint="--service")
    chosen = (
        ServiceChoice(service.value, may_upload, service_config, most_requests) if service else None
    )
    result = faceblind.study(
        scans,
        photos,
        out,
        participants=participants,
        direction=direction.value,
        recogniser=recogniser,
        matching=matching.value if matching else None,
        variant=variant.value,
        series=series,
        save_faces=save_faces,
        service=chosen,
        n_jobs=n_jobs,
        force=force,
    )
    return report(result, out)
