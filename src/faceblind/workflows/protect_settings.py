"""How to protect, and what became of each scan."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Literal

from faceblind._version import __version__
from faceblind.protect.region_options import RegionOptions

Method = Literal["deface", "reface"]


@dataclass(frozen=True)
class ProtectionSettings:
    """How to protect.

    Parameters
    ----------
    method : {"deface", "reface"}
    options : RegionOptions
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
    _: KW_ONLY
    options: RegionOptions = field(default_factory=RegionOptions)
    seed: int = 0
    strict: bool = True
    force: bool = False
    drop_extensions: bool = False
    write_mask: bool = False
    save_transforms: bool = False
    keep_fiducials: bool = False
    same_grid: bool = False


@dataclass(frozen=True, repr=False)
class ProtectionResult:
    """What became of one scan.

    Parameters
    ----------
    source : Path
    target : Path or None
        The protected file; None if there is none.
    error : str or None
        One line saying why there is none.
    remaining : dict of str to float
        Region of the face to the share of its skin that stays because the brain lies under it.
        Empty where `existed`.
    existed : bool
        Whether an earlier run had written it, in the same way and from this input, and nothing was
        done now.
    """

    source: Path
    target: Path | None = None
    error: str | None = None
    remaining: dict[str, float] = field(default_factory=dict)
    existed: bool = False

    def __repr__(self) -> str:
        # Names of files hold labels of people, and errors quote names.
        if self.error is not None:
            return "ProtectionResult(failed; see .error)"
        return f"ProtectionResult({'protected before' if self.existed else 'protected'})"


def for_derived(settings: ProtectionSettings) -> ProtectionSettings:
    """The settings for an image that was computed from a scan: it has no face to be replaced."""
    return replace(settings, method="deface", save_transforms=False)


def method_in_words(settings: ProtectionSettings) -> str:
    """What the sidecar says of the method."""
    options = settings.options
    parts = "face" if options.keep_ears else "face and ears"
    done = {
        "deface": f"{parts} removed, surrounding air replaced",
        "reface": f"{parts} replaced by those of an average face, surrounding air replaced",
    }[settings.method]
    kept = [name for name in ("ears", "eyes") if getattr(options, f"keep_{name}")]
    more = [name for name in ("teeth", "neck") if getattr(options, name)]
    also = f", also {' and '.join(more)}" if more else ""
    but = f", {' and '.join(kept)} kept" if kept else ""
    but += ", header extensions dropped" if settings.drop_extensions else ""
    but += "" if settings.strict else ", heads of low confidence accepted"
    return f"faceblind {__version__} {settings.method}: {done}{also}{but}"
