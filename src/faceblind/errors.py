"""Errors that a user can act on.

Every message is one line that names the file or item, says what is wrong and what to do next.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

logger = logging.getLogger(__name__)


class FaceblindError(ValueError):
    """Base of all errors that faceblind raises on purpose."""


class ScanError(FaceblindError):
    """A scan cannot be read or cannot be a head scan."""


class PhotographError(FaceblindError):
    """A photograph cannot be read or does not show one usable face."""


class ConsentError(FaceblindError):
    """A photograph lacks consent; the study refuses to run."""


class TableError(FaceblindError):
    """A participants or photographs table is malformed."""


class AlignmentError(FaceblindError):
    """The head could not be found with enough confidence."""


class RecogniserError(FaceblindError):
    """A recogniser is missing, damaged or unsuitable."""


class ServiceError(FaceblindError):
    """A remote service may not be used, cannot be reached, or refuses."""


class OutputError(FaceblindError):
    """The output place is unsuitable (exists, is an input, cannot be written)."""


def missing(path: Path) -> ScanError:
    """The error for a file that is not there, or whose content is not (git-annex, DataLad)."""
    if path.is_symlink():
        return ScanError(
            f"{path}: is a link to a missing file; fetch its content first, for example with "
            "`datalad get`"
        )
    return ScanError(f"{path}: no such file; check the path")


def why(problem: BaseException) -> str:
    """One line saying why an item failed.

    Parameters
    ----------
    problem : exception
        What it raised. Of errors that faceblind does not raise on purpose the text is left out,
        because it may quote a header; the traceback goes to the log under ``--verbose``.
    """
    if isinstance(problem, FaceblindError):
        return " ".join(str(problem).split()) or type(problem).__name__
    if isinstance(problem, MemoryError):
        return "not enough memory; try --n-jobs 1 or close other programs"
    logger.debug("An item failed unexpectedly:", exc_info=problem)
    return internal_error(problem)


def internal_error(error: BaseException) -> str:
    """One line about an unexpected error: type and place; its text may quote a header."""
    package = Path(__file__).parent
    # The frame that ran the item says nothing.
    pool = str(package / "system" / "workers.py")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != pool]
    frames = [f for f in frames if package in Path(f.filename).parents] or frames
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"internal error ({type(error).__name__}{place}); run again with -v and report it"
