"""What the attacks look at: computed once from a scan, and handed to each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.air_gap import gap_share
from faceblind.attacks.kept_skin import place_by_kept_skin
from faceblind.attacks.locate import LocatedHead, locate_head, located_as
from faceblind.attacks.mislaid import short_mm
from faceblind.attacks.own_skin import OwnSkin, find_own_skin
from faceblind.attacks.region_presence import RegionPresence, find_regions
from faceblind.attacks.second_skin import second_skin_share
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.surface import Surface
from faceblind.attacks.volumes import followed
from faceblind.errors import AlignmentError, FaceblindError, ScanError
from faceblind.face.pipeline import render_face
from faceblind.face.reconstruction import as_is
from faceblind.formats import load
from faceblind.geometry.grid import from_scan, regrid
from faceblind.head.alignment import Alignment
from faceblind.head.dim_face import DimHead, find_dim_head
from faceblind.head.motion import Motion
from faceblind.head.reference_volume import at_time, leaders
from faceblind.head.salt_and_pepper import with_dark_air
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.recognition.detection import DEFAULT_SCORE, detector_scores
from faceblind.scan import Scan


@dataclass(frozen=True)
class Evidence:
    """One scan, its head and its skin.

    What costs time is worked out when it is first asked for, and kept.

    Parameters
    ----------
    path : Path
    whole : Scan
        As it was read, with all its volumes.
    lead : int
        The volume that shows the head best.
    native : Scan
        That volume at its own voxel size; with dark air, where its own is salt and pepper.
    scan : Scan
        The same on voxels of `AuditSettings.finest_mm` or more: what is attacked.
    head : HeadMask
        Of `scan`.
    original : Scan or None
        The scan before protection.
    dim : DimHead or None
        The head, if its face hardly stands out of the noise; `native` and `scan` are its own then.
    """

    path: Path
    whole: Scan
    lead: int
    native: Scan
    scan: Scan
    head: HeadMask
    original: Scan | None
    dim: DimHead | None = None

    @cached_property
    def _chosen(self) -> tuple[LocatedHead, tuple[float, int] | None]:
        """The explanation of the surface that counts, and what a detector said of it if asked."""
        if self.dim is not None:
            return located_as(self.dim.skin, self.dim.alignment, self.scan), None
        try:
            first = locate_head(self.scan, self.head, self.native)
        except ScanError as error:
            # The file is sound; it only shows no head that could be judged.
            raise AlignmentError(str(error)) from error
        if first.other is None:
            return first, None
        found = detect(first)
        return (first.other, None) if found[1] >= SETTINGS.face_views else (first, found)

    @property
    def located(self) -> LocatedHead:
        """The head, its skin and its surface."""
        return self._chosen[0]

    @property
    def alignment(self) -> Alignment:
        """Of the head."""
        return self.located.alignment

    @property
    def surface(self) -> Surface:
        """Of the skin, at the vertices of the template."""
        return self.located.surface

    @cached_property
    def detection(self) -> tuple[float, int]:
        """Highest detector score of the as-is renders, and views of 81 that count as detections."""
        return self._chosen[1] or detect(self.located)

    @property
    def replaced(self) -> str:
        """``"cut"`` or ``"face"`` where faceblind's own protection was recognised, else empty."""
        known = self.located.known
        return "cut" if known.is_cut else "face" if known.is_face else ""

    @property
    def explained(self) -> NDArray[np.bool_] | None:
        """(P,) vertices of the template that faceblind's own protection explains, if any."""
        return self.located.known.ours if self.replaced else None

    @cached_property
    def gap_share(self) -> float:
        """Share of the forehead with air below it, where faceblind protected; else 0."""
        if not self.replaced:
            return 0.0
        found = self.located.inside or self.alignment
        return gap_share(self.scan, self.head, self.located.skin, found.scan_to_template)

    @cached_property
    def second_skin(self) -> float:
        """Share of the forehead with a second skin below a new face of faceblind's; else 0."""
        if self.replaced != "face":
            return 0.0
        found = self.located.inside or self.alignment
        return second_skin_share(self.scan, self.head, self.located.skin, found.scan_to_template)

    @cached_property
    def short_mm(self) -> float:
        """How far faceblind's protection falls short of the face where no brain surely tells.

        By the brain's outline, if it has its skull's size, or by the skin that the protection left,
        where a brain is unlike its skull. Else 0; NaN where too little skin is left.
        """
        located = self.located
        if not self.replaced:
            return 0.0
        if located.outline is not None:
            return short_mm(located.known, located.outline.scan_to_template)
        if not located.unlike_skull:
            return 0.0
        place = place_by_kept_skin(located, self.scan)
        return np.nan if place is None else short_mm(located.known, place)

    @cached_property
    def own_skin(self) -> OwnSkin | None:
        """The person's skin beside or under faceblind's own protection, if there is one.

        Also where a cut of faceblind's lies so wrong that it counts as none.
        """
        if not self.replaced and self.located.inside is None:
            return None
        return find_own_skin(self.located, self.scan, self.head)

    @cached_property
    def regions(self) -> dict[str, RegionPresence]:
        """What lies open of each region of the face, without what faceblind put there."""
        own = self.own_skin
        explained = own.explained(self.located) if own else None
        shows = own.shows if own else None
        return find_regions(self.surface, self.alignment.template, explained, shows)

    @cached_property
    def motion(self) -> Motion | None:
        """Where the head lies in each volume of a series; None for single volumes."""
        return followed(self.whole, self.lead, self.alignment)


def gather(path: Path, original: Path | None = None) -> Evidence:
    """Read a scan, and find what stands out of the air in it.

    Parameters
    ----------
    path : Path
    original : Path, optional
        The same scan before protection; where it cannot be read, linking reports it.

    Raises
    ------
    ScanError
        If the file cannot be read.
    AlignmentError
        If nothing stands out.
    """
    whole = load(path)
    lead = leaders(whole)[0]
    native = with_dark_air(at_time(whole, lead))
    scan = _reduced(native)
    try:
        head = find_head(scan)
    except ScanError as error:
        dim = find_dim_head(native)
        if dim is None:
            raise AlignmentError(str(error)) from error
        return Evidence(path, whole, lead, dim.flat, dim.flat, dim.head, _original(original), dim)
    return Evidence(path, whole, lead, native, scan, head, _original(original))


def dim_evidence(evidence: Evidence) -> Evidence | None:
    """The same scan by a face that hardly stands out of the noise; None where there is none."""
    if evidence.dim is not None:
        return None
    dim = find_dim_head(evidence.native)
    if dim is None:
        return None
    return replace(evidence, native=dim.flat, scan=dim.flat, head=dim.head, dim=dim)


def detect(located: LocatedHead) -> tuple[float, int]:
    """Highest detector score of the as-is renders, and how many of 81 count as detections."""
    try:
        images = render_face(as_is(located.skin, located.alignment)).images
    except FaceblindError:
        # A camera that sees no surface sees no face.
        return 0.0, 0
    scores = detector_scores(images.reshape(-1, *images.shape[2:]))
    return float(scores.max()), int((scores >= DEFAULT_SCORE).sum())


def _original(path: Path | None) -> Scan | None:
    try:
        return load(path) if path else None
    except ScanError:
        return None


def _reduced(scan: Scan) -> Scan:
    """A volume on voxels of `finest_mm` or more: finer ones show no more of a face."""
    if scan.spacing.min() >= 0.75 * SETTINGS.finest_mm:
        return scan
    grid = from_scan(scan)
    grid = regrid(grid, np.maximum(grid.spacing, SETTINGS.finest_mm))
    return Scan(grid.values, grid.affine, scan.modality, scan.source, None, scan.doubt)
