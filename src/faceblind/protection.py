"""Files in, protected files out: one scan, one session, or a folder of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from faceblind.errors import FaceblindError, OutputError, ScanError
from faceblind.formats import load, same_format, save
from faceblind.formats.bids import find_scans, suffix_of
from faceblind.formats.files import check_target
from faceblind.formats.names import ENDINGS, is_scan_name, without_ending
from faceblind.formats.sidecar import read_sidecar, says_protected, sidecar_path, write_sidecar
from faceblind.protect.blank import Head, Protected, deface
from faceblind.protect.features import face_is_gone, fiducials
from faceblind.protect.reface import reface
from faceblind.protect.regions import Choices
from faceblind.protect.session import heads_of_session
from faceblind.runner import run_many
from faceblind.scan import Scan
from faceblind.store import PRIVATE, prepare_output, private_dir, write_json

logger = logging.getLogger(__name__)

Method = Literal["deface", "reface"]


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
        raise OutputError(f"{target}: transforms need an output folder with a private tree")
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
    groups: dict[tuple[str, str | None], list[Path]] = {}
    for scan in find_scans(folder):
        groups.setdefault((scan.participant_id, scan.session), []).append(scan.path)
    root = prepare_output(out, settings.method, [folder], settings.force)
    jobs = []
    for sources in groups.values():
        targets = tuple(root / source.relative_to(folder) for source in sources)
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
        jobs.append(_Job(tuple(sources), targets, (), root / PRIVATE))
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
            results += [Protection(path, error=outcome.error) for path in outcome.item.sources]
    _prune(root, jobs)
    return sorted(results, key=lambda result: str(result.source))


def _prune(root: Path, jobs: Sequence[_Job]) -> None:
    """Remove folders that were made for scans that failed."""
    folders = {parent for job in jobs for target in job.targets for parent in target.parents}
    for path in sorted(folders, key=lambda p: -len(p.parts)):
        if root in path.parents and path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _check(source: Path, target: Path, settings: ProtectSettings) -> None:
    """Refuse an unsuitable target before the work."""
    if not is_scan_name(target):
        raise OutputError(f"{target}: the name must end in {', '.join(ENDINGS)}")
    if is_scan_name(source) and not same_format(source, target):
        raise OutputError(f"{target}: a protected scan keeps its format; end it like {source.name}")
    check_target(target, overwrite=settings.force, sources=[source])
    check_target(sidecar_path(target), overwrite=settings.force, sources=[sidecar_path(source)])
    if settings.write_mask:
        check_target(mask_path(target, suffix_of(target.name)), overwrite=settings.force)


def _protect_session(job: _Job, settings: ProtectSettings) -> list[Protection]:
    scans: dict[Path, Scan] = {}
    results: dict[Path, Protection] = {}
    for source, target in zip(job.sources, job.targets, strict=True):
        try:
            _check(source, target, settings)
            if not settings.force and says_protected(read_sidecar(source)):
                raise _protected_already(source, "its sidecar says so")
            scans[source] = load(source)
        except FaceblindError as error:
            results[source] = Protection(source, error=str(error))
    heads = dict(
        zip(scans, heads_of_session(list(scans.values()), strict=settings.strict), strict=True)
    )
    targets = dict(zip(job.sources, job.targets, strict=True))
    for source, scan in scans.items():
        try:
            results[source] = _protect_one(scan, heads[source], source, targets[source], settings,
                                           job.private)  # fmt: skip
        except FaceblindError as error:
            results[source] = Protection(source, error=str(error))
    leader = heads.get(job.sources[0])
    for source, target in job.derived:
        try:
            if not isinstance(leader, Head):
                raise ScanError(f"{source}: the scan that it belongs to was not protected")
            _check(source, target, settings)
            blank = replace(settings, method="deface", force=True)
            results[source] = _protect_one(load(source), leader, source, target, blank, None)
        except FaceblindError as error:
            results[source] = Protection(source, error=str(error))
    ordered = (*job.sources, *(source for source, _ in job.derived))
    return [results[source] for source in ordered]


def _protect_one(
    scan: Scan,
    head: Head | FaceblindError,
    source: Path,
    target: Path,
    settings: ProtectSettings,
    private: Path | None,
) -> Protection:
    if isinstance(head, FaceblindError):
        raise head
    if not settings.force and face_is_gone(head.alignment):
        raise _protected_already(source, "no face was found where the head has one")
    work = deface if settings.method == "deface" else reface
    done = work(scan, head=head, choices=settings.choices, seed=settings.seed)
    _verify(scan, done, source)
    save(
        done.scan,
        target,
        drop_extensions=settings.drop_extensions,
        clear_text=True,
        overwrite=settings.force,
    )
    points = fiducials(scan, head.alignment) if settings.keep_fiducials else None
    write_sidecar(target, read_sidecar(source), method_in_words(settings), points)
    if settings.write_mask:
        save(
            Scan(done.region.mask.astype(np.uint8), scan.affine),
            mask_path(target, suffix_of(target.name)),
            overwrite=settings.force,
        )
    if settings.save_transforms and private is not None:
        folder = private_dir(private / "transforms")
        name = target.name.split(".")[0]
        write_json(folder / f"{name}.json", {"scan_to_template_mm": done.placement.affine})
    return Protection(source, target, None, done.region.left)


def _verify(scan: Scan, done: Protected, source: Path) -> None:
    """Last line of defence: nothing outside the region may differ."""
    if scan.stored is None or done.scan.stored is None:
        return
    before, after = scan.stored.raw, done.scan.stored.raw
    step = 1 if before.ndim == 3 else before.shape[3]
    for t in range(step):
        a, b = (v if v.ndim == 3 else v[..., t] for v in (before, after))
        # NaN differs from itself, so bytes are compared.
        kind = np.dtype(f"u{a.dtype.itemsize}").newbyteorder(a.dtype.byteorder)
        if bool(((a.view(kind) != b.view(kind)) & ~done.region.mask).any()):
            raise ScanError(f"{source}: voxels outside the region changed; report this")


def _protected_already(source: Path, why: str) -> ScanError:
    return ScanError(f"{source}: is protected already ({why}); use --force to protect it again")


def method_in_words(settings: ProtectSettings) -> str:
    """What the sidecar says of the method."""
    import faceblind

    done = {
        "deface": "face, ears and surrounding air removed",
        "reface": "face and ears replaced by an average face, surrounding air by new air",
    }[settings.method]
    kept = [
        name
        for name, is_kept in (
            ("ears", settings.choices.keep_ears),
            ("eyes", settings.choices.keep_eyes),
        )
        if is_kept
    ]
    more = [name for name in ("teeth", "neck") if getattr(settings.choices, name)]
    also = f", also {' and '.join(more)}" if more else ""
    but = f", {' and '.join(kept)} kept" if kept else ""
    return f"faceblind {faceblind.__version__} {settings.method}: {done}{also}{but}"


def mask_path(target: Path, modality: str | None) -> Path:
    """Where BIDS puts the mask of a protected scan: ``sub-01_mod-T1w_defacemask.nii.gz``."""
    stem = without_ending(target.name)
    if modality and stem.endswith(f"_{modality}"):
        stem = f"{stem.removesuffix(f'_{modality}')}_mod-{modality}"
    return target.with_name(f"{stem}_defacemask.nii.gz")
