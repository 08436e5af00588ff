"""What is to be done with a dataset, settled by names before any file is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faceblind.attacks.unexamined import is_named
from faceblind.datasets.bids_index import BidsFile, BidsIndex, index_dataset
from faceblind.datasets.bids_roles import (
    NOT_COPIED,
    RECORDINGS,
    companion_of,
    inherited_role,
    role_of,
)
from faceblind.errors import ScanError, TableError
from faceblind.formats.names import is_scan_name, is_text_name, is_unread_name
from faceblind.workflows.bids.settings import BidsSettings

_ROOT_NAMES = re.compile(
    r"README(\.(md|rst|txt))?|CHANGES|LICENSE|CITATION\.cff|\.bidsignore"
    r"|(participants|samples)\.(tsv|json)"
)
_INHERITED = re.compile(r"(?:[a-z]+-[0-9A-Za-z+]+_)*([0-9A-Za-z]+)\.(?:json|tsv|bval|bvec)")
_INHERITED_SUFFIXES = {
    "T1w", "T2w", "PDw", "FLAIR", "T2starw", "events", "bold", "cbv", "sbref", "physio", "stim",
    "beh", "dwi", "asl", "m0scan", "aslcontext", "asllabeling", "phasediff", "phase1", "phase2",
    "magnitude", "magnitude1", "magnitude2", "fieldmap", "epi", "eeg", "meg", "ieeg", "nirs",
    "channels", "electrodes", "optodes", "coordsystem", "scans", "sessions", "blood", "motion",
    "svs", "mrsi", "mrsref", "unloc",
}  # fmt: skip
DESCRIPTION = "dataset_description.json"


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is protected.

    Parameters
    ----------
    source : Path
    inside : str
        Its path in the dataset.
    target : str
        Its path in the output.
    suffix : str
    leader : int or None
        Of an image that is blanked as another is, the place of that one among the scans.
    """

    source: Path
    inside: str
    target: str
    suffix: str
    leader: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that is copied byte for byte.

    Parameters
    ----------
    source : Path
    inside : str
        Its path in the dataset and in the output.
    is_image : bool
        Whether it is an image that is left alone by choice.
    """

    source: Path
    inside: str
    is_image: bool = False


@dataclass(frozen=True)
class Task:
    """A piece of work: all files of one session, or of a participant outside sessions.

    Parameters
    ----------
    key : str
        Such as ``"sub-01/ses-1"``.
    scans, maps : tuple of Image
    copies : tuple of Copy
    """

    key: str
    scans: tuple[Image, ...]
    maps: tuple[Image, ...]
    copies: tuple[Copy, ...]

    @property
    def images(self) -> tuple[Image, ...]:
        """Scans, then maps."""
        return (*self.scans, *self.maps)


@dataclass(frozen=True)
class Plan:
    """What is to be done with a dataset.

    Parameters
    ----------
    root : Path
        The dataset.
    tasks : tuple of Task
    common : tuple of Copy
        Files of no participant.
    left_out : dict of str to str
        Files that are not copied, to the reason; only where a whole dataset is made.
    untouched : int
        Images that are left as they are by choice.
    participants : int
        How many of the dataset's participants are wanted.
    is_part : bool
        Whether these are not all.
    unexamined : dict of str to str
        Images of these participants that nothing looks at, because their names or kinds are not
        known, to the reason; without those that ``.bidsignore`` names.
    """

    root: Path
    tasks: tuple[Task, ...]
    common: tuple[Copy, ...]
    left_out: dict[str, str]
    untouched: int
    participants: int
    is_part: bool = False
    unexamined: dict[str, str] = field(default_factory=dict)


def make_plan(root: str | Path, settings: BidsSettings) -> Plan:
    """Settle what is to be done.

    Parameters
    ----------
    root : path
        A BIDS dataset.
    settings : BidsSettings

    Raises
    ------
    ScanError
        If it is none, or nothing in it is to be protected.
    TableError
        If somebody is asked for who is not there.
    """
    root = Path(root).expanduser().absolute()
    if settings.validate and root.is_dir() and not (root / DESCRIPTION).is_file():
        raise ScanError(
            f"{root}: has no {DESCRIPTION}, so it is no BIDS dataset; add one, or go on all the "
            "same with --skip-bids-validation"
        )
    # Names of participants first: of thousands one may be wanted.
    known = _participants(root)
    wanted = settings.wanted.of_participants(known)
    index = index_dataset(root, wanted, settings.also)
    left_out = dict(index.strange)
    sessions: dict[str, list[BidsFile]] = {}
    for file in index.files:
        if settings.wanted.has_session(file.session) and settings.wanted.has(file):
            key = file.participant + (f"/{file.session}" if file.session else "")
            sessions.setdefault(key, []).append(file)
    publishes = settings.layout == "publish"
    tasks = []
    for key in sorted(sessions):
        task = _task(key, sessions[key], settings, left_out)
        if task.scans or (publishes and task.copies):
            tasks.append(task)
    if not any(task.scans for task in tasks):
        raise ScanError(f"{root}: nothing in it is to be protected; look at the filters")
    common = _common(index, settings, left_out) if publishes else ()
    untouched = sum(copy.is_image for task in tasks for copy in task.copies)
    return Plan(
        root, tuple(tasks), common, left_out if publishes else {}, untouched, len(wanted),
        len(wanted) < len(known), _unexamined(index, settings, left_out),
    )  # fmt: skip


def _participants(root: Path) -> list[str]:
    if not root.is_dir():
        raise ScanError(f"{root}: no such folder; check the path")
    return sorted(p.name for p in os.scandir(root) if p.name.startswith("sub-") and p.is_dir())


def _unexamined(
    index: BidsIndex, settings: BidsSettings, left_out: Mapping[str, str]
) -> dict[str, str]:
    """What of the files that are left out may be a scan of the dataset."""
    ignored = _ignored(index.root)
    found = {}
    for inside, reason in sorted(left_out.items()):
        person, *folders = inside.split("/")
        session = folders[0] if folders and folders[0].startswith("ses-") else None
        if (
            person.startswith("sub-")
            and (is_scan_name(inside) or is_unread_name(inside))
            and reason not in NOT_COPIED.values()
            and RECORDINGS.keys().isdisjoint(folders)
            and settings.wanted.has_session(session)
            and not any(is_named(inside, pattern) for pattern in ignored)
        ):
            found[inside] = reason
    return found


def _ignored(root: Path) -> list[str]:
    """Patterns of ``.bidsignore``: what they name is no part of the dataset."""
    try:
        lines = (root / ".bidsignore").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [
        line.strip().removeprefix("/") for line in lines if line.strip() and line[0] not in "#!"
    ]


def _task(
    key: str, files: Sequence[BidsFile], settings: BidsSettings, left_out: dict[str, str]
) -> Task:
    scans: list[BidsFile] = []
    maps: list[BidsFile] = []
    copies: list[Copy] = []
    for file in files:
        role, reason = role_of(file, everything=settings.everything)
        if role == "scan":
            scans.append(file)
        elif role == "map":
            maps.append(file)
        elif role in ("copy", "unprotected"):
            copies.append(Copy(file.path, file.inside, role == "unprotected"))
        elif role == "left_out":
            left_out[file.inside] = reason
    if not scans:
        # Nothing that they could follow.
        scans, maps = maps, []
    images = [_image(file, settings, None) for file in scans]
    derived = [_image(file, settings, companion_of(file, scans)) for file in maps]
    kept = copies if settings.layout == "publish" else []
    return Task(key, tuple(images), tuple(derived), tuple(kept))


def _image(file: BidsFile, settings: BidsSettings, leader: int | None) -> Image:
    target = file.inside
    if settings.layout == "derivative":
        # What was computed from others has no face to be replaced.
        done = "defaced" if leader is not None else f"{settings.method}d"
        folder = target.rpartition("/")[0]
        target = f"{folder}/{file.name.described(done)}"
    return Image(file.path, file.inside, target, file.name.suffix, leader)


def _common(index: BidsIndex, settings: BidsSettings, left_out: dict[str, str]) -> tuple[Copy, ...]:
    copies = []
    for path in index.common:
        inside = path.relative_to(index.root).as_posix()
        folder = inside.partition("/")[0] if "/" in inside else ""
        inherited = _INHERITED.fullmatch(inside)
        if inside == DESCRIPTION:
            continue
        if folder == "phenotype":
            known = inside.endswith((".tsv", ".json"))
        elif folder:
            known = is_text_name(path)
        else:
            known = bool(_ROOT_NAMES.fullmatch(inside))
            if inherited and inherited[1] in _INHERITED_SUFFIXES:
                role = inherited_role(inherited[1], everything=settings.everything)
                if role == "sidecar" and inside.endswith(".json"):
                    continue
                known = True
        if known:
            copies.append(Copy(path, inside))
        else:
            left_out[inside] = "not of a kind that is known to show no face"
    for name in index.skipped:
        left_out[f"{name}/"] = "not copied unless asked for"
    return tuple(copies)


def require_known_folders(root: Path, names: Sequence[str]) -> None:
    """Refuse folders asked for that the dataset does not have.

    Parameters
    ----------
    root : Path
    names : sequence of str
    """
    for name in names:
        if not (root / name).is_dir():
            raise TableError(f"{root / name}: no such folder; check --include")
