"""All attacks on one scan."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.brain import find_harm
from faceblind.attacks.evidence import Evidence, dim_evidence, gather
from faceblind.attacks.fills import peel
from faceblind.attacks.findings import Findings
from faceblind.attacks.metadata.files import find_metadata
from faceblind.attacks.region_presence import remaining_face_share
from faceblind.attacks.replaced_face import find_replaced_face, outline
from faceblind.attacks.second_look import SecondLook, reconstructed
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.volumes import later_volumes
from faceblind.attacks.wrapped import Piece, find_pieces
from faceblind.errors import AlignmentError
from faceblind.face.reconstruction import Variant
from faceblind.identification.scan_match import ScanFeatures, features_of_head
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
    evidence = gather(path, original)
    try:
        found = _attacked(path, evidence, recogniser)
    except AlignmentError:
        dim = dim_evidence(evidence)
        if dim is None:
            raise
        return _attacked(path, dim, recogniser)
    if evidence.replaced or found.findings.face >= SETTINGS.pass_remaining:
        return found
    # Before a scan passes whose face nobody took out in a way that is known.
    dim = dim_evidence(evidence)
    return found if dim is None else _attacked(path, dim, recogniser)


def _attacked(path: Path, evidence: Evidence, recogniser: str | None) -> Examined:
    """All attacks on one explanation of a scan."""
    # What looks at the scan as it is runs beside what changes it and looks again.
    with ThreadPoolExecutor(min(2, thread_budget())) as beside:
        peeling = beside.submit(peel, evidence.scan, evidence.head)
        located = evidence.located
        detecting = beside.submit(lambda: evidence.detection)
        pieces = beside.submit(_pieces, evidence)
        motion = evidence.motion
        brain = beside.submit(
            find_harm, evidence.whole, evidence.alignment, evidence.head, evidence.original,
            cut_spares_brain=evidence.replaced == "cut", by_brain=located.brain,
            lead=evidence.lead, motion=motion, shown=evidence.native,
        )  # fmt: skip
        features = _features(evidence, recogniser)
        look = SecondLook(evidence, recogniser, features)
        remaining = remaining_face_share(evidence.regions)
        fills, remaining_under_fills = look.peeled(peeling.result())
        sigma, remaining_deblurred = look.sharpened()
        findings = Findings(
            regions=evidence.regions,
            remaining=remaining,
            remaining_under_fills=remaining_under_fills,
            # Nobody need search the dark for a face that lies open.
            remaining_in_the_dark=look.raised() if remaining < SETTINGS.fail_remaining else 0.0,
            remaining_in_later_volumes=look.later(
                later_volumes(evidence.whole, evidence.lead, evidence.alignment, motion)
            ),
            fills=fills,
            replaced=evidence.replaced,
            detector_max=detecting.result()[0],
            detector_views=detecting.result()[1],
            pieces=pieces.result(),
            brain=brain.result(),
            metadata=find_metadata(path),
            blur_mm=sigma,
            remaining_deblurred=remaining_deblurred,
            replaced_by_other=_replaced_by_other(evidence),
            checked=evidence.own_skin is None or evidence.own_skin.is_sure,
            placed=not evidence.replaced or located.inside is not None,
            aside_mm=located.aside_mm,
            short_mm=evidence.short_mm,
            gap_share=evidence.gap_share,
            second_skin=evidence.second_skin,
        )
    shows = remaining >= SETTINGS.fail_remaining
    return Examined(
        findings, features, outline(evidence.surface, evidence.alignment) if shows else None
    )


def _pieces(evidence: Evidence) -> tuple[Piece, ...]:
    """Parts of a head in the air."""
    found = evidence.alignment
    if evidence.replaced == "face":
        # A fit to our face has its width, beside which a wider person's scalp seems to lie in air.
        found = evidence.located.by_scalp or found
    return find_pieces(evidence.scan, evidence.head, found)


def _replaced_by_other(evidence: Evidence) -> bool:
    """Whether the face that shows looks like another tool's average."""
    if evidence.replaced:
        return False
    found = find_replaced_face(evidence.scan, evidence.head, evidence.surface, evidence.alignment)
    return bool(found and found.suspected)


def _features(evidence: Evidence, recogniser: str | None) -> dict[str, ScanFeatures]:
    """What the scan as it is offers to a search, by variant."""
    if not recogniser:
        return {}
    shown = reconstructed(evidence.located)
    variants: tuple[Variant, ...] = ("completed", "as-is")
    return {variant: features_of_head(shown, recogniser, variant) for variant in variants}
