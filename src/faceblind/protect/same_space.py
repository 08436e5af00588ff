"""Whether an image that was derived from a scan lies in that scan's space.

Its header says so, or its content does: what it shows must lie where the scan's head is, and be
registered to it best about where it lies already. An image that shows too little to tell is
believed only if its header can be.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.errors import ScanError
from faceblind.geometry.grid import from_scan, regrid
from faceblind.head.motion import apart, around
from faceblind.head.reference_volume import at_time, volumes
from faceblind.head.registration import LEAST_INFORMATION, look_around
from faceblind.head.whole_head import Head
from faceblind.scan import Scan

WORKING_MM = 3.0
VOLUMES = 12
"""Volumes of a derived series that are averaged, at most."""
NEAR_MM = 8.0
"""Distance, at the head's surface, by which the two may be registered to each other best."""
MUCH_MORE, LITTLE = 1.3, 0.004
"""Ratio, and what comes on top, of mutual information that tells one place from another."""
SURE_INFORMATION = 1.04
"""From this an image bears out by itself that it lies where the scan does."""
MIDDLE_OF_BRAIN = np.array([[0.0, -18.0, 56.0]])
"""Template mm."""
_ADVICE = "give images in the space of the first scan, or protect it as a scan of its own"


class Content(StrEnum):
    """What an image's own content says of its space."""

    FITS = "fits"
    CONTRADICTS = "contradicts"
    SILENT = "says nothing"


def in_space_of(
    image: Scan, scan: Scan, head: Head, *, same_grid: bool = False, name: str = "the scan"
) -> Scan:
    """A derived image with the affine that puts it where the scan's head is.

    Parameters
    ----------
    image : Scan
        A map, labels, or another image derived from the scan.
    scan : Scan
        The scan, or the volume of a series in which its head was found.
    head : Head
        Of the scan.
    same_grid : bool
        The user says that an image without a position has the scan's voxels, one for one.
    name : str
        The scan's, for messages.

    Returns
    -------
    Scan
        The image; with the scan's affine where only the grid joins them.

    Raises
    ------
    ScanError
        If the header does not say where the image lies, or its content says otherwise.
    """
    source = image.source or "image"
    doubt = _doubt(image, scan, name)
    unplaced = 0 in (image.position.code, scan.position.code)
    if doubt and same_grid:
        _require_same_grid(image, scan, source, name)
        image, doubt = replace(image, affine=scan.affine), ""
    if doubt and unplaced:
        raise ScanError(
            f"{source}: {doubt}; set its header's position, or add --same-grid if its voxels are "
            f"those of {name} one for one"
        )
    _require_shown(image, head, source, name)
    found = content(image, scan, head)
    if found is Content.CONTRADICTS:
        raise ScanError(
            f"{source}: what it shows does not lie where {name} has the head; {_ADVICE}"
        )
    if doubt and found is not Content.FITS:
        raise ScanError(
            f"{source}: {doubt}, and it shows too little to tell; repair its header, or add "
            f"--same-grid if its voxels are those of {name} one for one"
        )
    return image


def _doubt(image: Scan, scan: Scan, name: str) -> str:
    """Why the headers do not say that two images lie in one space; empty if they do."""
    own, other = image.position, scan.position
    if own.code == 0:
        return "its header has no position, so that nobody knows where it lies"
    if other.code == 0:
        return f"{name} has no position in its header, so that nobody knows where this lies in it"
    if max(own.code, other.code) > 2 and own.code != other.code:
        return f"its header names another space (form code {own.code}) than {name} ({other.code})"
    if own.second is None and other.second is None:
        return ""
    if own.second is not None and other.second is not None:
        same = np.allclose(own.second @ np.linalg.inv(image.affine),
                           other.second @ np.linalg.inv(scan.affine), atol=0.05)  # fmt: skip
        if same:
            return ""
    whose = "its" if own.second is not None else f"{name}'s"
    return f"{whose} header puts the voxels in two places (qform and sform differ)"


def _require_same_grid(image: Scan, scan: Scan, source: str, name: str) -> None:
    """Refuse an image whose voxels cannot be the scan's."""
    same_size = np.allclose(image.spacing, scan.spacing, rtol=0.01, atol=0.005)
    if image.shape != scan.shape or not same_size:
        shapes = [" x ".join(map(str, one.shape)) for one in (image, scan)]
        raise ScanError(
            f"{source}: its voxels ({shapes[0]}) are not those of {name} ({shapes[1]}, or of "
            "another size), so that --same-grid does not hold; set its header's position"
        )


def _require_shown(image: Scan, head: Head, source: str, name: str) -> None:
    """Refuse an image in whose field of view the middle of the head's brain does not lie."""
    back = np.linalg.inv(head.alignment.scan_to_template)
    index = image.index(apply_affine(back, MIDDLE_OF_BRAIN))
    if not ((index >= 0) & (index <= np.asarray(image.shape) - 1)).all():
        raise ScanError(f"{source}: does not show the head where {name} has it; {_ADVICE}")


def content(image: Scan, scan: Scan, head: Head) -> Content:
    """What an image's own content says.

    It contradicts if it tells clearly more of the scan, or the scan of it, when it is moved or
    turned to front or back, top or bottom. (Mirrored left to right, a head loses the same region.)

    Parameters
    ----------
    image : Scan
        With the affine that is to be believed or not.
    scan : Scan
        The scan, or the leading volume of a series.
    head : Head
        Of the scan.
    """
    shown = _mean(image)
    places = around(head.alignment)
    centre = places.mean(axis=0).astype(np.float64)
    here, found = look_around(shown, scan, places)
    near = apart(found.scan_to_target, np.eye(4), centre) <= NEAR_MM
    own = max(here, found.information) if near else here
    if not near and _tells_more(found.information, own):
        return Content.CONTRADICTS
    for turned in _turned(shown, head, centre):
        if _tells_more(look_around(turned, scan, places)[1].information, own):
            return Content.CONTRADICTS
    return Content.FITS if own >= SURE_INFORMATION else Content.SILENT


def _tells_more(information: float, own: float) -> bool:
    """Whether an image tells clearly more of the scan in another place than in its own."""
    least = max(LEAST_INFORMATION, 1.0 + MUCH_MORE * (own - 1.0) + LITTLE)
    return information >= least


def _turned(shown: Scan, head: Head, centre: NDArray[np.float64]) -> list[Scan]:
    """An image with front and back, top and bottom, and both, changed about the head's middle."""
    upright = head.alignment.scan_to_template_rigid[:3, :3]
    out = []
    for signs in ((1, -1, 1), (1, 1, -1), (1, -1, -1)):
        turn = np.eye(4)
        turn[:3, :3] = upright.T @ np.diag(signs) @ upright
        turn[:3, 3] = centre - turn[:3, :3] @ centre
        out.append(replace(shown, affine=turn @ shown.affine))
    return out


def _mean(image: Scan) -> Scan:
    """Magnitude of an image on coarse voxels, averaged over the volumes of a series."""
    count = volumes(image)
    times = sorted({round(t) for t in np.linspace(0, count - 1, min(count, VOLUMES))})
    total, affine = np.zeros(()), image.affine
    for t in times:
        grid = from_scan(at_time(image, t))
        values = np.abs(np.nan_to_num(grid.values.astype(np.float32), posinf=0.0, neginf=0.0))
        grid = regrid(grid.like(values), np.maximum(grid.spacing, WORKING_MM))
        total, affine = total + grid.values / len(times), grid.affine
    return Scan(np.asarray(total, np.float32), affine, source=image.source)
