"""Which scans there are to look at, with their originals and what an audit says of them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faceblind.datasets.census import ScanFile, take_census
from faceblind.errors import ScanError
from faceblind.formats.names import without_ending
from faceblind.system.outputs import PRIVATE, WITHDRAWN
from faceblind.workflows.bids.manifest import Manifest
from faceblind.workflows.withdrawal import ReviewedTree

logger = logging.getLogger(__name__)

_ADDED = re.compile(r"_(?:desc|space|res|den)-[0-9A-Za-z]+")
_ADDED_ENDS = re.compile(r"_(?:defaced|refaced|deface|reface|anon|deidentified)(?=_|$)", re.I)


@dataclass(frozen=True)
class Source:
    """The files of one scan.

    Parameters
    ----------
    after : Path
        The protected scan.
    before : Path or None
        Its original.
    """

    after: Path
    before: Path | None

    def mark(self) -> str:
        """A text that is another one once a file has changed or an original is gone.

        Raises
        ------
        OSError
            If the protected scan cannot be looked at.
        """
        marks = [_mark(self.after)]
        if self.before is not None:
            try:
                marks.append(_mark(self.before))
            except OSError:
                marks.append("gone")
        return "-".join(marks)


def _mark(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size:x}.{found.st_mtime_ns:x}"


@dataclass(frozen=True)
class Judged:
    """What an audit says of a scan.

    Parameters
    ----------
    status : str
        ``"pass"``, ``"fail"``, ``"unsure"``; empty if it was not audited.
    score : float or None
        How much of a recognisable person was found, 0 to 1.
    reasons : tuple of str
    regions : mapping of str to float
        Region of face and ears to the share of its skin that remains.
    """

    status: str = ""
    score: float | None = None
    reasons: tuple[str, ...] = ()
    regions: Mapping[str, float] = field(default_factory=dict)


NOT_AUDITED = Judged()


@dataclass(frozen=True)
class Protected:
    """A protected scan.

    Parameters
    ----------
    inside : str
        Its path in the protected folder, with ``/``; stays when the scan is taken out.
    participant : str
    before : Path or None
        The original.
    judged : Judged
    """

    inside: str
    participant: str
    before: Path | None
    judged: Judged = NOT_AUDITED


def find_protected(
    tree: ReviewedTree, originals: Path | None, audit: Path | None = None
) -> list[Protected]:
    """The scans of a protected folder, those taken out of it among them.

    Parameters
    ----------
    tree : ReviewedTree
    originals : Path or None
        Folder of the scans before protection.
    audit : Path or None
        Output of ``faceblind audit`` on the protected folder.

    Returns
    -------
    list of Protected
        Sorted by path.

    Raises
    ------
    ScanError
        If there is none.
    """
    folders = (tree.root, tree.notes / WITHDRAWN.name, tree.notes / "redone")
    found: dict[str, ScanFile] = {}
    for folder in folders:
        if folder.is_dir():
            for scan in take_census(folder).scans:
                found.setdefault(scan.path.relative_to(folder).as_posix(), scan)
    real = [folder.resolve() for folder in folders]
    outside = [name for name, scan in found.items() if not _is_within(scan.path, real)]
    if outside:
        logger.warning("Links that lead out of the folder are not shown: %d scans", len(outside))
    sources: dict[str, str] = {}
    if tree.is_bids:
        sources, public = _of_manifest(tree.root)
        found = {name: scan for name, scan in found.items() if name in public}
    if not set(found) - set(outside):
        raise ScanError(f"{tree.root}: holds no protected scan; check the path")
    pairs = pair(found, originals, sources)
    judged = judgements(tree.root, audit)
    return [
        Protected(name, scan.participant_id, pairs.get(name), judged.get(name, NOT_AUDITED))
        for name, scan in sorted(found.items())
        if name not in outside
    ]


def _is_within(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a file lies, links followed, in one of the folders, whose links are resolved."""
    parents = set(path.resolve().parents)
    return any(folder in parents for folder in folders)


def _of_manifest(root: Path) -> tuple[dict[str, str], set[str]]:
    """By scan of an output of ``bids``, its original's path; and the scans that were protected."""
    with Manifest(root) as manifest:
        scans = manifest.scans()
        roles = {file.path for file in manifest.files() if file.role in ("protected", "follower")}
    own = roles | {scan.target for scan in scans if scan.status == "rejected"}
    return {scan.target: scan.source for scan in scans}, own


def pair(
    found: Mapping[str, ScanFile], originals: Path | None, sources: Mapping[str, str]
) -> dict[str, Path]:
    """The original of each protected scan, where exactly one fits.

    By the path in the two folders, else by the name, else by the name without what tools add to it
    (``desc-defaced``, ``_defaced``) among the same person's scans.

    Parameters
    ----------
    found : mapping of str to ScanFile
        Protected scans by path.
    originals : Path or None
    sources : mapping of str to str
        Paths that are known.
    """
    if originals is None:
        return {}
    if originals.is_file():
        return dict.fromkeys(found, originals) if len(found) == 1 else {}
    real = (originals.resolve(),)
    before = [one for one in take_census(originals).scans if _is_within(one.path, real)]
    by_path = {scan.path.relative_to(originals).as_posix(): scan.path for scan in before}
    by_name = _unique((scan.path.name, scan.path) for scan in before)
    by_key = _unique((_key(scan), scan.path) for scan in before)
    pairs = {}
    for name, scan in found.items():
        path = (
            by_path.get(sources.get(name, name))
            or by_name.get(scan.path.name)
            or by_key.get(_key(scan))
        )
        if path is not None:
            pairs[name] = path
    return pairs


def _key(scan: ScanFile) -> tuple[str, str]:
    stem = _ADDED_ENDS.sub("", _ADDED.sub("", without_ending(scan.path.name)))
    return scan.participant_id, stem


def _unique(items: Iterable[tuple[Any, Path]]) -> dict[Any, Path | None]:
    """Values by key; None where a key comes twice."""
    found: dict[Any, Path | None] = {}
    for key, path in items:
        found[key] = None if key in found else path
    return found


def judgements(root: Path, audit: Path | None = None) -> dict[str, Judged]:
    """What audits say of the scans of a folder, by path.

    Parameters
    ----------
    root : Path
        Of an output of ``bids`` its own audits are taken.
    audit : Path or None
        Output of ``faceblind audit`` on `root`.
    """
    found: dict[str, Judged] = {}
    if (root / PRIVATE / "manifest.sqlite").is_file():
        with Manifest(root) as manifest:
            for scan in manifest.scans():
                found[scan.target] = Judged(scan.status, reasons=(scan.reason,))
    for folder in (root / PRIVATE / "report", audit):
        if folder is not None:
            found |= _audited(folder / PRIVATE / "audit.json", wanted=folder is audit)
    return found


def _audited(path: Path, *, wanted: bool) -> dict[str, Judged]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(one["path"]): judged(one) for one in content}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        if wanted or not isinstance(error, FileNotFoundError):
            raise ScanError(
                f"{path}: cannot be read as the result of an audit; name the folder that "
                "'faceblind audit --out' wrote"
            ) from error
        return {}


def judged(verdict: Mapping[str, Any]) -> Judged:
    """An entry of an audit's JSON.

    Parameters
    ----------
    verdict : mapping
    """
    regions = {
        str(name): float(region["share"])
        for name, region in verdict["regions"].items()
        if region["share"] > 0
    }
    score = verdict["score"]
    return Judged(
        str(verdict["status"]),
        None if score is None else float(score),
        tuple(map(str, verdict["reasons"])),
        regions,
    )
