"""What lies in an audited folder and no attack looks at: the gate must not be silent about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from faceblind.attacks.mask_outline import shows_no_more
from faceblind.attacks.reasons import Reason
from faceblind.attacks.verdict import Verdict
from faceblind.datasets.census import OUTLINE
from faceblind.formats.names import without_ending
from faceblind.formats.unread import Unread

_ADVICE = {
    "image": "convert it to NIfTI so that it can be audited, or name it with --ignore",
    "mask": "look whether it shows a face, or name it with --ignore",
    "scan": "audit its folder by itself, or name it with --ignore",
    "other": "take it out if it shows a head, or name it with --ignore",
}


def not_examined(unread: Unread, folder: Path) -> Verdict:
    """The verdict on a file that may show a head and that no attack looks at.

    Parameters
    ----------
    unread : Unread
    folder : Path
        What is audited.
    """
    name = unread.path.relative_to(folder).as_posix()
    if unread.what.startswith("a scan "):
        kind = "scan"
    elif unread.what == OUTLINE:
        kind = "mask"
    else:
        kind = "image" if unread.is_image else "other"
    reason = Reason("mask_outline" if kind == "mask" else "not_examined", unread.what)
    return Verdict(name, "not_examined", (reason,), (_ADVICE[kind],))


def set_aside(
    verdicts: Sequence[Verdict], patterns: Sequence[str]
) -> tuple[tuple[Verdict, ...], dict[str, tuple[str, ...]]]:
    """Take away what patterns name.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of files that are not examined.
    patterns : sequence of str
        See `is_named`.

    Returns
    -------
    tuple of Verdict and dict of str to tuple of str
        What is left, and the paths that each pattern took, the first that fits.
    """
    unexamined: list[Verdict] = []
    taken: dict[str, list[str]] = {pattern: [] for pattern in patterns}
    for verdict in verdicts:
        pattern = next((p for p in patterns if is_named(verdict.path, p)), None)
        if pattern is None:
            unexamined.append(verdict)
        else:
            taken[pattern].append(verdict.path)
    return tuple(unexamined), {pattern: tuple(paths) for pattern, paths in taken.items()}


def is_named(path: str, pattern: str) -> bool:
    """Whether a shell pattern names a file or a folder that holds it, as in ``.gitignore``.

    Parameters
    ----------
    path : str
        Relative to the folder that is audited, with ``/``.
    pattern : str
        Without ``/`` (but at its end) it may fit any part of the path; else the path from its
        start. ``*`` stands for anything, ``?`` for one character, ``[...]`` for one of several.

    Examples
    --------
    >>> is_named("sub-1/anat/a.mif", "*.mif"), is_named("sourcedata/sub-1/a.dcm", "sourcedata/")
    (True, True)
    >>> is_named("sub-1/anat/a.mif", "sub-2/*"), is_named("a.mif", "**/*.mif")
    (False, True)
    """
    pattern = pattern.removeprefix("./").removeprefix("**/").rstrip("/")
    parts = PurePosixPath(path).parts
    if "/" not in pattern:
        return any(fnmatchcase(part, pattern) for part in parts)
    return any(fnmatchcase("/".join(parts[: k + 1]), pattern) for k in range(len(parts)))


def is_explained(verdict: Verdict, folder: Path, passed: Mapping[Path, str]) -> bool:
    """Whether a file is a mask that shows no more than a scan of its person beside it that passed.

    Parameters
    ----------
    verdict : Verdict
        Of a file that is not examined.
    folder : Path
        What is audited.
    passed : mapping of Path to str
        Scans that passed, and what faceblind replaced in them.
    """
    if verdict.reasons[0].kind != "mask_outline":
        return False
    mask = folder / verdict.path
    person = mask.name.split("_")[0]
    scans = [
        scan
        for scan in passed
        if scan.parent == mask.parent and without_ending(scan.name).split("_")[0] == person
    ]
    return any(shows_no_more(mask, scan, passed[scan]) for scan in scans)


def remarks_on(
    unexamined: Sequence[Verdict], ignored: dict[str, tuple[str, ...]], folder: Path
) -> tuple[str, ...]:
    """What is to be said of what no attack looked at."""
    said = []
    if (folder / ".git").exists():
        said.append(
            "The history in .git was not examined; it may hold scans from before protection."
        )
    if unexamined:
        said.append(
            f"Not examined: {len(unexamined)} files that may show a head. The gate stays shut "
            "until they are converted, taken out or named with --ignore."
        )
    for pattern, paths in ignored.items():
        count = len(paths)
        said.append(
            f"Ignored by {pattern!r}: {count} files."
            if count
            else f"Ignored by {pattern!r}: nothing; no file that is not examined has such a name."
        )
    return tuple(said)


def in_lines(verdicts: Sequence[Verdict], few: int = 3) -> list[str]:
    """Lines for a terminal: of a folder with more than a few files of one kind, one line.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of files that are not examined.
    few : int
    """
    groups: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in verdicts:
        kind = (
            str(PurePosixPath(verdict.path).parent),
            verdict.reasons[0].public_text,
            verdict.advice[0],
        )
        groups.setdefault(kind, []).append(verdict)
    lines = []
    for (_, reason, advice), members in groups.items():
        if len(members) <= few:
            lines += [f"not_examined  {verdict.path}: {reason}" for verdict in members]
        else:
            first = members[0].path
            more = f"{len(members) - 1} more in its folder"
            lines.append(f"not_examined  {first} and {more}: {reason}")
        lines.append(f"        do: {advice}")
    return lines
