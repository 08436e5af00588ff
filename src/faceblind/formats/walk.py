"""What files a folder holds, links followed and each folder entered once."""

from __future__ import annotations

import os
from heapq import heappop, heappush
from pathlib import Path

SKIPPED_FOLDERS = {"derivatives", "sourcedata", "code", "truth", "private"}


def is_skipped(folders: tuple[str, ...]) -> bool:
    """Whether folders, outermost first, are hidden or hold what is not a person's own scans."""
    return any(name.startswith(".") or name in SKIPPED_FOLDERS for name in folders)


def files_under(folder: Path) -> list[Path]:
    """All files under a folder, sorted, with those of linked folders.

    Each folder is entered once: by its own name rather than by a link to it, and by a name that is
    looked at rather than by one that is skipped. Links to what holds `folder` are not followed.
    ``.git`` is not entered: git-annex keeps there what the links outside stand for.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path
        Files, and links to missing ones.
    """
    entered = {str(parent) for parent in Path(os.path.realpath(folder)).parents}
    files: list[Path] = []
    waiting = [(False, folder)]
    while waiting:
        late, top = heappop(waiting)
        for name, inside, here in os.walk(top):
            place, real = Path(name), os.path.realpath(name)
            if real in entered:
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
            paths = [place / entry for entry in here]
            files += [path for path in paths if path.is_file() or path.is_symlink()]
    return sorted(files)
