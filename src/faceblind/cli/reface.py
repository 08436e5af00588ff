"""``faceblind reface``: put the same average face on every scan."""

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


def reface(
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
    """Put the same average face on every scan.

    The new face has the scan's own contrast, shading and noise, and is the same person
    for everyone. The brain stays bit for bit.
    """
    settings = settings_of(
        "reface", keep_ears, keep, seed, strict, force, drop_extensions, mask, save_transforms
    )
    return run(paths, session, apply_to, settings, n_jobs)
