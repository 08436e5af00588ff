"""A group in a service that is deleted again, whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from faceblind.errors import ServiceError
from faceblind.recognition.services.interface import IdentificationService
from faceblind.system.tables import write_json

_TOKEN_BYTES = 12


def new_token() -> str:
    """A random name that says nothing about whom it stands for."""
    return secrets.token_hex(_TOKEN_BYTES)


@contextlib.contextmanager
def temporary_group(service: IdentificationService, note: Path) -> Iterator[str]:
    """A group that exists while the block runs.

    Deleted when the block ends, fails or is interrupted (Ctrl-C, or SIGTERM as batch systems send
    it). Its name lies in `note` as long as it may exist, so that a run after a power cut deletes
    what the earlier one left.

    Parameters
    ----------
    service : IdentificationService
    note : Path
        A file in a private folder.

    Yields
    ------
    str
        The group's name.

    Raises
    ------
    ServiceError
        If the group cannot be made or deleted; then it says which to delete by hand.
    """
    _delete_left(service, note)
    group = f"faceblind-{new_token()}"
    write_json(note, {"service": service.name, "group": group})
    with _terminated_as_interrupted():
        try:
            service.open(group)
            yield group
        finally:
            with _undisturbed():
                _delete(service, group, note)


def _delete_left(service: IdentificationService, note: Path) -> None:
    """Delete the group that an earlier run could not."""
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
        name, group = str(content["service"]), str(content["group"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ServiceError(
            f"{note}: cannot be read, so that a group of an earlier run may be left in the "
            "service; delete it by hand, then this file"
        ) from error
    if name != service.name:
        raise ServiceError(
            f"{note}: an earlier run left a group in the service {name}; run it again with "
            f"--service {name}, or delete the group by hand, then this file"
        )
    _delete(service, group, note)


def _delete(service: IdentificationService, group: str, note: Path) -> None:
    try:
        service.close(group)
    except ServiceError as error:
        raise ServiceError(
            f"the group {group} could NOT be deleted: it still holds the uploaded faces; run the "
            f"same command again or delete it by hand ({error})"
        ) from error
    note.unlink(missing_ok=True)


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt instead of ending the process at once."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(signal.SIGTERM, interrupt):
        yield


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Neither Ctrl-C nor SIGTERM ends what must be finished."""
    with _handled(signal.SIGINT, signal.SIG_IGN), _handled(signal.SIGTERM, signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handled(number: signal.Signals, handler: signal._HANDLER) -> Iterator[None]:
    """A signal's handler for a while; only the main thread may set one."""
    if threading.current_thread() is not threading.main_thread() or os.name != "posix":
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
