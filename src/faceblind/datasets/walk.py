"""What files a folder holds, links followed and each folder entered once."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path

SKIPPED_FOLDERS = {"derivatives", "sourcedata", "code", "truth", "private"}


@dataclass(frozen=True)
class Walk:
    """What a folder holds.

    Parameters
    ----------
    files : list of Path
        Files, and links to missing ones, sorted.
    closed : list of (Path, str)
        What was not entered or cannot be opened, and why, sorted.
    """

    files: list[Path]
    closed: list[tuple[Path, str]]


def is_skipped(folders: tuple[str, ...]) -> bool:
    """Whether folders, outermost first, are hidden or hold what is not a person's own scans."""
    return any(name.startswith(".") or name in SKIPPED_FOLDERS for name in folders)


def walk(folder: Path) -> Walk:
    """All files under a folder, with those of linked folders.

    Each folder is entered once: by its own name rather than by a link to it, and by a name that is
    looked at rather than by one that is skipped. Links to what holds `folder` are not followed.
    ``.git`` is not entered: git-annex keeps there what the links outside stand for.

    Parameters
    ----------
    folder : Path
    """
    above = {str(parent) for parent in Path(os.path.realpath(folder)).parents}
    entered: set[str] = set()
    files: list[Path] = []
    closed: list[tuple[Path, str]] = []

    def refused(error: OSError) -> None:
        closed.append((Path(error.filename), "a folder that cannot be opened"))

    waiting = [(False, folder)]
    while waiting:
        late, top = heappop(waiting)
        for name, inside, here in os.walk(top, onerror=refused):
            place, real = Path(name), os.path.realpath(name)
            if real in above:
                closed.append((place, "a link to a folder that holds this one, not followed"))
            if real in above or real in entered:
                inside.clear()
                continue
            entered.add(real)
            walked = []
            for entry in sorted(set(inside) - {".git"}):
                later = is_skipped((place / entry).relative_to(folder).parts)
                if (place / entry).is_symlink() or (later and not late):
                    heappush(waiting, (later, place / entry))
                else:
                    walked.append(entry)
            inside[:] = walked
            for path in (place / entry for entry in here):
                if _is_ordinary(path):
                    files.append(path)
                else:
                    closed.append((path, "no ordinary file (a pipe, socket or device)"))
    return Walk(sorted(files), sorted(closed))


def _is_ordinary(path: Path) -> bool:
    """Whether a path is a file; also where that cannot be known, which opening it will say."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return True
