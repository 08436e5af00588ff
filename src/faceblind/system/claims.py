"""Pieces of work that one process at a time may hold, among several runs into one output.

A claim is a lock on a file, which the operating system gives back when its holder dies, however it
dies. No clock takes part.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from faceblind.errors import OutputError

if os.name == "posix":
    import fcntl

_held: set[str] = set()
"""Locks of a process do not exclude its own threads."""
_guard = threading.Lock()
_TRIES = 5
_PAUSE_S = 0.02


@contextlib.contextmanager
def claim(path: str | Path, *, wait_s: float = 0.0) -> Iterator[bool]:
    """Hold a piece of work while the block runs.

    Parameters
    ----------
    path : path
        Names the work; the file is made and taken away again. Its folder must exist.
    wait_s : float
        How long to wait for another holder.

    Yields
    ------
    bool
        Whether it is held; False where another process or thread holds it.

    Raises
    ------
    OutputError
        If the file cannot be made or locked.
    """
    name = str(Path(path).resolve())
    until = time.monotonic() + wait_s
    while not (got := _take(name)) and time.monotonic() < until:
        time.sleep(_PAUSE_S)
    if not got:
        yield False
        return
    stream: IO[bytes] | None = None
    try:
        while (stream := _lock(name)) is None and time.monotonic() < until:
            time.sleep(_PAUSE_S)
        yield stream is not None
    finally:
        if stream is not None:
            # Gone before it is given back: see `_lock`.
            with contextlib.suppress(OSError):
                Path(name).unlink()
            stream.close()
        with _guard:
            _held.discard(name)


def claimed(folder: str | Path) -> int:
    """How many claims of a folder are held now.

    Parameters
    ----------
    folder : path
    """
    count = 0
    for path in Path(folder).glob("*"):
        with _guard:
            is_ours = str(path.resolve()) in _held
        if is_ours:
            # To look at a lock of one's own would give it back.
            count += 1
            continue
        stream = None
        with contextlib.suppress(OutputError):
            stream = _lock(str(path), tries=1, make=False)
        if stream is None:
            count += path.exists()
        else:
            stream.close()
    return count


def locks_exclude(folder: str | Path) -> bool:
    """Whether a lock in a folder keeps another process out; on some network shares none does.

    Parameters
    ----------
    folder : path
    """
    if os.name != "posix":
        return True
    path = Path(folder) / f"lock-probe-{os.getpid()}"
    try:
        with path.open("wb") as stream:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            child = os.fork()
            if child == 0:
                os._exit(_excluded(path))
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    except OSError:
        return False
    finally:
        path.unlink(missing_ok=True)


def _excluded(path: Path) -> int:
    """In another process: 0 where the lock is refused."""
    try:
        with path.open("wb") as stream:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return 0
    return 1


def _take(name: str) -> bool:
    with _guard:
        if name in _held:
            return False
        _held.add(name)
        return True


def _lock(name: str, *, tries: int = _TRIES, make: bool = True) -> IO[bytes] | None:
    """The locked file, or None where another process holds it.

    Some tries, because whoever counts claims holds each for a moment. A holder takes its file away
    before it gives the lock back, so a lock counts only on the file that has the name.
    """
    for attempt in range(tries):
        if attempt:
            time.sleep(_PAUSE_S)
        try:
            stream = Path(name).open("ab" if make else "r+b")  # noqa: SIM115 - open while held
        except FileNotFoundError as error:
            if make:
                raise OutputError(f"{name}: cannot be made; its folder is missing") from error
            return None
        except OSError as error:
            raise OutputError(f"{name}: cannot be opened ({error.strerror})") from error
        try:
            _lock_stream(stream)
            if os.path.samestat(os.fstat(stream.fileno()), Path(name).stat()):
                return stream
        except FileNotFoundError:
            pass
        except OSError:
            stream.close()
            continue
        stream.close()
    return None


def _lock_stream(stream: IO[bytes]) -> None:
    if os.name == "posix":
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
