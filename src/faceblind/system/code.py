"""What this code is, so that results of another code are not taken for its own."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Digest of the package's sources and of its data's names and sizes, 64 hexadecimal digits.

    Every threshold, model and line of code decides what is found in a scan. Keys of cached results
    hold this digest, so that nobody has to remember to raise a version.
    """
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(PACKAGE).as_posix()
            digest.update(f"{name}\0{path.stat().st_size}\0".encode())
            # Data files change with their size or with the sources; reading 44 MB would be slow.
            if path.suffix == ".py":
                digest.update(path.read_bytes())
    return digest.hexdigest()
