"""Files in, protected files out: one scan, one session, or a folder of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from faceblind.errors import OutputError, ScanError, missing
from faceblind.system.outputs import PRIVATE, make_folders, prepare_output, remove_empty
from faceblind.workflows import protect_outputs as files
from faceblind.workflows.protect_outputs import OutputFiles
from faceblind.workflows.protect_session import (
    Job,
    existing,
    lost,
    protect_job,
)
from faceblind.workflows.protect_settings import ProtectionResult, ProtectionSettings, for_derived

if TYPE_CHECKING:
    from faceblind.datasets.census import Census


def protect_file(
    source: str | Path, target: str | Path, settings: ProtectionSettings | None = None
) -> ProtectionResult:
    """Protect one scan.

    Parameters
    ----------
    source : path
        A scan in any format that faceblind reads.
    target : path
        A new file of the same format in a folder that exists.
    settings : ProtectionSettings, optional

    Returns
    -------
    ProtectionResult

    Raises
    ------
    FaceblindError
        If the scan cannot be read or protected, or the target is unsuitable. Nothing is written.
    """
    settings = settings or ProtectionSettings()
    output = OutputFiles(Path(source), Path(target), settings)
    if settings.save_transforms:
        raise OutputError(f"{target}: transforms need a private tree; give a folder as output")
    files.check(output)
    result = protect_job(Job((output,)), settings)[0]
    if result.error:
        raise ScanError(result.error)
    return result


def protect_session(
    sources: Sequence[str | Path],
    out: str | Path,
    settings: ProtectionSettings | None = None,
    *,
    apply_to: Sequence[str | Path] = (),
) -> list[ProtectionResult]:
    """Protect scans of one person and session together, into a folder.

    Parameters
    ----------
    sources : sequence of path
        Scans with headers in one world space.
    out : path
        A new folder; file names are kept.
    settings : ProtectionSettings, optional
    apply_to : sequence of path
        Images in the space of the first scan (maps, labels): the same region becomes air in them.

    Returns
    -------
    list of ProtectionResult
        In the order of `sources`, then of `apply_to`. Look at each `error`.

    Raises
    ------
    OutputError
        If the folder is unsuitable or two files have one name.
    """
    settings = settings or ProtectionSettings()
    inputs = [Path(path) for path in (*sources, *apply_to)]
    for path in inputs:
        if path.is_dir():
            raise ScanError(f"{path}: is a folder; name the scans in it, or give the folder alone")
        if not path.is_file():
            raise missing(path)
    if len({path.name for path in inputs}) < len(inputs):
        raise OutputError(f"{out}: two inputs have the same file name; rename one")
    root = prepare_output(out, settings.method, inputs, settings.force)
    count = len(sources)
    scans = [
        OutputFiles(path, root / path.name, settings, root / PRIVATE) for path in inputs[:count]
    ]
    derived = [
        OutputFiles(path, root / path.name, for_derived(settings), root / PRIVATE)
        for path in inputs[count:]
    ]
    refused = files.clashes([*scans, *derived])
    if refused:
        raise OutputError(next(iter(refused.values())))
    results = existing([*scans, *derived], settings)
    if len(results) < len(inputs):
        results = protect_job(Job(tuple(scans), tuple(derived)), settings)
    return results


def protect_folder(
    folder: str | Path,
    out: str | Path,
    settings: ProtectionSettings | None = None,
    *,
    n_jobs: int = -1,
    show_progress: bool = True,
) -> list[ProtectionResult]:
    """Protect every scan in a folder; the output mirrors its layout and file names.

    Scans of one participant and session are aligned together. Only scans that succeeded are
    written; nothing else is copied.

    Parameters
    ----------
    folder : path
        A BIDS dataset, or any folder of scans.
    out : path
        A new folder beside it.
    settings : ProtectionSettings, optional
    n_jobs : int
        Processes; -1 takes all processors.
    show_progress : bool

    Returns
    -------
    list of ProtectionResult
        One for each scan found, and one with an `error` for the images of each folder and format
        that are not read, in the order of their paths.

    Raises
    ------
    ScanError
        If the folder holds no scan.
    OutputError
        If the output folder is unsuitable.
    """
    # Only folders need them, and a single scan is protected in little more time than imports take.
    from faceblind.datasets.census import session_of, take_census
    from faceblind.system.workers import run_many

    settings = settings or ProtectionSettings()
    folder = Path(folder)
    census = take_census(folder)
    census.log()
    found = census.require_scans()
    # Scans may lie in linked folders elsewhere: no output goes there either.
    homes = {scan.path.parent.resolve() for scan in found}
    root = prepare_output(out, settings.method, [folder, *sorted(homes)], settings.force)
    outputs = {
        scan.path: OutputFiles(
            scan.path, root / scan.path.relative_to(folder), settings, root / PRIVATE
        )
        for scan in found
    }
    refused = files.clashes(outputs.values())
    results = [ProtectionResult(source, error=error) for source, error in refused.items()]
    results += _not_read(census)
    sessions: dict[tuple[str, ...], list[OutputFiles]] = {}
    for scan in found:
        if scan.path not in refused:
            sessions.setdefault(session_of(scan, folder), []).append(outputs[scan.path])
    jobs = []
    for session in sessions.values():
        present = existing(session, settings)
        if len(present) == len(session):
            results += present
        else:
            jobs.append(Job(tuple(session)))
    folders = {output.target.parent for job in jobs for output in job.scans}
    make_folders(folders)
    outcomes = run_many(
        partial(protect_job, settings=settings),
        jobs,
        n_jobs=n_jobs,
        label="Sessions",
        name=lambda job: str(job.scans[0].source),
        show_progress=show_progress,
    )
    for outcome in outcomes:
        results += outcome.value or lost(outcome.item, outcome.error or "", settings)
    remove_empty(folders, root)
    return sorted(results, key=lambda result: str(result.source))


def _not_read(census: Census) -> list[ProtectionResult]:
    """Images beside the scans that nobody protects, those of one folder and format together."""
    groups: dict[tuple[Path, str], list[Path]] = {}
    for one in census.unread:
        if one.may_be_scan:
            groups.setdefault((one.path.parent, one.what), []).append(one.path)
    results = []
    for (_, what), paths in groups.items():
        more = f" and {len(paths) - 1} more in its folder" if len(paths) > 1 else ""
        error = f"{paths[0]}{more}: {what}, not read and not protected; convert it to NIfTI first"
        results.append(ProtectionResult(paths[0], error=error))
    return results
