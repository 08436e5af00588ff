"""Protect the scans of one session, and the images derived from them, from files to files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from faceblind.attacks.remaining_face import find_remaining
from faceblind.attacks.settings import SETTINGS
from faceblind.datasets.sidecar import read_sidecar, says_protected
from faceblind.errors import FaceblindError, ScanError, why
from faceblind.formats import load
from faceblind.head.reference_volume import at_time, leaders
from faceblind.head.session import heads_of_session
from faceblind.head.whole_head import Head
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.deface import deface
from faceblind.protect.fiducials import fiducials
from faceblind.protect.protected_scan import ProtectedScan, require_untouched
from faceblind.protect.region import ReplacedRegion
from faceblind.protect.same_space import in_space_of
from faceblind.scan import Scan
from faceblind.workflows import protect_outputs as files
from faceblind.workflows.protect_outputs import OutputFiles
from faceblind.workflows.protect_settings import ProtectionResult, ProtectionSettings

Value = TypeVar("Value")
MOST_MOVED_MM = 3.0
"""Motion through a series up to which an image derived from it is cut as its leading volume is."""


@dataclass(frozen=True)
class Job:
    """Scans of one session and images derived from them.

    Parameters
    ----------
    scans : tuple of OutputFiles
        One or more, with headers in one world space where that is true.
    derived : tuple of OutputFiles
        Maps and labels in the space of a scan.
    leaders : tuple of int
        Of each derived image, the place of that scan; all the first if empty.
    """

    scans: tuple[OutputFiles, ...]
    derived: tuple[OutputFiles, ...] = ()
    leaders: tuple[int, ...] = ()

    @property
    def outputs(self) -> tuple[OutputFiles, ...]:
        """All of them, scans first."""
        return (*self.scans, *self.derived)


def existing(
    outputs: Sequence[OutputFiles], settings: ProtectionSettings
) -> list[ProtectionResult]:
    """What an earlier run did of these; nothing of it counts where results are replaced.

    Parameters
    ----------
    outputs : sequence of OutputFiles
    settings : ProtectionSettings
    """
    if settings.force:
        return []
    return [
        ProtectionResult(output.source, output.target, existed=True)
        for output in outputs
        if files.is_done(output)
    ]


def lost(job: Job, error: str, settings: ProtectionSettings) -> list[ProtectionResult]:
    """The results of a session whose worker died: some scans may have been written before.

    Parameters
    ----------
    job : Job
    error : str
        Why the others are not.
    settings : ProtectionSettings
    """
    done = {result.source: result for result in existing(job.outputs, settings)}
    return [
        done.get(output.source)
        or ProtectionResult(output.source, error=f"{output.source}: {error}")
        for output in job.outputs
    ]


def protect_job(job: Job, settings: ProtectionSettings) -> list[ProtectionResult]:
    """Protect the scans of one session, then what is derived from them; no error stops others.

    Scans that an earlier run has done are not worked on again, but help their companions as they
    did then.

    Parameters
    ----------
    job : Job
        Its folders exist.
    settings : ProtectionSettings

    Returns
    -------
    list of ProtectionResult
        In the order of `Job.outputs`.
    """
    regions: dict[Path, ReplacedRegion] = {}
    leads: dict[Path, list[int]] = {}
    led: dict[Path, Scan] = {}
    outputs = {output.source: output for output in job.outputs}
    sources = [output.source for output in job.scans]
    derived = [output.source for output in job.derived]
    places = job.leaders or (0,) * len(derived)
    leader_of = {one: sources[place] for one, place in zip(derived, places, strict=True)}
    # Images derived from a scan need its region, which is only known when it is worked on.
    results = {} if derived else {r.source: r for r in existing(job.scans, settings)}

    def read(source: Path) -> Scan:
        if source not in results:
            files.check(outputs[source])
        if not settings.force and says_protected(read_sidecar(source)):
            raise _protected_already(source)
        scan = load(source)
        if len(sources) == 1 and (scan.voxels.ndim == 3 or not derived):
            return scan
        light, leads[source] = _light(scan)
        return light

    def protect(source: Path) -> ProtectionResult:
        scan, head = scans.pop(source), heads[source]
        if isinstance(head, FaceblindError):
            raise head
        if source in leader_of.values():
            led[source] = _copy(at_time(scan, head.lead))
        if source in leads:
            head = heads[source] = replace(head, lead=leads[source][head.lead])
        scan = scan if scan.stored is not None else load(source)
        regions[source] = _protect_one(scan, head, outputs[source])
        return ProtectionResult(source, outputs[source].target, None, regions[source].remaining)

    def blank(source: Path) -> ProtectionResult:
        leader = leader_of[source]
        head = heads.get(leader)
        if leader not in regions or not isinstance(head, Head):
            raise ScanError(f"{source}: the scan that it belongs to was not protected; see there")
        files.check(outputs[source])
        if regions[leader].moved_mm > MOST_MOVED_MM:
            raise _moving(source, leader)
        image = load(source, derived=True)
        placed = in_space_of(
            image, led[leader], head, same_grid=settings.same_grid, name=leader.name
        )
        head = replace(head, lead=leaders(image)[0])
        region = _protect_one(placed, head, outputs[source], regions[leader].fit)
        return ProtectionResult(source, outputs[source].target, None, region.remaining)

    scans, failed = _each(sources, read)
    found = heads_of_session(list(scans.values()), strict=settings.strict)
    heads = dict(zip(scans, found, strict=True))
    results = failed | results
    for wanted, work in ((list(scans), protect), (derived, blank)):
        done, failed = _each([source for source in wanted if source not in results], work)
        results |= done | failed
    return [_with_older(results[source], outputs[source]) for source in outputs]


def _each(
    sources: Sequence[Path], work: Callable[[Path], Value]
) -> tuple[dict[Path, Value], dict[Path, ProtectionResult]]:
    """Work on each source: what came of it, and what failed, which stops no other."""
    done, failed = {}, {}
    for source in sources:
        try:
            done[source] = work(source)
        except FaceblindError as error:
            failed[source] = ProtectionResult(source, error=why(error))
        except Exception as error:  # noqa: BLE001 - one scan must not take its companions with it
            failed[source] = ProtectionResult(source, error=f"{source}: {why(error)}")
    return done, failed


def _with_older(result: ProtectionResult, output: OutputFiles) -> ProtectionResult:
    """A failure that says so where the result that should have been replaced is still there."""
    if result.error is None or not output.settings.force or not output.target.is_file():
        return result
    return replace(result, error=f"{result.error} (the output still holds an older result)")


def _light(scan: Scan) -> tuple[Scan, list[int]]:
    """A scan of which finding the head needs little: of a series, the volumes that may lead.

    The series of a session together may be larger than the memory; they are read again one by one.

    Returns
    -------
    Scan
    list of int
        Which volumes these are.
    """
    if scan.voxels.ndim == 3:
        return scan, [0]
    kept = leaders(scan)
    if len(kept) == 1:
        return _copy(at_time(scan, kept[0])), kept
    return replace(scan, voxels=scan.voxels[..., kept].copy(order="K"), stored=None), kept


def _copy(scan: Scan) -> Scan:
    """A single volume that keeps nothing else in memory."""
    return replace(scan, voxels=scan.voxels.copy(order="K"), stored=None)


def _moving(source: Path, leader: Path) -> ScanError:
    """The error for an image derived from a series in which the head moves."""
    return ScanError(
        f"{source}: the head moves through the volumes of {leader.name}, and nobody knows which of "
        "them it follows; give a scan without motion first, or protect it as a scan of its own"
    )


def _protect_one(
    scan: Scan,
    head: Head,
    output: OutputFiles,
    fit: CutFit | None = None,
) -> ReplacedRegion:
    """Protect a scan and write it."""
    settings = output.settings
    sidecar = read_sidecar(output.source)
    if settings.method == "deface":
        done = deface(scan, head=head, options=settings.options, seed=settings.seed, fit=fit)
    else:
        # It brings the tissue model, which nothing else needs.
        from faceblind.protect.reface import reface

        done = reface(scan, head=head, options=settings.options, seed=settings.seed)
    require_untouched(scan, done)
    if fit is None:
        _require_gone(scan, head, done, settings)
    if scan.stored is not None:
        # Of an image without a position, the file keeps what its header says.
        done = replace(done, scan=replace(done.scan, affine=scan.stored.affine))
    points = fiducials(scan, head.alignment) if settings.keep_fiducials else None
    files.write(output, done, sidecar, points)
    return done.region


def _require_gone(
    scan: Scan, head: Head, done: ProtectedScan, settings: ProtectionSettings
) -> None:
    """Refuse a result that leaves so much of the face that its own audit would not pass it."""
    mask = done.region.mask if done.region.mask.ndim == 3 else done.region.mask[..., head.lead]
    before, after = (at_time(one, head.lead) for one in (scan, done.scan))
    remaining, regions = find_remaining(
        before, after, mask, head.skin, head.alignment, air=settings.method == "deface"
    )
    if settings.options.keep_eyes:
        # Lids and brow lie on what stays by choice.
        regions = {name: share for name, share in regions.items() if name not in ("eyes", "brow")}
        remaining = 0.0
    shown = [
        f"{name} ({share:.0%})" for name, share in regions.items() if share >= SETTINGS.in_view
    ]
    if remaining < SETTINGS.pass_remaining and not shown:
        return
    what = ", ".join(shown) or f"{remaining:.0%} of a recognisable face"
    raise ScanError(
        f"{scan.source or 'scan'}: skin of the face would stay ({what}), because the brain lies "
        "close to it or the place of the head is uncertain; nothing was written: protect it "
        "together with another scan of the same session"
    )


def _protected_already(source: Path) -> ScanError:
    return ScanError(
        f"{source}: is protected already (its sidecar says so); if it shows a face all the same, "
        "--force protects it"
    )
