"""Errors that a user can act on.

Every message is one line that names the file or item, says what is wrong and what to do next.
"""

from __future__ import annotations


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


class OutputError(FaceblindError):
    """The output place is unsuitable (exists, is an input, cannot be written)."""
