"""Where a protected scan and what belongs to it lie, and how they are written together."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.datasets.names import mask_path
from faceblind.datasets.sidecar import LANDMARKS, METHOD, read_sidecar, sidecar_path, write_sidecar
from faceblind.errors import FaceblindError, OutputError
from faceblind.formats import check_source, same_format, save
from faceblind.formats.names import ENDINGS, is_scan_name, suffix_of, without_ending
from faceblind.protect.protected_scan import ProtectedScan
from faceblind.scan import Scan
from faceblind.system.files import atomic_path
from faceblind.system.outputs import check_target, private_dir, withdrawn
from faceblind.system.tables import write_json
from faceblind.workflows.protect_settings import ProtectionSettings, method_in_words


@dataclass(frozen=True)
class OutputFiles:
    """What is written for one scan, and where.

    Parameters
    ----------
    source : Path
        The scan.
    target : Path
        Its protected copy, in the same format.
    settings : ProtectionSettings
        What else is written, and how.
    private : Path, optional
        The private folder of the output, if it has one.
    """

    source: Path
    target: Path
    settings: ProtectionSettings
    private: Path | None = None

    @property
    def method(self) -> str:
        """What the sidecar says was done, so that results of other runs can be told apart."""
        return method_in_words(self.settings)

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


def check(output: OutputFiles) -> None:
    """Refuse an unsuitable source or target before the work.

    Parameters
    ----------
    output : OutputFiles

    Raises
    ------
    ScanError
        If the source cannot be a scan.
    OutputError
        If a file may not be written where it should be.
    """
    source, target = output.source, output.target
    check_source(source)
    if not is_scan_name(target):
        raise OutputError(f"{target}: the name must end in {', '.join(ENDINGS)}")
    if not same_format(source, target):
        raise OutputError(f"{target}: a protected scan keeps its format; end it like {source.name}")
    check_target(target, overwrite=output.settings.force, sources=[source])
    if withdrawn(target):
        raise OutputError(
            f"{target}: was rejected in a review and is kept out; protect it again in "
            "'faceblind review', or choose a new output folder"
        )
    if output.sidecar.resolve() == sidecar_path(source).resolve():
        raise OutputError(f"{target}: its sidecar would be the input's; choose another name")
    replace = output.settings.force or _is_left_over(output)
    check_target(output.sidecar, overwrite=replace)
    if output.settings.write_mask:
        check_target(output.mask, overwrite=replace, sources=[source])


def is_done(output: OutputFiles) -> bool:
    """Whether an earlier run wrote all that is wanted, in the same way, from this input.

    Parameters
    ----------
    output : OutputFiles

    Returns
    -------
    bool
        False also where something else lies in the place.
    """
    wanted = [output.target]
    if output.settings.write_mask:
        wanted.append(output.mask)
    if output.settings.save_transforms and output.transform is not None:
        wanted.append(output.transform)
    try:
        content = read_sidecar(output.target, inherit=False)
        since = output.source.stat().st_mtime
        current = all(path.is_file() and path.stat().st_mtime >= since for path in wanted)
    except (FaceblindError, OSError):
        return False
    same_points = (LANDMARKS in content) == output.settings.keep_fiducials
    return current and same_points and content.get(METHOD) == [output.method]


def clashes(outputs: Iterable[OutputFiles]) -> dict[Path, str]:
    """Sources whose sidecar or mask would be another's, and a line that says so.

    Parameters
    ----------
    outputs : iterable of OutputFiles
        Of one run; of two that clash, the first keeps its place.
    """
    owners: dict[Path, Path] = {}
    refused = {}
    for output in outputs:
        files = {output.target, output.sidecar, output.mask}
        other = next((owners[file] for file in sorted(files) if file in owners), None)
        if other is None:
            owners |= dict.fromkeys(files, output.source)
        else:
            refused[output.source] = (
                f"{output.source}: its results would have the names of those of {other.name}; "
                "rename one of the two"
            )
    return refused


def write(
    output: OutputFiles,
    done: ProtectedScan,
    sidecar: dict[str, Any],
    fiducials: dict[str, list[float]] | None,
) -> None:
    """Write a protected scan and all that belongs to it, or nothing.

    Everything is written beside its place first, then renamed, the scan last: a scan never lies
    there without its sidecar. Of a result that is replaced, what is not written anew goes.

    Parameters
    ----------
    output : OutputFiles
        Checked.
    done : ProtectedScan
    sidecar : dict
        The original's.
    fiducials : dict of str to list of float, optional
        See `faceblind.datasets.sidecar.write_sidecar`.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    replaces_ours = output.settings.force and _is_ours(output.sidecar)
    with ExitStack() as stack:
        scan = stack.enter_context(atomic_path(output.target))
        save(done.scan, scan, drop_extensions=output.settings.drop_extensions, clear_text=True)
        if output.settings.save_transforms and output.transform is not None:
            _write_transform(stack, output.transform, done.placement.scan_to_template)
        beside = stack.enter_context(atomic_path(output.sidecar))
        write_sidecar(beside, sidecar, output.method, fiducials)
        if output.settings.write_mask:
            mask = stack.enter_context(atomic_path(output.mask))
            save(Scan(done.region.mask.astype(np.uint8), done.scan.affine), mask)
        if replaces_ours:
            # Only now, when all that is new is on the disk: a mask may be missing, never stale.
            _remove_stale(output)


def _write_transform(stack: ExitStack, path: Path, affine: NDArray[np.float64]) -> None:
    """Keep where the template lies: private, because it helps to undo a protection."""
    private_dir(path.parent)
    write_json(stack.enter_context(atomic_path(path)), {"scan_to_template_mm": affine})


def _remove_stale(output: OutputFiles) -> None:
    """Take away what describes the result that will be replaced and is not written anew."""
    if not output.settings.write_mask:
        output.mask.unlink(missing_ok=True)
    if not output.settings.save_transforms and output.transform is not None:
        output.transform.unlink(missing_ok=True)


def _is_left_over(output: OutputFiles) -> bool:
    """Whether a run that was killed left sidecar and mask without any scan that they belong to."""
    if not _is_ours(output.sidecar):
        return False
    beside = output.sidecar.parent.iterdir()
    return not any(is_scan_name(p) and sidecar_path(p) == output.sidecar for p in beside)


def _is_ours(sidecar: Path) -> bool:
    """Whether a file is a sidecar that faceblind wrote."""
    try:
        said = read_sidecar(sidecar, inherit=False).get(METHOD)
    except FaceblindError:
        return False
    return isinstance(said, list) and bool(said) and str(said[0]).startswith("faceblind ")
