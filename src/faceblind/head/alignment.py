"""Where the head is: rigid pose, affine and shape of the template in a scan, and how sure we are.

Only the skin is used, so all contrasts align equally. Left and right cannot be told from a surface
that is nearly symmetric: handedness is taken from the scan's header.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.errors import AlignmentError, ScanError
from faceblind.geometry import icp
from faceblind.geometry.transforms import angle_degrees
from faceblind.head.brain_cover import ADULT_SIZE, head_size
from faceblind.head.brain_evidence import LEAST_WHOLE, brain_share
from faceblind.head.error_context import about
from faceblind.head.fitting import SETTINGS, Aligner, AlignmentSettings, Fit, SkinTargets
from faceblind.head.registration import SOFT_MM, Levels
from faceblind.head.segmentation import find_head
from faceblind.head.skin import Skin
from faceblind.head.template import REGIONS, Template, load_template
from faceblind.head.template_information import information
from faceblind.scan import Scan


@dataclass(frozen=True)
class Alignment:
    """The template found in a scan.

    Parameters
    ----------
    scan_to_template : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm, twelve degrees of freedom.
    scan_to_template_rigid : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm, rigid: turns the head upright, keeps its size.
    shape : (K,) float64 ndarray
        Coefficients of the template's modes, in standard deviations.
    residual_mm : float
        Median distance between the fitted template and the skin, over the seen head and face.
    confidence : float
        0 to 1. Below `CONFIDENT` the scan must count as failed.
    support : dict of str to float
        For each region, the share of the template's surface that has skin.
    seen : dict of str to float
        For each region, the share that lies in the field of view.
    template : Template
        What was fitted.
    """

    scan_to_template: NDArray[np.float64]
    scan_to_template_rigid: NDArray[np.float64]
    shape: NDArray[np.float64]
    residual_mm: float
    confidence: float
    support: dict[str, float]
    seen: dict[str, float]
    template: Template = field(repr=False)

    def fitted(self) -> NDArray[np.float64]:
        """(P, 3) template surface with this head's shape, in scan RAS+ mm."""
        to_scan = np.linalg.inv(self.scan_to_template_rigid)
        return apply_affine(to_scan, self.template.shape(self.shape))

    def landmarks(self) -> dict[str, NDArray[np.float64]]:
        """Landmarks of this head, name to (3,) position in scan RAS+ mm."""
        points = self.fitted()
        return {name: points[index] for name, index in self.template.landmark_index.items()}


CONFIDENT = 0.5
"""Confidence from which an alignment may be used."""


def align(
    skin: Skin,
    scan: Scan,
    template: Template | None = None,
    settings: AlignmentSettings = SETTINGS,
    *,
    maybe_faceless: bool = False,
    targets: SkinTargets | None = None,
) -> Alignment:
    """Find the head.

    Parameters
    ----------
    skin : Skin
        In scan RAS+ mm, in any orientation.
    scan : Scan
        Where the skin was found; only its field of view is used.
    template : Template, optional
        The average head that comes with faceblind if absent.
    settings : AlignmentSettings, optional
    maybe_faceless : bool
        Expect that the face was removed: a scalp that fits well in about the header's orientation
        is believed without trying all others, which takes most of the time.
    targets : SkinTargets, optional
        `SkinTargets.of` the same skin, scan and settings, where it is aligned more than once.

    Returns
    -------
    Alignment
        Check `confidence` against `CONFIDENT` before use.

    Raises
    ------
    AlignmentError
        If there is too little skin to try.
    """
    with about(scan):
        targets = targets or SkinTargets.of(skin, scan, settings)
        return _align(targets, scan, template or load_template(), settings, maybe_faceless)


def _align(
    targets: SkinTargets,
    scan: Scan,
    template: Template,
    settings: AlignmentSettings,
    maybe_faceless: bool,
) -> Alignment:
    whole = targets.aligner(template, settings, faceless=False)
    fits = whole.by_header
    faceless = targets.aligner(template, settings, faceless=True)
    near: list[Fit] = []
    if fits and fits[0].witness >= settings.enough_witness and not _is_far(fits[0], settings):
        trust = _trust(fits, settings)
        if fits[0].score >= settings.enough_score and trust >= CONFIDENT:
            return _describe(whole, fits[0], trust)
        near = faceless.by_header
        if (
            trust >= CONFIDENT
            and near
            and near[0].score >= settings.enough_scalp_score
            and angle_degrees(fits[0].template_to_scan, near[0].template_to_scan)
            < settings.agreement_degrees
        ):
            return _describe(whole, fits[0], trust)
    if maybe_faceless:
        near = near or faceless.by_header
        scalp_trust = _scalp_trust(faceless, near, settings)
        if scalp_trust >= CONFIDENT and near[0].score >= settings.enough_scalp_score:
            return _describe(faceless, near[0], scalp_trust)
    upright = [one for one in (*fits, *near) if not _is_far(one, settings)]
    fits = whole.best(True, fits)
    trust = _trust(fits, settings)
    if trust >= CONFIDENT and not _is_contradicted(whole, fits[0], upright, scan, settings):
        return _describe(whole, fits[0], trust)
    if trust >= CONFIDENT:
        trust = 0.0
    elif _inside_vouches(whole, fits, scan):
        return _describe(whole, fits[0], CONFIDENT)
    near = near or faceless.by_header
    upright += [one for one in near if not _is_far(one, settings)]
    scalp = faceless.best(True, near)
    scalp_trust = _scalp_trust(faceless, scalp, settings)
    if scalp_trust > trust and _is_contradicted(faceless, scalp[0], upright, scan, settings):
        scalp_trust = 0.0
    if scalp_trust > trust:
        return _describe(faceless, scalp[0], scalp_trust)
    if not fits:
        raise AlignmentError("no part of the skin resembles a head; check that this is a head scan")
    return _describe(whole, fits[0], trust)


def align_by_scalp(
    skin: Skin,
    scan: Scan,
    settings: AlignmentSettings = SETTINGS,
    *,
    targets: SkinTargets | None = None,
) -> Alignment | None:
    """The head by scalp, ears and neck alone, in about the header's orientation.

    For scans whose face was removed or replaced, where the face must not bend the fit.

    Parameters
    ----------
    skin, scan : Skin, Scan
        As for `align`.
    settings : AlignmentSettings, optional
    targets : SkinTargets, optional
        As for `align`.

    Returns
    -------
    Alignment or None
        None if nothing fits. `support` tells how far the scalp bears it out.

    Raises
    ------
    AlignmentError
        If there is too little skin to try.
    """
    with about(scan):
        targets = targets or SkinTargets.of(skin, scan, settings)
    faceless = targets.aligner(load_template(), settings, faceless=True)
    fits = faceless.by_header
    if not fits:
        return None
    return _describe(faceless, fits[0], _scalp_trust(faceless, fits, settings))


def moved(alignment: Alignment, scan_to_other: NDArray[np.float64]) -> Alignment:
    """The alignment of a scan from that of another, in which the head lies elsewhere.

    Parameters
    ----------
    alignment : Alignment
        Of the other scan.
    scan_to_other : (4, 4) float64 ndarray
        Scan mm to the other's mm, rigid.
    """
    return replace(
        alignment,
        scan_to_template=alignment.scan_to_template @ scan_to_other,
        scan_to_template_rigid=alignment.scan_to_template_rigid @ scan_to_other,
    )


def _inside_vouches(whole: Aligner, fits: list[Fit], scan: Scan) -> bool:
    """Whether a face that shows plainly lies on a head with a brain in the place that it says.

    What lies beside the face (gel pads, cushions, headphones) is skin that no template explains:
    the score suffers, though the fit does not.
    """
    settings = whole.settings
    if not fits or fits[0].witness < settings.plain_witness:
        return False
    rival = fits[1].score if len(fits) > 1 else 0.0
    if _ramp(fits[0].score - rival, settings.margin_ramp) < CONFIDENT:
        return False
    affine = _describe(whole, fits[0], 0.0).scan_to_template
    try:
        head = find_head(scan)
    except ScanError:
        return False
    return brain_share(affine, scan, head, enough=LEAST_WHOLE)[0] >= LEAST_WHOLE


def _is_far(fit: Fit, settings: AlignmentSettings) -> bool:
    """Whether a fit turns the head far from where the header has it."""
    return angle_degrees(fit.template_to_scan, np.eye(4)) > settings.far_degrees


def _is_contradicted(
    aligner: Aligner, fit: Fit, upright: list[Fit], scan: Scan, settings: AlignmentSettings
) -> bool:
    """Whether what is inside the head speaks for the header, where a fit turns the head far away.

    Crania without a lower face, small ones above all, fit turned round as well as upright. A small
    head that fits in no other way is not believed either.
    """
    if not _is_far(fit, settings):
        return False
    if not upright:
        return head_size(_describe(aligner, fit, 0.0).scan_to_template) > ADULT_SIZE
    levels = Levels.of(scan, SOFT_MM)
    turned, *as_it_says = (
        information(levels, _describe(aligner, one, 0.0).scan_to_template)
        for one in (fit, *upright[:3])
    )
    return turned <= max(as_it_says)


def _trust(fits: list[Fit], settings: AlignmentSettings) -> float:
    """Confidence in the first of distinct fits, best first."""
    if not fits:
        return 0.0
    rival = fits[1].score if len(fits) > 1 else 0.0
    return min(
        _ramp(fits[0].score, settings.score_ramp),
        _ramp(fits[0].score - rival, settings.margin_ramp),
        _ramp(fits[0].witness, settings.witness_ramp),
    )


def _scalp_trust(faceless: Aligner, fits: list[Fit], settings: AlignmentSettings) -> float:
    """Confidence in a head whose face was removed, judged by scalp, ears and neck."""
    if not fits:
        return 0.0
    rival = fits[1].score if len(fits) > 1 else 0.0
    described = _describe(faceless, fits[0], 0.0)
    far = _is_far(fits[0], settings)
    return min(
        _ramp(fits[0].score, settings.far_scalp_score_ramp if far else settings.scalp_score_ramp),
        _ramp(fits[0].score - rival, settings.margin_ramp),
        _ramp(described.support["scalp"], settings.scalp_support_ramp),
    )


def _ramp(value: float, ends: tuple[float, float]) -> float:
    """0 below the first end, 1 above the second, straight between."""
    return float(np.clip((value - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0))


def _describe(aligner: Aligner, fit: Fit, confidence: float) -> Alignment:
    """What the fit says about the scan."""
    template, samples = aligner.template, aligner.fine_samples
    near, pairs = aligner.supported(fit)
    support, seen = {}, {}
    for label, name in enumerate(REGIONS):
        here = samples.regions == label
        support[name] = float(near[here].mean()) if here.any() else 0.0
        seen[name] = float(pairs.seen[here].mean()) if here.any() else 0.0
    counted = pairs.seen & (samples.regions != REGIONS.index("neck"))
    residual = float(np.median(np.abs(pairs.residual[counted]))) if counted.any() else np.inf
    pose = np.asarray(np.linalg.inv(fit.template_to_scan), dtype=np.float64)
    shaped = template.shape(fit.shape).astype(np.float64)
    affine = icp.fit_affine(shaped, template.points.astype(np.float64)) @ pose
    return Alignment(affine, pose, fit.shape, residual, confidence, support, seen, template)
