"""All attacks on one scan."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.blur import deblur
from faceblind.attacks.brain import find_harm
from faceblind.attacks.darkened import find_hidden
from faceblind.attacks.fills import Fill, Peeled, peel
from faceblind.attacks.findings import Findings
from faceblind.attacks.locate import Sight, see
from faceblind.attacks.metadata.files import find_metadata
from faceblind.attacks.own_skin import find_own_skin
from faceblind.attacks.region_presence import face_left, find_regions
from faceblind.attacks.replaced_face import find_foreign, outline
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.surface import Surface, find_surface, glance
from faceblind.attacks.volumes import Later, followed, later_volumes, same_cut
from faceblind.attacks.wrapped import Piece, find_pieces
from faceblind.errors import AlignmentError, FaceblindError, ScanError
from faceblind.face.pipeline import HeadShown, render_face
from faceblind.face.reconstruction import Variant, as_is, reconstruct
from faceblind.formats import load
from faceblind.geometry.grid import from_scan, regrid
from faceblind.head.alignment import align_by_scalp
from faceblind.head.reference_volume import at_time, leaders
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.head.skin import find_skin
from faceblind.identification.scan_match import Likeness, likeness_of
from faceblind.recognition.detection import DEFAULT_SCORE, detector_scores
from faceblind.scan import Scan
from faceblind.system.threads import thread_budget


@dataclass(frozen=True)
class Examined:
    """What one scan gave.

    Parameters
    ----------
    findings : Findings
    likenesses : dict of str to Likeness
        By `faceblind.identification.ranking.VARIANTS`, where linking was asked for. Private.
    outline : (N, 3) float64 ndarray or None
        The face that shows, see `faceblind.attacks.replaced_face.outline`. Private.
    """

    findings: Findings
    likenesses: dict[str, Likeness]
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
            sight = see(scan, head, native)
        except ScanError as error:
            # The file is sound; it only shows no head that could be judged.
            raise AlignmentError(str(error)) from error
        before = _original(original)
        detecting = beside.submit(_detect, sight)
        if sight.other is not None and detecting.result()[1] >= SETTINGS.face_views:
            sight = sight.other
            detecting = beside.submit(_detect, sight)
        cut = sight.known.is_cut
        pieces = beside.submit(_pieces, scan, head, sight)
        motion = followed(whole, lead, sight.alignment)
        brain = beside.submit(
            find_harm, whole, sight.alignment, head, before, cut_spares_brain=cut, lead=lead,
            motion=motion,
        )  # fmt: skip
        likenesses = _likenesses(sight, recogniser)
        look = _Look(scan, head, sight, recogniser, likenesses)
        own = find_own_skin(sight, scan, head) if look.ours else None
        regions = find_regions(
            sight.surface,
            sight.alignment.template,
            own.explained(sight) if own else look.known,
            own.shows if own else None,
        )
        left = face_left(regions)
        fills, peeled_left = look.peeled(peeling.result())
        sigma, sharp_left = look.sharpened()
        foreign = not look.ours and find_foreign(scan, head, sight.surface, sight.alignment)
        findings = Findings(
            regions=regions,
            left=left,
            peeled_left=peeled_left,
            # Nobody need search the dark for a face that lies open.
            raised_left=look.raised() if left < SETTINGS.fail_left else 0.0,
            later_left=look.later(later_volumes(whole, lead, sight.alignment, motion)),
            fills=fills,
            replaced="cut" if cut else "face" if sight.known.is_face else "",
            detector_max=detecting.result()[0],
            detector_views=detecting.result()[1],
            pieces=pieces.result(),
            brain=brain.result(),
            metadata=find_metadata(path),
            blur_mm=sigma,
            sharp_left=sharp_left,
            foreign=bool(foreign and foreign.suspected),
            checked=own is None or own.is_sure,
            aside_mm=sight.aside_mm,
        )
    shape = outline(sight.surface, sight.alignment) if left >= SETTINGS.fail_left else None
    return Examined(findings, likenesses, shape)


def _pieces(scan: Scan, head: HeadMask, sight: Sight) -> tuple[Piece, ...]:
    """Parts of a head in the air."""
    found = sight.alignment
    if sight.known.is_face:
        # A fit to our face has its width, beside which a wider person's scalp seems to lie in air.
        found = align_by_scalp(sight.skin, scan) or found
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


def _left_of(sight: Sight) -> float:
    """Share of a face that faceblind does not explain, by either explanation of a surface."""
    ours = sight.known.is_cut or sight.known.is_face
    known = sight.known.ours if ours else None
    left = face_left(find_regions(sight.surface, sight.alignment.template, known))
    return left if sight.other is None else max(left, sight.other.left)


def _shown(sight: Sight) -> HeadShown:
    as_is, completed = reconstruct(sight.skin, sight.alignment)
    return HeadShown(sight.alignment, as_is, completed, sight.left, 1.0)


def _likenesses(sight: Sight, recogniser: str | None) -> dict[str, Likeness]:
    """What the scan as it is offers to a search, by variant."""
    if not recogniser:
        return {}
    shown = _shown(sight)
    variants: tuple[Variant, ...] = ("completed", "as-is")
    return {variant: likeness_of(shown, recogniser, variant) for variant in variants}


def _detect(sight: Sight) -> tuple[float, int]:
    """Highest detector score of the as-is renders, and how many count as detections."""
    try:
        images = render_face(as_is(sight.skin, sight.alignment)).images
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
    scan, head, sight
        Before any attack.
    recogniser : str or None
    likenesses : dict
        Filled with what the attacks bring to light.
    """

    scan: Scan
    head: HeadMask
    sight: Sight
    recogniser: str | None
    likenesses: dict[str, Likeness]

    @property
    def ours(self) -> bool:
        """Whether faceblind's own protection was recognised."""
        return self.sight.known.is_cut or self.sight.known.is_face

    @property
    def known(self) -> NDArray[np.bool_] | None:
        """Vertices that faceblind explains."""
        return self.sight.known.ours if self.ours else None

    def peeled(self, found: Peeled | None) -> tuple[tuple[Fill, ...], float]:
        """Fills that were found, and the share of a face below them."""
        if found is None:
            return (), 0.0
        return found.fills, self._left_in(found.scan, "peeled")

    def sharpened(self) -> tuple[float, float]:
        """Width of a blur in mm, and the share of a face once it is undone."""
        found = deblur(self.scan, self.head, self.sight.surface, self.sight.alignment)
        if found is None:
            return 0.0, 0.0
        return found.sigma_mm, self._left_in(found.scan, "sharpened")

    def raised(self) -> float:
        """Share of a face in voxels that only look like air."""
        found = find_hidden(self.scan, self.sight.alignment, self.head).scan
        if found is None:
            return 0.0
        left = self._again(found)
        self._search(found, left, "raised")
        return left

    def later(self, others: list[Later]) -> float:
        """Share of a face in the worst of the other volumes of a series."""
        most = 0.0
        for other in others:
            left = self._of_volume(other)
            if left > most:
                self._search(other.scan, left, "later")
                most = left
        return most

    def _of_volume(self, other: Later) -> float:
        """Share of a face in a volume, by its own levels, and by its own head if it is lost."""
        try:
            head = find_head(other.scan)
        except FaceblindError:
            return self._again(other.scan)
        left = self._again(other.scan, head)
        if other.placed or left >= SETTINGS.fail_left:
            return left
        try:
            return max(left, _left_of(see(other.scan, head)))
        except FaceblindError:
            return left

    def _search(self, scan: Scan, left: float, variant: str) -> None:
        """Prepare a face that was brought to light to be linked."""
        if not self.recogniser or left < SETTINGS.pass_left:
            return
        try:
            self._offer(see(scan), variant)
        except FaceblindError:
            # What shows no head by itself cannot be searched; its share of a face counts.
            return

    def _offer(self, sight: Sight, variant: str) -> None:
        """Embed what is seen, for a search."""
        if self.recogniser:
            self.likenesses[variant] = likeness_of(_shown(sight), self.recogniser, "completed")

    def _left_in(self, scan: Scan, variant: str) -> float:
        """Share of a face in a scan that an attack changed.

        Unless it is to be searched, a look in the old place comes first. The head is found anew
        only where that does not decide: a face that lies open there is enough, and so is none.
        """
        left = None if self.recogniser else self._again(scan)
        if left is not None and (
            self.sight.left >= SETTINGS.fail_left
            or left < SETTINGS.pass_left
            or left >= SETTINGS.fail_left
        ):
            return left
        try:
            sight = see(scan)
        except FaceblindError:
            return self._again(scan) if left is None else left
        left = _left_of(sight)
        self._offer(sight, variant)
        return left

    def _again(self, scan: Scan, head: HeadMask | None = None) -> float:
        """Share of a face in the old place; a skin is only built where a glance shows something.

        `head` is that of another volume, in which the cut may lie elsewhere.
        """
        template = self.sight.alignment.template
        quick = glance(scan, head or self.head, self.sight.alignment)
        other = head is not None
        left = face_left(find_regions(quick, template, self._explained(quick, other=other)))
        if left < SETTINGS.surely_none:
            return left
        try:
            surface = find_surface(find_skin(scan), self.sight.alignment, scan)
        except FaceblindError:
            return 0.0
        known = self._explained(surface, other=other)
        return face_left(find_regions(surface, template, known))

    def _explained(self, surface: Surface, *, other: bool) -> NDArray[np.bool_] | None:
        """Vertices that faceblind explains; in another volume, only where its cut is the same."""
        known = self.known
        return same_cut(known, self.sight.surface, surface) if other else known
