"""All attacks on one scan."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.blur import deblur
from faceblind.attacks.brain import find_harm
from faceblind.attacks.darkened import find_darkened
from faceblind.attacks.fills import Fill, Peeled, peel
from faceblind.attacks.findings import Findings
from faceblind.attacks.locate import LocatedHead, locate_head
from faceblind.attacks.metadata.files import find_metadata
from faceblind.attacks.own_skin import find_own_skin
from faceblind.attacks.region_presence import find_regions, remaining_face_share
from faceblind.attacks.replaced_face import find_replaced_face, outline
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.surface import Surface, find_surface, find_surface_by_rays
from faceblind.attacks.volumes import Later, followed, later_volumes, same_cut
from faceblind.attacks.wrapped import Piece, find_pieces
from faceblind.errors import AlignmentError, FaceblindError, ScanError
from faceblind.face.pipeline import ReconstructedHead, render_face
from faceblind.face.reconstruction import Variant, as_is, reconstruct
from faceblind.formats import load
from faceblind.geometry.grid import from_scan, regrid
from faceblind.head.reference_volume import at_time, leaders
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.head.skin import find_skin
from faceblind.identification.scan_match import ScanFeatures, features_of_head
from faceblind.recognition.detection import DEFAULT_SCORE, detector_scores
from faceblind.scan import Scan
from faceblind.system.threads import thread_budget


@dataclass(frozen=True)
class Examined:
    """What one scan gave.

    Parameters
    ----------
    findings : Findings
    features : dict of str to ScanFeatures
        By `faceblind.identification.ranking.VARIANTS`, where linking was asked for. Private.
    outline : (N, 3) float64 ndarray or None
        The face that shows, see `faceblind.attacks.replaced_face.outline`. Private.
    """

    findings: Findings
    features: dict[str, ScanFeatures]
    outline: NDArray[np.float64] | None = None


def examine(path: Path, original: Path | None = None, recogniser: str | None = None) -> Examined:
    """Attack one scan in every way that needs no other person.

    Parameters
    ----------
    path : Path
        A scan, protected by any tool or by none.
    original : Path, optional
        The same scan before protection, to see what became of the brain.
    recogniser : str, optional
        Also prepare to be linked by this recogniser.

    Raises
    ------
    ScanError
        If the file cannot be read.
    AlignmentError
        If no head was found in it with confidence.
    """
    whole = load(path)
    lead = leaders(whole)[0]
    native = at_time(whole, lead)
    scan = _reduced(native)
    # What looks at the scan as it is runs beside what changes it and looks again.
    with ThreadPoolExecutor(min(2, thread_budget())) as beside:
        try:
            head = find_head(scan)
            peeling = beside.submit(peel, scan, head)
            located = locate_head(scan, head, native)
        except ScanError as error:
            # The file is sound; it only shows no head that could be judged.
            raise AlignmentError(str(error)) from error
        before = _original(original)
        detecting = beside.submit(_detect, located)
        if located.other is not None and detecting.result()[1] >= SETTINGS.face_views:
            located = located.other
            detecting = beside.submit(_detect, located)
        cut = located.known.is_cut
        pieces = beside.submit(_pieces, scan, head, located)
        motion = followed(whole, lead, located.alignment)
        brain = beside.submit(
            find_harm, whole, located.alignment, head, before, cut_spares_brain=cut, lead=lead,
            motion=motion,
        )  # fmt: skip
        features = _features(located, recogniser)
        look = _Look(scan, head, located, recogniser, features)
        own = find_own_skin(located, scan, head) if look.ours else None
        regions = find_regions(
            located.surface,
            located.alignment.template,
            own.explained(located) if own else look.known,
            own.shows if own else None,
        )
        remaining = remaining_face_share(regions)
        fills, remaining_under_fills = look.peeled(peeling.result())
        sigma, remaining_deblurred = look.sharpened()
        other_face = not look.ours and find_replaced_face(
            scan, head, located.surface, located.alignment
        )
        findings = Findings(
            regions=regions,
            remaining=remaining,
            remaining_under_fills=remaining_under_fills,
            # Nobody need search the dark for a face that lies open.
            remaining_in_the_dark=look.raised() if remaining < SETTINGS.fail_remaining else 0.0,
            remaining_in_later_volumes=look.later(
                later_volumes(whole, lead, located.alignment, motion)
            ),
            fills=fills,
            replaced="cut" if cut else "face" if located.known.is_face else "",
            detector_max=detecting.result()[0],
            detector_views=detecting.result()[1],
            pieces=pieces.result(),
            brain=brain.result(),
            metadata=find_metadata(path),
            blur_mm=sigma,
            remaining_deblurred=remaining_deblurred,
            replaced_by_other=bool(other_face and other_face.suspected),
            checked=own is None or own.is_sure,
            aside_mm=located.aside_mm,
        )
    shape = (
        outline(located.surface, located.alignment)
        if remaining >= SETTINGS.fail_remaining
        else None
    )
    return Examined(findings, features, shape)


def _pieces(scan: Scan, head: HeadMask, located: LocatedHead) -> tuple[Piece, ...]:
    """Parts of a head in the air."""
    found = located.alignment
    if located.known.is_face:
        # A fit to our face has its width, beside which a wider person's scalp seems to lie in air.
        found = located.by_scalp or found
    return find_pieces(scan, head, found)


def _original(path: Path | None) -> Scan | None:
    """The scan before protection; None where it cannot be read, which linking reports."""
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


def _remaining_of(located: LocatedHead) -> float:
    """Share of a face that faceblind does not explain, by either explanation of a surface."""
    ours = located.known.is_cut or located.known.is_face
    known = located.known.ours if ours else None
    remaining = remaining_face_share(
        find_regions(located.surface, located.alignment.template, known)
    )
    return remaining if located.other is None else max(remaining, located.other.remaining)


def _shown(located: LocatedHead) -> ReconstructedHead:
    as_is, completed = reconstruct(located.skin, located.alignment)
    return ReconstructedHead(located.alignment, as_is, completed, located.remaining, 1.0)


def _features(located: LocatedHead, recogniser: str | None) -> dict[str, ScanFeatures]:
    """What the scan as it is offers to a search, by variant."""
    if not recogniser:
        return {}
    shown = _shown(located)
    variants: tuple[Variant, ...] = ("completed", "as-is")
    return {variant: features_of_head(shown, recogniser, variant) for variant in variants}


def _detect(located: LocatedHead) -> tuple[float, int]:
    """Highest detector score of the as-is renders, and how many count as detections."""
    try:
        images = render_face(as_is(located.skin, located.alignment)).images
    except FaceblindError:
        # A camera that sees no surface sees no face.
        return 0.0, 0
    scores = detector_scores(images.reshape(-1, *images.shape[2:]))
    return float(scores.max()), int((scores >= DEFAULT_SCORE).sum())


@dataclass(frozen=True)
class _Look:
    """Attacks that change the scan and look again.

    Parameters
    ----------
    scan, head, located
        Before any attack.
    recogniser : str or None
    features : dict
        Filled with what the attacks bring to light.
    """

    scan: Scan
    head: HeadMask
    located: LocatedHead
    recogniser: str | None
    features: dict[str, ScanFeatures]

    @property
    def ours(self) -> bool:
        """Whether faceblind's own protection was recognised."""
        return self.located.known.is_cut or self.located.known.is_face

    @property
    def known(self) -> NDArray[np.bool_] | None:
        """Vertices that faceblind explains."""
        return self.located.known.ours if self.ours else None

    def peeled(self, found: Peeled | None) -> tuple[tuple[Fill, ...], float]:
        """Fills that were found, and the share of a face below them."""
        if found is None:
            return (), 0.0
        return found.fills, self._remaining_in(found.scan, "peeled")

    def sharpened(self) -> tuple[float, float]:
        """Width of a blur in mm, and the share of a face once it is undone."""
        found = deblur(self.scan, self.head, self.located.surface, self.located.alignment)
        if found is None:
            return 0.0, 0.0
        return found.sigma_mm, self._remaining_in(found.scan, "sharpened")

    def raised(self) -> float:
        """Share of a face in voxels that only look like air."""
        found = find_darkened(self.scan, self.located.alignment, self.head).scan
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
            return max(remaining, _remaining_of(locate_head(other.scan, head)))
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
            self.features[variant] = features_of_head(_shown(located), self.recogniser, "completed")

    def _remaining_in(self, scan: Scan, variant: str) -> float:
        """Share of a face in a scan that an attack changed.

        Unless it is to be searched, a look in the old place comes first. The head is found anew
        only where that does not decide: a face that lies open there is enough, and so is none.
        """
        remaining = None if self.recogniser else self._again(scan)
        if remaining is not None and (
            self.located.remaining >= SETTINGS.fail_remaining
            or remaining < SETTINGS.pass_remaining
            or remaining >= SETTINGS.fail_remaining
        ):
            return remaining
        try:
            located = locate_head(scan)
        except FaceblindError:
            return self._again(scan) if remaining is None else remaining
        remaining = _remaining_of(located)
        self._offer(located, variant)
        return remaining

    def _again(self, scan: Scan, head: HeadMask | None = None) -> float:
        """Share of a face in the old place; a skin is built only where rays hit something.

        `head` is that of another volume, in which the cut may lie elsewhere.
        """
        template = self.located.alignment.template
        quick = find_surface_by_rays(scan, head or self.head, self.located.alignment)
        other = head is not None
        remaining = remaining_face_share(
            find_regions(quick, template, self._explained(quick, other=other))
        )
        if remaining < SETTINGS.surely_none:
            return remaining
        try:
            surface = find_surface(find_skin(scan), self.located.alignment, scan)
        except FaceblindError:
            return 0.0
        known = self._explained(surface, other=other)
        return remaining_face_share(find_regions(surface, template, known))

    def _explained(self, surface: Surface, *, other: bool) -> NDArray[np.bool_] | None:
        """Vertices that faceblind explains; in another volume, only where its cut is the same."""
        known = self.known
        return same_cut(known, self.located.surface, surface) if other else known
