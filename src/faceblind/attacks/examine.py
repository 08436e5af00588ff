"""All attacks on one scan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from faceblind.attacks.brainharm import find_harm
from faceblind.attacks.hidden import find_hidden
from faceblind.attacks.likeness import Likeness, likeness_of
from faceblind.attacks.metadata import find_metadata
from faceblind.attacks.peel import peel
from faceblind.attacks.presence import face_left, find_regions
from faceblind.attacks.see import NO_FACE, Sight, see
from faceblind.attacks.surface import find_surface
from faceblind.attacks.verdict import FAIL_LEFT, PASS_LEFT, Findings
from faceblind.attacks.wrap import find_pieces
from faceblind.errors import AlignmentError, FaceblindError, ScanError
from faceblind.face.reconstruct import reconstruct
from faceblind.features import HeadShown, render_face
from faceblind.formats import load
from faceblind.head.grid import from_scan, regrid
from faceblind.head.skin import find_head, find_skin
from faceblind.recognition.detect import DEFAULT_SCORE, detector_scores
from faceblind.scan import Scan

FACE_VIEWS = 45
"""Views (of 81) with a detected face from which a surface is a face: intact heads have 45 to 81,
cut heads 42 and less."""
FINEST_MM = 1.0
"""Spacing to which finer scans are averaged before they are attacked."""


@dataclass(frozen=True)
class Examined:
    """What one scan gave.

    Parameters
    ----------
    findings : Findings
    likenesses : dict of str to Likeness
        By variant (as-is, completed, peeled), where linking was asked for. Private.
    """

    findings: Findings
    likenesses: dict[str, Likeness]


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
    scan = _reduced(whole)
    try:
        sight = see(scan)
        head = find_head(scan)
    except ScanError as error:
        # The file is sound; it only shows no head that could be judged.
        raise AlignmentError(str(error)) from error
    likenesses: dict[str, Likeness] = {}
    detected, views = _detect(sight, recogniser, likenesses)
    if sight.other is not None and views >= FACE_VIEWS:
        sight = sight.other
        detected, views = _detect(sight, recogniser, likenesses)
    regions = find_regions(
        sight.surface, sight.alignment.template, sight.known.ours if _ours(sight) else None
    )
    peeled = peel(scan)
    peeled_left = 0.0
    if peeled is not None:
        peeled_left = _left_in(peeled.scan, sight, recogniser, likenesses)
    left, raised_left = face_left(regions), 0.0
    if left < FAIL_LEFT:
        # Nobody need search the dark for a face that lies open.
        hidden = find_hidden(scan, sight.alignment, head)
        raised_left = 0.0 if hidden.scan is None else _again(hidden.scan, sight)
    findings = Findings(
        regions=regions,
        left=left,
        peeled_left=peeled_left,
        raised_left=raised_left,
        later_left=_later(whole, sight),
        fills=peeled.fills if peeled is not None else (),
        replaced="cut" if sight.known.is_cut else "face" if sight.known.is_face else "",
        detector_max=detected,
        detector_views=views,
        pieces=find_pieces(scan, head, sight.alignment),
        brain=find_harm(whole, sight.alignment, head, load(original) if original else None),
        metadata=find_metadata(path),
    )
    return Examined(findings, likenesses)


def _reduced(scan: Scan) -> Scan:
    """The first volume on voxels of at least `FINEST_MM`: finer ones show no more of a face."""
    if scan.spacing.min() >= 0.75 * FINEST_MM and scan.voxels.ndim == 3:
        return scan
    grid = from_scan(scan)
    if scan.spacing.min() < 0.75 * FINEST_MM:
        grid = regrid(grid, np.maximum(grid.spacing, FINEST_MM))
    return Scan(grid.values, grid.affine, scan.modality, scan.source)


def _ours(sight: Sight) -> bool:
    return sight.known.is_cut or sight.known.is_face


def _shown(sight: Sight) -> HeadShown:
    as_is, completed = reconstruct(sight.skin, sight.alignment)
    return HeadShown(sight.alignment, as_is, completed, sight.left, 1.0)


def _detect(
    sight: Sight, recogniser: str | None, likenesses: dict[str, Likeness]
) -> tuple[float, int]:
    """Highest detector score of the as-is renders, and how many count as detections."""
    shown = _shown(sight)
    try:
        images = render_face(shown.as_is).images
    except FaceblindError:
        # A camera that sees no surface sees no face.
        return 0.0, 0
    scores = detector_scores(images.reshape(-1, *images.shape[2:]))
    if recogniser:
        likenesses["completed"] = likeness_of(shown, recogniser, "completed")
        likenesses["as-is"] = likeness_of(shown, recogniser, "as-is")
    return float(scores.max()), int((scores >= DEFAULT_SCORE).sum())


def _left_in(
    scan: Scan, before: Sight, recogniser: str | None, likenesses: dict[str, Likeness]
) -> float:
    """Share of a face in a scan that an attack changed.

    The head is found anew where the fill may have misled the search. Where it was found without
    a face, or is not found any more, it is looked at again in the old place.
    """
    if before.left < NO_FACE and not recogniser:
        left = _again(scan, before)
        if left < PASS_LEFT:
            return left
    try:
        sight = see(scan)
    except FaceblindError:
        return _again(scan, before)
    known = sight.known.ours if _ours(sight) else None
    left = face_left(find_regions(sight.surface, sight.alignment.template, known))
    if sight.other is not None:
        left = max(left, sight.other.left)
    if recogniser:
        likenesses["peeled"] = likeness_of(_shown(sight), recogniser, "completed")
    return left


def _again(scan: Scan, before: Sight) -> float:
    try:
        surface = find_surface(find_skin(scan), before.alignment, scan)
    except FaceblindError:
        return 0.0
    known = before.known.ours if _ours(before) else None
    return face_left(find_regions(surface, before.alignment.template, known))


def _later(scan: Scan, sight: Sight) -> float:
    """Share of a face in later volumes of a series, at the place where the first has it."""
    if scan.voxels.ndim != 4 or scan.voxels.shape[3] < 2:
        return 0.0
    last = scan.voxels.shape[3] - 1
    later = [
        replace(scan, voxels=np.asarray(scan.volume(t)), stored=None)
        for t in sorted({(last + 1) // 2, last})
    ]
    return max(_again(volume, sight) for volume in later)
