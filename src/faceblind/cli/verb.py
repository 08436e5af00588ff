"""What every verb does around its work: logging, one-line errors, exit codes."""

from __future__ import annotations

import functools
import gc
import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import ParamSpec

import typer

from faceblind.errors import FaceblindError

DONE, FAILED, USAGE, GATE, INTERRUPTED = 0, 1, 2, 3, 130

Parameters = ParamSpec("Parameters")

_LABEL = re.compile(r"\bsub-[0-9A-Za-z]+")
_PATH = re.compile(r"(?:\b[A-Za-z]:\\|(?<![\w./])/)[^\s'\":,;]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class PrivacyFilter(logging.Filter):
    """Takes participants' labels, paths and control characters out of log messages.

    Logs are pasted into issues and kept by job schedulers; who took part does not belong there.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the message; never drop a record."""
        message = _PATH.sub("<path>", record.getMessage())
        record.msg = _CONTROL.sub(" ", _LABEL.sub("sub-*", message)).strip()
        record.args = None
        return True


def verb(function: Callable[Parameters, int | None]) -> Callable[Parameters, None]:
    """Make a typer command of a function that does the work and may return an exit code.

    Errors that faceblind raises on purpose become one line on standard error and exit code 1;
    unexpected ones too, with a traceback only under ``--verbose``. Interruption gives 130.
    """

    @functools.wraps(function)
    def command(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        verbose, quiet = bool(kwargs.get("verbose")), bool(kwargs.get("quiet"))
        set_up_logging(verbose=verbose, quiet=quiet, as_json=bool(kwargs.get("log_json")))
        try:
            code = function(*args, **kwargs) or DONE
        except FaceblindError as error:
            say(f"faceblind: error: {error}")
            code = FAILED
        except KeyboardInterrupt:
            say("faceblind: interrupted")
            code = INTERRUPTED
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001 - the last line of defence, and it says so
            if verbose:
                traceback.print_exc()
            hint = "" if verbose else "; run again with --verbose and report it"
            say(f"faceblind: unexpected error: {type(error).__name__}: {error}{hint}")
            code = FAILED
        raise typer.Exit(code)

    return command


@contextmanager
def quick_imports() -> Iterator[None]:
    """For many imports at once: the search for garbage would take a twentieth of their time."""
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.enable()


class JsonLines(logging.Formatter):
    """One JSON object a line, for batch systems."""

    def format(self, record: logging.LogRecord) -> str:
        """Time (UTC), level and message."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        content = {"time": when, "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(content, ensure_ascii=False)


def set_up_logging(*, verbose: bool, quiet: bool, as_json: bool = False) -> None:
    """Log to standard error through the privacy filter."""
    from rich.console import Console
    from rich.logging import RichHandler

    handler: logging.Handler
    if as_json:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
    else:
        handler = RichHandler(
            console=Console(stderr=True),
            show_time=verbose,
            show_path=verbose,
            show_level=verbose,
            markup=False,
            highlighter=None,
        )
    handler.addFilter(PrivacyFilter())
    logger = logging.getLogger("faceblind")
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)


def one_line(text: str) -> str:
    """A text for the terminal, also where it quotes a name that holds line breaks or escapes."""
    return _CONTROL.sub(" ", text)


def say(line: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(one_line(line) + "\n")
