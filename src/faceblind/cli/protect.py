"""What ``faceblind deface`` and ``faceblind reface`` share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceblind.cli.options import NJobs, Quiet, Seed, Verbose
from faceblind.cli.verb import DONE, FAILED, quick_imports, say

if TYPE_CHECKING:
    from faceblind.workflows.protect_settings import Method, ProtectionResult, ProtectionSettings


_FILE_ENDING = re.compile(r"\.[a-z]{2}[a-z0-9]{0,3}", re.IGNORECASE)


class Part(StrEnum):
    """What ``--keep`` accepts."""

    EYES = "eyes"
    EARS = "ears"


Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="IN... OUT",
        help="A scan and a new file or folder; or a folder, or scans of one session (--session), "
        "and a new folder.",
        show_default=False,
    ),
]
Session = Annotated[
    bool, typer.Option("--session", help="The scans belong to one session: they help one another.")
]
KeepEars = Annotated[bool, typer.Option("--keep-ears", help="Leave the ears. They identify too.")]
Keep = Annotated[
    list[Part] | None, typer.Option("--keep", help="Leave the globes of the eyes, or the ears.")
]
Teeth = Annotated[
    bool, typer.Option("--teeth", help="Take out all teeth too, not only those in front.")
]
Neck = Annotated[
    bool, typer.Option("--neck", help="Take out skin and soft tissue of the neck too.")
]
KeepFiducials = Annotated[
    bool,
    typer.Option(
        "--keep-fiducials",
        help="Write nasion and preauricular points into the sidecar, for EEG and MEG.",
    ),
]
ApplyTo = Annotated[
    list[Path] | None,
    typer.Option(
        "--apply-to",
        help="Also blank the face in an image in the space of the first scan (repeatable).",
    ),
]
SameGrid = Annotated[
    bool,
    typer.Option(
        "--same-grid",
        help="Images of --apply-to whose header has no position have the first scan's voxels, one "
        "for one.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict/--no-strict", help="Refuse heads that were not found with confidence."),
]
DropExtensions = Annotated[
    bool,
    typer.Option("--drop-extensions", help="Leave out header extensions; they may hold names."),
]
Mask = Annotated[bool, typer.Option("--mask", help="Also write which voxels were replaced.")]
Transforms = Annotated[
    bool,
    typer.Option(
        "--save-transforms",
        help="Keep transforms in OUT/private (OUT a folder); they help to undo.",
    ),
]
ForceAgain = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Replace results, and protect what its sidecar calls protected, if it shows a face.",
    ),
]


def make_verb(method: Method, text: str) -> Callable[..., int]:
    """The command of one method; both have the same options.

    Parameters
    ----------
    method : {"deface", "reface"}
    text : str
        Its help.
    """

    def command(
        paths: Paths,
        session: Session = False,
        keep_ears: KeepEars = False,
        keep: Keep = None,
        teeth: Teeth = False,
        neck: Neck = False,
        keep_fiducials: KeepFiducials = False,
        apply_to: ApplyTo = None,
        same_grid: SameGrid = False,
        strict: Strict = True,
        mask: Mask = False,
        drop_extensions: DropExtensions = False,
        save_transforms: Transforms = False,
        seed: Seed = 0,
        n_jobs: NJobs = -1,
        force: ForceAgain = False,
        verbose: Verbose = False,
        quiet: Quiet = False,
    ) -> int:
        with quick_imports():
            from faceblind.protect.region_options import RegionOptions
            from faceblind.workflows.protect import ProtectionSettings

        kept = set(keep or ())
        options = RegionOptions(
            keep_ears=keep_ears or Part.EARS in kept,
            keep_eyes=Part.EYES in kept,
            teeth=teeth,
            neck=neck,
        )
        settings = ProtectionSettings(
            method=method,
            options=options,
            seed=seed,
            strict=strict,
            force=force,
            drop_extensions=drop_extensions,
            write_mask=mask,
            save_transforms=save_transforms,
            keep_fiducials=keep_fiducials,
            same_grid=same_grid,
        )
        return run(paths, apply_to, settings, n_jobs, is_session=session)

    command.__name__, command.__doc__ = method, text
    return command


def run(
    paths: Sequence[Path],
    apply_to: Sequence[Path] | None,
    settings: ProtectionSettings,
    n_jobs: int,
    *,
    is_session: bool,
) -> int:
    """Choose between file, session and folder, do it, and list what failed."""
    from faceblind.formats.names import ENDINGS, is_scan_name
    from faceblind.workflows.protect import protect_file, protect_folder, protect_session

    if len(paths) < 2:
        raise typer.BadParameter("give the input and the output")
    *sources, out = paths
    if len(sources) > 1 and not is_session:
        raise typer.BadParameter("several scans need --session; for many people give a folder")
    is_folder = len(sources) == 1 and sources[0].is_dir()
    if is_folder and apply_to:
        raise typer.BadParameter("--apply-to needs scans, not a folder")
    if is_scan_name(out) and (is_folder or is_session or apply_to):
        raise typer.BadParameter("a folder, --session and --apply-to need a folder as OUT")
    if is_scan_name(out) and settings.save_transforms:
        raise typer.BadParameter("--save-transforms needs a folder as OUT")
    is_one = not (is_folder or is_session or apply_to or is_scan_name(out))
    if is_one and _FILE_ENDING.fullmatch(out.suffix) and not out.is_dir():
        raise typer.BadParameter(
            f"OUT {out} is named like a file but not like a scan ({', '.join(ENDINGS)}); "
            "end it so, or make the folder first"
        )
    if is_folder:
        results = protect_folder(sources[0], out, settings, n_jobs=n_jobs)
    elif is_session or apply_to or not is_scan_name(out):
        results = protect_session(sources, out, settings, apply_to=apply_to or ())
    else:
        results = [protect_file(sources[0], out, settings)]
    return report(results, out)


def report(results: Sequence[ProtectionResult], out: Path) -> int:
    """Say what was done; failures by name on standard error."""
    from faceblind.formats import has_extensions

    failed = [result for result in results if result.error]
    for result in results:
        if result.remaining:
            parts = ", ".join(
                f"{share:.0%} of the {name}" for name, share in result.remaining.items()
            )
            say(f"{result.source.name}: left because the brain is near: {parts}")
        if result.target is not None and has_extensions(result.target):
            say(f"{result.source.name}: carries header extensions, which may hold names")
    for result in failed:
        say(f"failed: {result.error}")
    existed = sum(result.existed for result in results)
    earlier = f" ({existed} by an earlier run)" if existed else ""
    typer.echo(f"Protected {len(results) - len(failed)} of {len(results)}{earlier}: {out}")
    return FAILED if failed else DONE
