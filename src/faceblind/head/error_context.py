"""Errors that say which scan they are about, and what in its header may be the cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from faceblind.errors import AlignmentError, FaceblindError, ScanError
from faceblind.scan import Scan

_IDENTITY = (
    "its transform is the identity (voxels of 1 mm, the first at the origin), as where the voxel "
    "size was lost: if so, set it anew"
)


def explained(error: FaceblindError, scan: Scan) -> FaceblindError:
    """The same error with the scan's name in front and, after it, what its header leaves in doubt.

    Parameters
    ----------
    error : FaceblindError
        Of a step that looks for a head.
    scan : Scan
        In which it looked.
    """
    name, text = scan.source or "scan", str(error)
    if not text.startswith(f"{name}: "):
        text = f"{name}: {text}"
    doubt = scan.doubt or (_IDENTITY if _is_identity(scan) else "")
    if doubt and doubt not in text:
        text = f"{text}; {doubt}"
    return error if text == str(error) else type(error)(text)


def _is_identity(scan: Scan) -> bool:
    """Whether the transform says nothing, in any order of the axes."""
    linear, origin = scan.affine[:3, :3], scan.affine[:3, 3]
    return bool(not origin.any() and np.isin(linear, (0.0, 1.0)).all() and linear.sum() == 3)


@contextmanager
def about(scan: Scan) -> Iterator[None]:
    """Errors from within, explained for this scan.

    Parameters
    ----------
    scan : Scan

    Raises
    ------
    ScanError, AlignmentError
        What was raised within, see `explained`.
    """
    try:
        yield
    except (ScanError, AlignmentError) as error:
        raise explained(error, scan) from error
