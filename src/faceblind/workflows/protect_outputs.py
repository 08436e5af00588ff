"""Where a protected scan and what belongs to it lie, and how they are written together."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.datasets.bids import mask_path
from faceblind.datasets.sidecar import LANDMARKS, METHOD, read_sidecar, sidecar_path, write_sidecar
from faceblind.errors import FaceblindError, OutputError
from faceblind.formats import check_source, same_format, save
from faceblind.formats.names import ENDINGS, is_scan_name, suffix_of, without_ending
from faceblind.protect.protected_scan import Protected
from faceblind.scan import Scan
from faceblind.system.files import atomic_path
from faceblind.system.outputs import check_target, private_dir
from faceblind.system.tables import write_json


@dataclass(frozen=True)
class Place:
    """What is written for one scan, and where.

    Parameters
    ----------
    source : Path
        The scan.
    target : Path
        Its protected copy, in the same format.
    said : str
        What the sidecar says was done (`DeidentificationMethod`): method, version and options, so
        that results of another run can be told apart.
    private : Path, optional
        The private folder of the output, if it has one.
    overwrite : bool
        Replace results that exist.
    write_mask, save_transform, keep_fiducials, drop_extensions : bool
        As in `faceblind.workflows.protect_session.ProtectSettings`.
    """

    source: Path
    target: Path
    said: str
    private: Path | None = None
    overwrite: bool = False
    write_mask: bool = False
    save_transform: bool = False
    keep_fiducials: bool = False
    drop_extensions: bool = False

    @property
    def mask(self) -> Path:
        """Where the replaced voxels go."""
        return mask_path(self.target, suffix_of(self.target.name))

    @property
    def sidecar(self) -> Path:
        """Where the sidecar goes."""
        return sidecar_path(self.target)

    @property
    def transform(self) -> Path | None:
        """Where the transform goes, in a tree like that of the results: names may come again."""
        if self.private is None:
            return None
        inside = self.target.parent.relative_to(self.private.parent)
        name = f"{without_ending(self.target.name)}.json"
        return self.private / "transforms" / inside / name


def check(place: Place) -> None:
    """Refuse an unsuitable source or target before the work.

    Parameters
    ----------
    place : Place

    Raises
    ------
    ScanError
        If the source cannot be a scan.
    OutputError
        If a file may not be written where it should be.
    """
    source, target = place.source, place.target
    check_source(source)
    if not is_scan_name(target):
        raise OutputError(f"{target}: the name must end in {', '.join(ENDINGS)}")
    if not same_format(source, target):
        raise OutputError(f"{target}: a protected scan keeps its format; end it like {source.name}")
    check_target(target, overwrite=place.overwrite, sources=[source])
    if place.sidecar.resolve() == sidecar_path(source).resolve():
        raise OutputError(f"{target}: its sidecar would be the input's; choose another name")
    replace = place.overwrite or _is_left_over(place)
    check_target(place.sidecar, overwrite=replace)
    if place.write_mask:
        check_target(place.mask, overwrite=replace, sources=[source])


def is_done(place: Place) -> bool:
    """Whether an earlier run wrote all that is wanted, in the same way, from this input.

    Parameters
    ----------
    place : Place

    Returns
    -------
    bool
        False also where something else lies in the place.
    """
    wanted = [place.target]
    if place.write_mask:
        wanted.append(place.mask)
    if place.save_transform and place.transform is not None:
        wanted.append(place.transform)
    try:
        content = read_sidecar(place.target, inherit=False)
        since = place.source.stat().st_mtime
        current = all(path.is_file() and path.stat().st_mtime >= since for path in wanted)
    except (FaceblindError, OSError):
        return False
    same_points = (LANDMARKS in content) == place.keep_fiducials
    return current and same_points and content.get(METHOD) == [place.said]


def clashes(places: Iterable[Place]) -> dict[Path, str]:
    """Sources whose sidecar or mask would be another's, and a line that says so.

    Parameters
    ----------
    places : iterable of Place
        Of one run; of two that clash, the first keeps its place.
    """
    owners: dict[Path, Path] = {}
    refused = {}
    for place in places:
        files = {place.target, place.sidecar, place.mask}
        other = next((owners[file] for file in sorted(files) if file in owners), None)
        if other is None:
            owners |= dict.fromkeys(files, place.source)
        else:
            refused[place.source] = (
                f"{place.source}: its results would have the names of those of {other.name}; "
                "rename one of the two"
            )
    return refused


def write(
    place: Place,
    done: Protected,
    sidecar: dict[str, Any],
    fiducials: dict[str, list[float]] | None,
) -> None:
    """Write a protected scan and all that belongs to it, or nothing.

    Everything is written beside its place first, then renamed, the scan last: a scan never lies
    there without its sidecar. Of a result that is replaced, what is not written anew goes.

    Parameters
    ----------
    place : Place
        Checked.
    done : Protected
    sidecar : dict
        The original's.
    fiducials : dict of str to list of float, optional
        See `faceblind.datasets.sidecar.write_sidecar`.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    replaces_ours = place.overwrite and _is_ours(place.sidecar)
    with ExitStack() as stack:
        scan = stack.enter_context(atomic_path(place.target))
        save(done.scan, scan, drop_extensions=place.drop_extensions, clear_text=True)
        if place.save_transform and place.transform is not None:
            _write_transform(stack, place.transform, done.placement.affine)
        beside = stack.enter_context(atomic_path(place.sidecar))
        write_sidecar(beside, sidecar, place.said, fiducials)
        if place.write_mask:
            mask = stack.enter_context(atomic_path(place.mask))
            save(Scan(done.region.mask.astype(np.uint8), done.scan.affine), mask)
        if replaces_ours:
            # Only now, when all that is new is on the disk: a mask may be missing, never stale.
            _remove_stale(place)


def _write_transform(stack: ExitStack, path: Path, affine: NDArray[np.float64]) -> None:
    """Keep where the template lies: private, because it helps to undo a protection."""
    private_dir(path.parent)
    write_json(stack.enter_context(atomic_path(path)), {"scan_to_template_mm": affine})


def _remove_stale(place: Place) -> None:
    """Take away what describes the result that will be replaced and is not written anew."""
    if not place.write_mask:
        place.mask.unlink(missing_ok=True)
    if not place.save_transform and place.transform is not None:
        place.transform.unlink(missing_ok=True)


def _is_left_over(place: Place) -> bool:
    """Whether a run that was killed left sidecar and mask without any scan that they belong to."""
    if not _is_ours(place.sidecar):
        return False
    beside = place.sidecar.parent.iterdir()
    return not any(is_scan_name(p) and sidecar_path(p) == place.sidecar for p in beside)


def _is_ours(sidecar: Path) -> bool:
    """Whether a file is a sidecar that faceblind wrote."""
    try:
        said = read_sidecar(sidecar, inherit=False).get(METHOD)
    except FaceblindError:
        return False
    return isinstance(said, list) and bool(said) and str(said[0]).startswith("faceblind ")
