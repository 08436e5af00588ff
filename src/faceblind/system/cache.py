"""Results of files, kept and found again by the content of the files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import OutputError
from faceblind.system.files import atomic_path
from faceblind.system.outputs import private_dir
from faceblind.system.tables import plain

logger = logging.getLogger(__name__)


def cache_key(digests: str | Sequence[str], version: str, settings: Mapping[str, Any]) -> str:
    """Name of a cached result: what went in, by which code, with which settings.

    Parameters
    ----------
    digests : str or sequence of str
        `file_digest` of each input file, in an order that matters.
    version : str
        Version of the code that makes the features; a change abandons old entries.
    settings : mapping
        Everything else that changes the result. Plain values; the order does not matter.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    inputs = [digests] if isinstance(digests, str) else list(digests)
    text = json.dumps([inputs, version, plain(settings)], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """Features of files, found again by content.

    An entry is a set of named arrays. Entries are written whole, so that an interrupted run loses
    at most what was being computed; several processes may share a cache. Damaged entries are
    dropped, and the caller computes them again.

    Parameters
    ----------
    root : path
        Folder of the entries, made private: embeddings are biometric data.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = private_dir(root)

    def path(self, key: str) -> Path:
        """Where the entry `key` lies, whether or not it exists."""
        if not key.isalnum():
            raise OutputError(f"cache: {key!r} is not a key; use cache_key")
        return self.root / key[:2] / f"{key}.npz"

    def get(self, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays stored under `key`, or None when absent or damaged."""
        path = self.path(key)
        try:
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile):
            logger.warning("A damaged cache entry is dropped and computed again.")
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return None

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store arrays under `key`, replacing what was there.

        Raises
        ------
        OutputError
            For object arrays (they would need pickle, which runs code when read) and when the
            entry cannot be written.
        """
        plain = {name: np.asarray(value) for name, value in arrays.items()}
        objects = [name for name, value in plain.items() if value.dtype.hasobject]
        if objects:
            raise OutputError(f"cache: {objects[0]!r} is an object array; store plain numbers")
        path = self.path(key)
        private_dir(path.parent)
        try:
            with atomic_path(path) as temporary, temporary.open("wb") as stream:
                np.savez(stream, **plain)  # type: ignore[arg-type]
        except OSError as error:
            raise OutputError(f"cache: cannot be written ({error.strerror})") from error
