"""Protect the scans of one session, and the images derived from them, from files to files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from faceblind._version import __version__
from faceblind.attacks.remaining_face import find_remaining
from faceblind.attacks.verdict import IN_VIEW, PASS_LEFT
from faceblind.datasets.sidecar import read_sidecar, says_protected
from faceblind.errors import FaceblindError, ScanError, why
from faceblind.formats import load
from faceblind.head.reference_volume import at_time, leaders
from faceblind.head.session import heads_of_session
from faceblind.head.whole_head import Head
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.deface import deface
from faceblind.protect.fiducials import fiducials
from faceblind.protect.protected_scan import Protected, require_untouched
from faceblind.protect.reface import reface
from faceblind.protect.region import Choices, Region
from faceblind.protect.same_space import in_space_of
from faceblind.scan import Scan
from faceblind.system.outputs import PRIVATE
from faceblind.workflows import protect_outputs as files
from faceblind.workflows.protect_outputs import Place

Method = Literal["deface", "reface"]
Value = TypeVar("Value")
MOST_MOVED_MM = 3.0
"""Motion through a series up to which an image derived from it is cut as its leading volume is."""


@dataclass(frozen=True)
class ProtectSettings:
    """How to protect.

    Parameters
    ----------
    method : {"deface", "reface"}
    choices : Choices
        What may stay.
    seed : int
        Start of the random numbers.
    strict : bool
        Refuse heads that were not found with confidence.
    force : bool
        Replace results that exist, and protect what its sidecar calls protected already, provided
        that it shows a face.
    drop_extensions : bool
        Leave header extensions out.
    write_mask : bool
        Also write which voxels were replaced.
    save_transforms : bool
        Keep where the template lies, in the private tree: it helps to undo a protection.
    keep_fiducials : bool
        Write nasion and preauricular points of the original head into the sidecar, for EEG and
        MEG: the image loses them.
    same_grid : bool
        Derived images whose header does not say where they lie have the first scan's voxels, one
        for one.
    """

    method: Method = "deface"
    choices: Choices = field(default_factory=Choices)
    seed: int = 0
    strict: bool = True
    force: bool = False
    drop_extensions: bool = False
    write_mask: bool = False
    save_transforms: bool = False
    keep_fiducials: bool = False
    same_grid: bool = False


@dataclass(frozen=True)
class Protection:
    """What became of one scan.

    Parameters
    ----------
    source : Path
    target : Path or None
        The protected file; None if there is none.
    error : str or None
        One line saying why there is none.
    left : dict of str to float
        Region of the face to the share of its skin that stays because the brain lies under it.
        Empty where `existed`.
    existed : bool
        Whether an earlier run had written it, in the same way and from this input, and nothing was
        done now.
    """

    source: Path
    target: Path | None = None
    error: str | None = None
    left: dict[str, float] = field(default_factory=dict)
    existed: bool = False


@dataclass(frozen=True)
class Job:
    """Scans of one session and images derived from the first of them.

    Parameters
    ----------
    scans : tuple of Place
        One or more, with headers in one world space where that is true.
    derived : tuple of Place
        Maps and labels in the space of the first scan.
    """

    scans: tuple[Place, ...]
    derived: tuple[Place, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """All of them, scans first."""
        return (*self.scans, *self.derived)


def place_of(
    source: Path, target: Path, settings: ProtectSettings, root: Path | None = None
) -> Place:
    """What is written for one scan, as the settings say.

    Parameters
    ----------
    source, target : Path
    settings : ProtectSettings
    root : Path, optional
        The output folder, if there is one that may hold private results.
    """
    return Place(
        source,
        target,
        method_in_words(settings),
        root and root / PRIVATE,
        settings.force,
        settings.write_mask,
        settings.save_transforms,
        settings.keep_fiducials,
        settings.drop_extensions,
    )


def for_derived(settings: ProtectSettings) -> ProtectSettings:
    """An image that was computed from a scan has no face to be replaced."""
    return replace(settings, method="deface")


def existing(places: Sequence[Place], settings: ProtectSettings) -> list[Protection]:
    """What an earlier run did of these; nothing of it counts where results are replaced.

    Parameters
    ----------
    places : sequence of Place
    settings : ProtectSettings
    """
    if settings.force:
        return []
    return [
        Protection(place.source, place.target, existed=True)
        for place in places
        if files.is_done(place)
    ]


def lost(job: Job, error: str, settings: ProtectSettings) -> list[Protection]:
    """The results of a session whose worker died: some scans may have been written before.

    Parameters
    ----------
    job : Job
    error : str
        Why the others are not.
    settings : ProtectSettings
    """
    done = {result.source: result for result in existing(job.places, settings)}
    return [
        done.get(place.source) or Protection(place.source, error=f"{place.source}: {error}")
        for place in job.places
    ]


def protect_job(job: Job, settings: ProtectSettings) -> list[Protection]:
    """Protect the scans of one session, then what is derived from the first; no error stops others.

    Scans that an earlier run has done are not worked on again, but help their sisters as they did
    then.

    Parameters
    ----------
    job : Job
        Its folders exist.
    settings : ProtectSettings

    Returns
    -------
    list of Protection
        In the order of `Job.places`.
    """
    regions: dict[Path, Region] = {}
    leads: dict[Path, list[int]] = {}
    led: dict[Path, Scan] = {}
    places = {place.source: place for place in job.places}
    sources = [place.source for place in job.scans]
    derived = [place.source for place in job.derived]
    # Images derived from a scan need its region, which is only known when it is worked on.
    results = {} if derived else {r.source: r for r in existing(job.scans, settings)}

    def read(source: Path) -> Scan:
        if source not in results:
            files.check(places[source])
        if not settings.force and says_protected(read_sidecar(source)):
            raise _protected_already(source)
        scan = load(source)
        if len(sources) == 1 and (scan.voxels.ndim == 3 or not derived):
            return scan
        light, leads[source] = _light(scan)
        return light

    def protect(source: Path) -> Protection:
        scan, head = scans.pop(source), heads[source]
        if isinstance(head, FaceblindError):
            raise head
        if derived and source == sources[0]:
            led[source] = _copy(at_time(scan, head.lead))
        if source in leads:
            head = heads[source] = replace(head, lead=leads[source][head.lead])
        scan = scan if scan.stored is not None else load(source)
        regions[source] = _protect_one(scan, head, places[source], settings)
        return Protection(source, places[source].target, None, regions[source].left)

    def blank(source: Path) -> Protection:
        leader = sources[0]
        head = heads.get(leader)
        if leader not in regions or not isinstance(head, Head):
            raise ScanError(f"{source}: the scan that it belongs to was not protected; see there")
        files.check(places[source])
        if regions[leader].moved_mm > MOST_MOVED_MM:
            raise _moving(source, leader)
        image = load(source, derived=True)
        how, fit = for_derived(settings), regions[leader].fit
        same = settings.same_grid
        placed = in_space_of(image, led[leader], head, same_grid=same, name=leader.name)
        head = replace(head, lead=leaders(image)[0])
        region = _protect_one(placed, head, places[source], how, fit)
        return Protection(source, places[source].target, None, region.left)

    scans, failed = _each(sources, read)
    found = heads_of_session(list(scans.values()), strict=settings.strict)
    heads = dict(zip(scans, found, strict=True))
    results = failed | results
    for wanted, work in ((list(scans), protect), (derived, blank)):
        done, failed = _each([source for source in wanted if source not in results], work)
        results |= done | failed
    return [_with_older(results[source], places[source]) for source in places]


def _each(
    sources: Sequence[Path], work: Callable[[Path], Value]
) -> tuple[dict[Path, Value], dict[Path, Protection]]:
    """Work on each source: what came of it, and what failed, which stops no other."""
    done, failed = {}, {}
    for source in sources:
        try:
            done[source] = work(source)
        except FaceblindError as error:
            failed[source] = Protection(source, error=why(error))
        except Exception as error:  # noqa: BLE001 - one scan must not take its sisters with it
            failed[source] = Protection(source, error=f"{source}: {why(error)}")
    return done, failed


def _with_older(result: Protection, place: Place) -> Protection:
    """A failure that says so where the result that should have been replaced is still there."""
    if result.error is None or not place.overwrite or not place.target.is_file():
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
    place: Place,
    settings: ProtectSettings,
    fit: CutFit | None = None,
) -> Region:
    """Protect a scan and write it."""
    sidecar = read_sidecar(place.source)
    if settings.method == "deface":
        done = deface(scan, head=head, choices=settings.choices, seed=settings.seed, fit=fit)
    else:
        done = reface(scan, head=head, choices=settings.choices, seed=settings.seed)
    require_untouched(scan, done)
    if fit is None:
        _require_gone(scan, head, done, settings)
    if scan.stored is not None:
        # Of an image without a position, the file keeps what its header says.
        done = replace(done, scan=replace(done.scan, affine=scan.stored.affine))
    points = fiducials(scan, head.alignment) if settings.keep_fiducials else None
    files.write(place, done, sidecar, points)
    return done.region


def _require_gone(scan: Scan, head: Head, done: Protected, settings: ProtectSettings) -> None:
    """Refuse a result that leaves so much of the face that its own audit would not pass it."""
    mask = done.region.mask if done.region.mask.ndim == 3 else done.region.mask[..., head.lead]
    before, after = (at_time(one, head.lead) for one in (scan, done.scan))
    left, regions = find_remaining(
        before, after, mask, head.skin, head.alignment, air=settings.method == "deface"
    )
    if settings.choices.keep_eyes:
        # Lids and brow lie on what stays by choice.
        regions = {name: share for name, share in regions.items() if name not in ("eyes", "brow")}
        left = 0.0
    shown = [f"{name} ({share:.0%})" for name, share in regions.items() if share >= IN_VIEW["cut"]]
    if left < PASS_LEFT and not shown:
        return
    what = ", ".join(shown) or f"{left:.0%} of a recognisable face"
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


def method_in_words(settings: ProtectSettings) -> str:
    """What the sidecar says of the method."""
    choices = settings.choices
    parts = "face" if choices.keep_ears else "face and ears"
    done = {
        "deface": f"{parts} removed, surrounding air replaced",
        "reface": f"{parts} replaced by those of an average face, surrounding air replaced",
    }[settings.method]
    kept = [name for name in ("ears", "eyes") if getattr(choices, f"keep_{name}")]
    more = [name for name in ("teeth", "neck") if getattr(choices, name)]
    also = f", also {' and '.join(more)}" if more else ""
    but = f", {' and '.join(kept)} kept" if kept else ""
    but += ", header extensions dropped" if settings.drop_extensions else ""
    but += "" if settings.strict else ", heads of low confidence accepted"
    return f"faceblind {__version__} {settings.method}: {done}{also}{but}"
