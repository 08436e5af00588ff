"""Attacks that change a scan and look again: what lies under fills, blur, darkness, in volumes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.blur import deblur
from faceblind.attacks.darkened import find_darkened
from faceblind.attacks.evidence import Evidence
from faceblind.attacks.fills import Fill, Peeled
from faceblind.attacks.locate import LocatedHead, locate_head
from faceblind.attacks.region_presence import find_regions, remaining_face_share
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.surface import Surface, find_surface, find_surface_by_rays
from faceblind.attacks.volumes import Later, same_cut
from faceblind.errors import FaceblindError
from faceblind.face.pipeline import ReconstructedHead
from faceblind.face.reconstruction import reconstruct
from faceblind.head.presence import Presence
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.head.skin import find_skin
from faceblind.identification.scan_match import ScanFeatures, features_of_head
from faceblind.scan import Scan


@dataclass(frozen=True)
class SecondLook:
    """Attacks that change the scan and look again.

    Parameters
    ----------
    evidence : Evidence
        Before any attack.
    recogniser : str or None
    features : dict
        Filled with what the attacks bring to light.
    """

    evidence: Evidence
    recogniser: str | None
    features: dict[str, ScanFeatures]

    def peeled(self, found: Peeled | None) -> tuple[tuple[Fill, ...], float]:
        """Fills that were found, and the share of a face below them.

        What lies open but for less than `AuditSettings.worse` is not looked at again.
        """
        if found is None:
            return (), 0.0
        if not self.recogniser and self.evidence.located.remaining > 1.0 - SETTINGS.worse:
            return found.fills, 0.0
        return found.fills, self._remaining_in(found.scan, "peeled")

    def sharpened(self) -> tuple[float, float]:
        """Width of a blur in mm, and the share of a face once it is undone."""
        found = deblur(
            self.evidence.scan, self.evidence.head, self.evidence.surface, self.evidence.alignment
        )
        if found is None:
            return 0.0, 0.0
        return found.sigma_mm, self._remaining_in(found.scan, "sharpened")

    def raised(self) -> float:
        """Share of a face in voxels that only look like air."""
        found = find_darkened(self.evidence.scan, self.evidence.alignment, self.evidence.head).scan
        if found is None:
            return 0.0
        remaining = self._again(found)
        self._search(found, remaining, "raised")
        return remaining

    def later(self, others: list[Later]) -> float:
        """Share of a face in the worst of the other volumes of a series."""
        most = 0.0
        for other in others:
            remaining = self._of_volume(other)
            if remaining > most:
                self._search(other.scan, remaining, "later")
                most = remaining
        return most

    def _of_volume(self, other: Later) -> float:
        """Share of a face in a volume, by its own levels, and by its own head if it is lost."""
        try:
            head = find_head(other.scan)
        except FaceblindError:
            return self._again(other.scan)
        remaining = self._again(other.scan, head)
        if other.placed or remaining >= SETTINGS.fail_remaining:
            return remaining
        try:
            return max(remaining, remaining_of(locate_head(other.scan, head)))
        except FaceblindError:
            return remaining

    def _search(self, scan: Scan, remaining: float, variant: str) -> None:
        """Prepare a face that was brought to light to be linked."""
        if not self.recogniser or remaining < SETTINGS.pass_remaining:
            return
        try:
            self._offer(locate_head(scan), variant)
        except FaceblindError:
            # What shows no head by itself cannot be searched; its share of a face counts.
            return

    def _offer(self, located: LocatedHead, variant: str) -> None:
        """Embed what is seen, for a search."""
        if self.recogniser:
            self.features[variant] = features_of_head(
                reconstructed(located), self.recogniser, "completed"
            )

    def _remaining_in(self, scan: Scan, variant: str) -> float:
        """Share of a face in a scan that an attack changed.

        Unless it is to be searched, a look in the old place comes first. The head is found anew
        only where that does not decide: a face that lies open there is enough, and so is none.
        """
        remaining = None if self.recogniser else self._again(scan)
        if remaining is not None and (
            self.evidence.located.remaining >= SETTINGS.fail_remaining
            or remaining < SETTINGS.pass_remaining
            or remaining >= SETTINGS.fail_remaining
        ):
            return remaining
        try:
            located = locate_head(scan)
        except FaceblindError:
            return self._again(scan) if remaining is None else remaining
        remaining = remaining_of(located)
        self._offer(located, variant)
        return remaining

    def _again(self, scan: Scan, head: HeadMask | None = None) -> float:
        """Share of a face in the old place; a skin is built only where rays hit something.

        `head` is that of another volume, in which the cut may lie elsewhere.
        """
        template = self.evidence.alignment.template
        quick = find_surface_by_rays(scan, head or self.evidence.head, self.evidence.alignment)
        other = head is not None
        remaining = remaining_face_share(
            find_regions(quick, template, self._explained(quick, other=other))
        )
        if remaining < SETTINGS.surely_none:
            return remaining
        try:
            surface = find_surface(find_skin(scan), self.evidence.alignment, scan)
        except FaceblindError:
            return 0.0
        known = self._explained(surface, other=other)
        return remaining_face_share(find_regions(surface, template, known))

    def _explained(self, surface: Surface, *, other: bool) -> NDArray[np.bool_] | None:
        """Vertices that faceblind explains; in another volume, only where its cut is the same."""
        known = self.evidence.explained
        return same_cut(known, self.evidence.surface, surface) if other else known


def remaining_of(located: LocatedHead) -> float:
    """Share of a face that faceblind does not explain, by either explanation of a surface."""
    ours = located.known.is_cut or located.known.is_face
    known = located.known.ours if ours else None
    remaining = remaining_face_share(
        find_regions(located.surface, located.alignment.template, known)
    )
    return remaining if located.other is None else max(remaining, located.other.remaining)


def reconstructed(located: LocatedHead) -> ReconstructedHead:
    """The face that a located head gives away, for a search."""
    as_is, completed = reconstruct(located.skin, located.alignment)
    return ReconstructedHead(
        located.alignment, as_is, completed, Presence(located.remaining, seen=1.0)
    )
