"""``faceblind deface``: take the faces out of scans."""

from __future__ import annotations

from faceblind.cli.options import NJobs, Quiet, Seed, Verbose
from faceblind.cli.protect import (
    ApplyTo,
    DropExtensions,
    ForceAgain,
    Keep,
    KeepEars,
    Mask,
    Paths,
    Session,
    Strict,
    Transforms,
    run,
    settings_of,
)


def deface(
    paths: Paths,
    session: Session = False,
    keep_ears: KeepEars = False,
    keep: Keep = None,
    apply_to: ApplyTo = None,
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
    """Take the faces out of scans.

    Face, ears and the air around the head become air that looks like the scan's own.
    The brain stays bit for bit. Works on MRI and CT in any contrast and orientation.
    """
    settings = settings_of(
        "deface", keep_ears, keep, seed, strict, force, drop_extensions, mask, save_transforms
    )
    return run(paths, session, apply_to, settings, n_jobs)
