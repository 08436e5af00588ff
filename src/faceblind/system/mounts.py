"""What kind of file system holds a folder."""

from __future__ import annotations

import re
from pathlib import Path

_NETWORK = re.compile(
    r"nfs\d*|cifs|smb\w*|9p|afs|lustre|gpfs|beegfs|ceph|glusterfs|pvfs2|orangefs|virtiofs|fuse\..*"
)


def network_file_system(folder: str | Path, table: str | None = None) -> str:
    """The kind of a file system that other machines share; empty for a local or unknown one.

    Parameters
    ----------
    folder : path
    table : str, optional
        Mounts, one a line, as Linux lists them; by default its own list.
    """
    if table is None:
        try:
            table = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
    place = Path(folder).resolve()
    best, kind = -1, ""
    for line in table.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), parts[1]))
        # Of two on one place the later covers the earlier.
        if (point == place or point in place.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), parts[2]
    return kind if _NETWORK.fullmatch(kind) else ""
