"""Files in, protected files out: one scan, one session, or a folder of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError, OutputError, ScanError
from faceblind.formats import check_source, load, same_format, save
from faceblind.formats.bids import find_scans, mask_path, session_of, suffix_of
from faceblind.formats.files import check_target, make_folders, remove_empty
from faceblind.formats.names import ENDINGS, is_scan_name, without_ending
from faceblind.formats.sidecar import read_sidecar, says_protected, sidecar_path, write_sidecar
from faceblind.protect.blank import Head, deface, require_untouched
from faceblind.protect.features import face_is_gone, fiducials
from faceblind.protect.reface import reface
from faceblind.protect.regions import Choices, Region
from faceblind.protect.session import heads_of_session
from faceblind.runner import run_many, why
from faceblind.scan import Scan
from faceblind.store import PRIVATE, prepare_output, private_dir, write_json

Method = Literal["deface", "reface"]
Value = TypeVar("Value")
MIDDLE_OF_BRAIN = np.array([[0.0, -18.0, 56.0]])
"""Template mm."""


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
        Protect again what is protected already, and replace results that exist.
    drop_extensions : bool
        Leave header extensions out.
    write_mask : bool
        Also write which voxels were replaced.
    save_transforms : bool
        Keep where the template lies, in the private tree: it helps to undo a protection.
    keep_fiducials : bool
        Write nasion and preauricular points of the original head into the sidecar, for EEG and
        MEG: the image loses them.
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
    """

    source: Path
    target: Path | None = None
    error: str | None = None
    left: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    """Scans of one session: where they lie and where they go; the derived ones follow the first."""

    sources: tuple[Path, ...]
    targets: tuple[Path, ...]
    derived: tuple[tuple[Path, Path], ...] = ()
    private: Path | None = None


def protect_file(
    source: str | Path, target: str | Path, settings: ProtectSettings | None = None
) -> Protection:
    """Protect one scan.

    Parameters
    ----------
    source : path
        A scan in any format that faceblind reads.
    target : path
        A new file of the same format in a folder that exists.
    settings : ProtectSettings, optional

    Returns
    -------
    Protection

    Raises
    ------
    FaceblindError
        If the scan cannot be read or protected, or the target is unsuitable. Nothing is written.
    """
    settings = settings or ProtectSettings()
    source, target = Path(source), Path(target)
    if settings.save_transforms:
        raise OutputError(f"{target}: transforms need a private tree; give a folder as output")
    _check(source, target, settings)
    result = _protect_session(_Job((source,), (target,)), settings)[0]
    if result.error:
        raise ScanError(result.error)
    return result


def protect_session(
    sources: Sequence[str | Path],
    out: str | Path,
    settings: ProtectSettings | None = None,
    *,
    apply_to: Sequence[str | Path] = (),
) -> list[Protection]:
    """Protect scans of one person and session together, into a folder.

    Parameters
    ----------
    sources : sequence of path
        Scans with headers in one world space.
    out : path
        A new folder; file names are kept.
    settings : ProtectSettings, optional
    apply_to : sequence of path
        Images in the space of the first scan (maps, labels): the same region becomes air in them.

    Returns
    -------
    list of Protection
        In the order of `sources`, then of `apply_to`. Look at each `error`.

    Raises
    ------
    OutputError
        If the folder is unsuitable or two files have one name.
    """
    settings = settings or ProtectSettings()
    files = [Path(path) for path in (*sources, *apply_to)]
    if len({path.name for path in files}) < len(files):
        raise OutputError(f"{out}: two inputs have the same file name; rename one")
    for path in files:
        if path.is_dir():
            raise ScanError(f"{path}: is a folder; name the scans in it, or give the folder alone")
        if not path.is_file():
            raise ScanError(f"{path}: no such file; check the path")
    root = prepare_output(out, settings.method, files, settings.force)
    targets = [root / path.name for path in files]
    count = len(sources)
    derived = tuple(zip(files[count:], targets[count:], strict=True))
    job = _Job(tuple(files[:count]), tuple(targets[:count]), derived, root / PRIVATE)
    return _protect_session(job, settings)


def protect_folder(
    folder: str | Path,
    out: str | Path,
    settings: ProtectSettings | None = None,
    *,
    n_jobs: int = -1,
    show_progress: bool = True,
) -> list[Protection]:
    """Protect every scan in a folder; the output mirrors its layout and file names.

    Scans of one participant and session are aligned together. Only scans that succeeded are
    written; nothing else is copied.

    Parameters
    ----------
    folder : path
        A BIDS dataset, or any folder of scans.
    out : path
        A new folder beside it.
    settings : ProtectSettings, optional
    n_jobs : int
        Processes; -1 takes all processors.
    show_progress : bool

    Returns
    -------
    list of Protection
        One for each scan found, in the order of their paths.

    Raises
    ------
    ScanError
        If the folder holds no scan.
    OutputError
        If the output folder is unsuitable.
    """
    settings = settings or ProtectSettings()
    folder = Path(folder)
    groups: dict[tuple[str, ...], list[Path]] = {}
    for scan in find_scans(folder):
        groups.setdefault(session_of(scan, folder), []).append(scan.path)
    root = prepare_output(out, settings.method, [folder], settings.force)
    jobs = []
    for sources in groups.values():
        targets = tuple(root / source.relative_to(folder) for source in sources)
        jobs.append(_Job(tuple(sources), targets, (), root / PRIVATE))
    folders = {target.parent for job in jobs for target in job.targets}
    make_folders(folders)
    outcomes = run_many(
        partial(_protect_session, settings=settings),
        jobs,
        n_jobs=n_jobs,
        label="Sessions",
        name=lambda job: str(job.sources[0]),
        show_progress=show_progress,
    )
    results: list[Protection] = []
    for outcome in outcomes:
        if outcome.value is not None:
            results += outcome.value
        else:
            lost = outcome.item.sources
            results += [Protection(path, error=f"{path}: {outcome.error}") for path in lost]
    remove_empty(folders, root)
    return sorted(results, key=lambda result: str(result.source))


def _check(source: Path, target: Path, settings: ProtectSettings) -> None:
    """Refuse an unsuitable source or target before the work."""
    check_source(source)
    if not is_scan_name(target):
        raise OutputError(f"{target}: the name must end in {', '.join(ENDINGS)}")
    if not same_format(source, target):
        raise OutputError(f"{target}: a protected scan keeps its format; end it like {source.name}")
    check_target(target, overwrite=settings.force, sources=[source])
    if sidecar_path(target).resolve() == sidecar_path(source).resolve():
        raise OutputError(f"{target}: its sidecar would be the input's; choose another name")
    check_target(sidecar_path(target), overwrite=settings.force)
    if settings.write_mask:
        mask = mask_path(target, suffix_of(target.name))
        check_target(mask, overwrite=settings.force, sources=[source])


def _protect_session(job: _Job, settings: ProtectSettings) -> list[Protection]:
    results: dict[Path, Protection] = {}
    regions: dict[Path, Region] = {}
    targets = dict(zip(job.sources, job.targets, strict=True))

    def read(source: Path) -> Scan:
        _check(source, targets[source], settings)
        if not settings.force and says_protected(read_sidecar(source)):
            raise _protected_already(source, "its sidecar says so")
        scan = load(source)
        return scan if len(targets) == 1 else _light(scan)

    def protect(source: Path) -> Protection:
        scan, head = scans.pop(source), heads[source]
        if isinstance(head, FaceblindError):
            raise head
        if not settings.force and face_is_gone(head.alignment):
            raise _protected_already(source, "no face was found where the head has one")
        scan = scan if scan.stored is not None else load(source)
        regions[source] = _protect_one(scan, head, targets[source], settings, job.private)
        return Protection(source, targets[source], None, regions[source].left)

    def blank(source: Path, target: Path) -> Protection:
        leader = job.sources[0]
        head = heads.get(leader)
        if leader not in regions or not isinstance(head, Head):
            raise ScanError(f"{source}: the scan that it belongs to was not protected; see there")
        _check(source, target, settings)
        how, lift = replace(settings, method="deface"), regions[leader].lift_mm
        image = load(source)
        _require_same_space(image, head, leader)
        region = _protect_one(image, head, target, how, None, lift)
        return Protection(source, target, None, region.left)

    scans = _each(job.sources, read, results)
    found = heads_of_session(list(scans.values()), strict=settings.strict)
    heads = dict(zip(scans, found, strict=True))
    results |= _each(list(scans), protect, results)
    derived = dict(job.derived)
    results |= _each(list(derived), lambda source: blank(source, derived[source]), results)
    return [results[source] for source in (*job.sources, *derived)]


def _each(
    sources: Sequence[Path], work: Callable[[Path], Value], results: dict[Path, Protection]
) -> dict[Path, Value]:
    """Work on each source; what fails goes to `results` and stops no other."""
    done = {}
    for source in sources:
        try:
            done[source] = work(source)
        except FaceblindError as error:
            results[source] = Protection(source, error=why(error))
        except Exception as error:  # noqa: BLE001 - one scan must not take its sisters with it
            results[source] = Protection(source, error=f"{source}: {why(error)}")
    return done


def _require_same_space(image: Scan, head: Head, leader: Path) -> None:
    """Refuse a derived image in whose world the head lies elsewhere, as far as that can be seen."""
    back = np.linalg.inv(head.alignment.affine)
    index = image.index(MIDDLE_OF_BRAIN @ back[:3, :3].T + back[:3, 3])
    if not ((index >= 0) & (index <= np.asarray(image.shape) - 1)).all():
        raise ScanError(
            f"{image.source}: does not show the head where {leader.name} has it; give images in "
            "the space of the first scan, or protect it as a scan of its own"
        )


def _light(scan: Scan) -> Scan:
    """A scan of which finding the head needs little: of a series the first volume.

    The series of a session together may be larger than the memory; they are read again one by one.
    """
    if scan.voxels.ndim == 3:
        return scan
    return Scan(scan.volume().copy(order="K"), scan.affine, scan.modality, scan.source)


def _protect_one(
    scan: Scan,
    head: Head,
    target: Path,
    settings: ProtectSettings,
    private: Path | None,
    lift_mm: NDArray[np.float64] | None = None,
) -> Region:
    """Protect a scan and write all that belongs to it, or nothing."""
    source = Path(scan.source or "")
    sidecar = read_sidecar(source)
    if settings.method == "deface":
        done = deface(
            scan, head=head, choices=settings.choices, seed=settings.seed, lift_mm=lift_mm
        )
    else:
        done = reface(scan, head=head, choices=settings.choices, seed=settings.seed)
    require_untouched(scan, done)
    points = fiducials(scan, head.alignment) if settings.keep_fiducials else None
    written: list[Path] = []
    try:
        save(
            done.scan,
            target,
            drop_extensions=settings.drop_extensions,
            clear_text=True,
            overwrite=settings.force,
        )
        written.append(target)
        written.append(write_sidecar(target, sidecar, method_in_words(settings), points))
        if settings.write_mask:
            mask = mask_path(target, suffix_of(target.name))
            replaced = Scan(done.region.mask.astype(np.uint8), scan.affine)
            save(replaced, mask, overwrite=settings.force)
            written.append(mask)
        if settings.save_transforms and private is not None:
            _save_transform(done.placement.affine, target, private)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return done.region


def _save_transform(affine: NDArray[np.float64], target: Path, private: Path) -> None:
    """Keep where the template lies, in a tree like that of the results: names may come again."""
    inside = target.parent.relative_to(private.parent)
    private_dir(private)
    folder = private_dir(private / "transforms" / inside)
    write_json(folder / f"{without_ending(target.name)}.json", {"scan_to_template_mm": affine})


def _protected_already(source: Path, why: str) -> ScanError:
    return ScanError(f"{source}: is protected already ({why}); use --force to protect it again")


def method_in_words(settings: ProtectSettings) -> str:
    """What the sidecar says of the method."""
    import faceblind

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
    return f"faceblind {faceblind.__version__} {settings.method}: {done}{also}{but}"
