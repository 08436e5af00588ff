"""From a scan to the pictures of its face: the steps in a row."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import AlignmentError
from faceblind.face import reconstruction
from faceblind.face.cameras import DEFAULT_LIGHTS, Light
from faceblind.face.reconstruction import Face, Variant
from faceblind.face.render import Renders, render
from faceblind.head.alignment import CONFIDENT, Alignment
from faceblind.head.error_context import about, explained
from faceblind.head.own_head import OwnHead, find_own_head, or_dim
from faceblind.head.presence import BOUNDS, Presence, find_presence
from faceblind.head.reference_volume import lead_of
from faceblind.head.skin import Skin
from faceblind.scan import Scan

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReconstructedHead:
    """The stations of one scan before its pictures.

    Parameters
    ----------
    alignment : Alignment
    as_is, completed : Face
    presence : Presence
        How much of a face the scan shows.
    """

    alignment: Alignment
    as_is: Face
    completed: Face
    presence: Presence

    def variant(self, name: Variant) -> Face:
        """The face called `name`."""
        return self.as_is if name == "as-is" else self.completed


def reconstruct_head(scan: Scan) -> ReconstructedHead:
    """Skin, alignment and both faces of a scan, intact or not.

    Parameters
    ----------
    scan : Scan
        Any contrast and orientation; of a series, the volume that shows the head best.

    Raises
    ------
    ScanError
        If no head stands out from the air.
    AlignmentError
        If the head was not found with enough confidence.
    """
    if scan.voxels.ndim == 4:
        logger.info("A series of %d volumes.", scan.voxels.shape[3])
        scan = lead_of(scan)
    skin, found = _believed(or_dim(find_own_head(scan, any_size=False)))
    with about(scan):
        as_is, completed = reconstruction.reconstruct(skin, found)
    return ReconstructedHead(found, as_is, completed, find_presence(found))


def _believed(own: OwnHead) -> tuple[Skin, Alignment]:
    """Skin and alignment of a head that may have lost its face."""
    if own.alignment is not None and not own.is_confident:
        error = AlignmentError(
            f"the head was not found with enough confidence ({own.alignment.confidence:.2f} of "
            f"{CONFIDENT:.2f}); look at the scan and its orientation"
        )
        raise explained(error, own.scan)
    if own.error is not None:
        raise own.error
    assert own.skin is not None
    assert own.alignment is not None
    return own.skin, own.alignment


def require_face(head: ReconstructedHead, name: str) -> None:
    """Refuse a head whose face is missing.

    Raises
    ------
    AlignmentError
        If the face was removed or lies outside the field of view.
    """
    if head.presence.seen < BOUNDS.least_seen:
        raise AlignmentError(f"{name}: the face lies outside the field of view")
    if head.presence.is_gone:
        raise AlignmentError(
            f"{name}: the face is missing (skin on {head.presence.share:.0%} of it); "
            "the scan may have been defaced already"
        )


def render_face(face: Face, lights: Sequence[Light] = DEFAULT_LIGHTS) -> Renders:
    """Pictures of a face from every default camera, under every light given."""
    return render(face.points, face.faces, face.normals, face.landmarks, lights=lights)


def render_list(renders: Renders) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Pictures (N, H, W) of all views and lights in a row, and their landmarks (N, 5, 2)."""
    views, lights = renders.images.shape[:2]
    images = renders.images.reshape(views * lights, *renders.images.shape[2:])
    return images, np.repeat(renders.landmarks, lights, axis=0)
