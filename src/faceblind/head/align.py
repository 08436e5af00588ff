"""Where the head is: rigid pose, affine and shape of the template in a scan, and how sure we are.

Only the skin is used, so any contrast aligns alike. Left and right cannot be told from a surface
that is nearly symmetric: handedness is taken from the scan's header.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.errors import AlignmentError
from faceblind.head import icp
from faceblind.head.search import candidates
from faceblind.head.skin import Skin
from faceblind.head.template import REGIONS, Template, load_template
from faceblind.scan import Scan


@dataclass(frozen=True)
class AlignmentSettings:
    """All constants of the alignment, each with its reason.

    Parameters
    ----------
    skin_step_mm : float
        Thinning of the skin for closest-point queries; well below the size of an eyelid.
    search_step_mm : float
        Thinning for the global search; below its grid cell.
    keep_header, keep_everywhere : int
        Starts refined when the header is trusted first, and when every rotation is tried.
    finished : int
        Distinct starts that are fitted to the end before one is chosen.
    distinct_degrees : float
        Two poses further apart than this are rivals; closer ones are the same answer.
    score_scale_mm : float
        Robust scale of the final score.
    enough_score : float
        Score above which the header's orientation is accepted without trying all others. Heads
        fitted back to front or upside down reached 0.55 at most, on a scan cut at the nostrils.
    enough_witness : float
        Share of brow, eyes, nose and mouth that must have skin for the same. A scan cut at the
        nostrils shows half of them; a cranium fitted in a wrong orientation hides most of them
        outside the field of view and scores well all the same.
    score_ramp, margin_ramp : (float, float)
        Score, and lead over the best rival pose, from no confidence to full confidence. Right
        poses of real and synthetic heads scored 0.55 to 0.67, wrong ones 0.36 to 0.55; the lead
        of the right one was 0.07 or more. See `bench/README.md`.
    witness_ramp : (float, float)
        Share of brow, eyes, nose and mouth with skin, from no confidence to full confidence.
    enough_scalp_score : float
        The same as `enough_score` when the face is left out of the fit, as it must be where it
        was removed. A cranium turned by 180 degrees reached 0.46.
    agreement_degrees : float
        Fits with and without the face that agree this well vouch for each other, which spares
        the search over all rotations.
    scalp_score_ramp : (float, float)
        Score without the face, from no confidence to full confidence.
    shape_noise_mm : float
        Misfit of one sample in the shape fit. Larger than the skin's noise, because neighbouring
        samples share their error (hair, fat) and must not count as independent.
    supported_mm : float
        A template sample has skin if the skin is this close after the shape fit.
    scalp_support_ramp : (float, float)
        Share of the seen scalp that has skin, from no confidence to full confidence, when a head
        is recognised by its scalp alone because its face was removed.
    """

    skin_step_mm: float = 2.5
    search_step_mm: float = 6.0
    keep_header: int = 10
    keep_everywhere: int = 24
    finished: int = 3
    distinct_degrees: float = 25.0
    score_scale_mm: float = 5.0
    enough_score: float = 0.565
    enough_witness: float = 0.4
    score_ramp: tuple[float, float] = (0.46, 0.54)
    margin_ramp: tuple[float, float] = (0.0, 0.06)
    witness_ramp: tuple[float, float] = (0.1, 0.3)
    enough_scalp_score: float = 0.475
    agreement_degrees: float = 15.0
    scalp_score_ramp: tuple[float, float] = (0.38, 0.46)
    shape_noise_mm: float = 4.0
    supported_mm: float = 5.0
    scalp_support_ramp: tuple[float, float] = (0.6, 0.9)


SETTINGS = AlignmentSettings()

_WEIGHTS = {
    "face": 1.0, "brow": 1.5, "eyes": 1.5, "nose": 2.0, "mouth": 1.5, "chin": 1.0,
    "cheeks": 1.0, "ears": 0.3, "scalp": 0.6, "neck": 0.1,
}  # fmt: skip
"""What each region says about the pose: features of the face most, hair, ears and neck least."""


_FEATURES = ("brow", "eyes", "nose", "mouth")
"""What tells a face from an occiput."""


@dataclass(frozen=True)
class Alignment:
    """The template found in a scan.

    Parameters
    ----------
    affine : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm, twelve degrees of freedom.
    pose : (4, 4) float64 ndarray
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

    affine: NDArray[np.float64]
    pose: NDArray[np.float64]
    shape: NDArray[np.float64]
    residual_mm: float
    confidence: float
    support: dict[str, float]
    seen: dict[str, float]
    template: Template = field(repr=False)

    def fitted(self) -> NDArray[np.float64]:
        """(P, 3) template surface with this head's shape, in scan RAS+ mm."""
        to_scan = np.linalg.inv(self.pose)
        return self.template.shape(self.shape) @ to_scan[:3, :3].T + to_scan[:3, 3]

    def landmarks(self) -> dict[str, NDArray[np.float64]]:
        """Landmarks of this head, name to (3,) position in scan RAS+ mm."""
        points = self.fitted()
        return {name: points[index] for name, index in self.template.landmark_index.items()}


CONFIDENT = 0.5
"""Confidence from which an alignment may be used."""


def thin(points: NDArray[np.floating], step_mm: float) -> NDArray[np.int64]:
    """Indices of an even subset: the first point in each cube of side `step_mm`.

    Parameters
    ----------
    points : (N, 3) ndarray
        Millimetres.
    """
    cell = np.floor((points - points.min(axis=0)) / step_mm).astype(np.int64)
    size = cell.max(axis=0) + 1
    key = (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2]
    return np.sort(np.unique(key, return_index=True)[1])


@dataclass(frozen=True)
class _Samples:
    """Evenly thinned template: points, normals, modes and weights at one spacing."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    modes: NDArray[np.float64]
    weights: NDArray[np.float64]
    regions: NDArray[np.uint8]


@lru_cache(maxsize=8)
def _samples(template: Template, step_mm: float) -> _Samples:
    keep = thin(template.points, step_mm)
    weight = np.array([_WEIGHTS[name] for name in REGIONS])[template.regions[keep]]
    return _Samples(
        template.points[keep].astype(np.float64),
        template.normals[keep].astype(np.float64),
        template.modes[:, keep].astype(np.float64),
        weight,
        template.regions[keep],
    )


def _target(skin: Skin, scan: Scan, step_mm: float) -> icp.Target:
    keep = thin(skin.points, step_mm)
    points = skin.points[keep].astype(np.float64)
    return icp.Target(
        points,
        skin.normals[keep].astype(np.float64),
        ~skin.edge[keep],
        cKDTree(points),
        np.asarray(np.linalg.inv(scan.affine), dtype=np.float64),
        np.asarray(scan.shape),
    )


def _angle_degrees(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    cosine = (np.trace(a[:3, :3].T @ b[:3, :3]) - 1.0) / 2.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


@dataclass(frozen=True)
class _Fit:
    """A candidate: template to scan pose, mode coefficients, score, and how much of the features
    of the face (not only of the smooth cranium) bear it out, 0 to 1.
    """

    pose: NDArray[np.float64]
    shape: NDArray[np.float64]
    score: float
    witness: float = 0.0


class _Aligner:
    """One scan's skin against one template, at the resolutions the steps need."""

    def __init__(
        self,
        skin: Skin,
        scan: Scan,
        template: Template,
        settings: AlignmentSettings,
        faceless: bool = False,
    ) -> None:
        self.template = template
        self.settings = settings
        self.fine = _target(skin, scan, settings.skin_step_mm)
        self.coarse = _target(skin, scan, settings.search_step_mm)
        usable = np.flatnonzero(self.coarse.usable)
        if len(usable) < 200:
            raise AlignmentError("too little skin to find a head in it")
        self.usable = usable
        kept = ("scalp", "ears", "neck") if faceless else REGIONS
        self.emphasis = np.array([float(name in kept) for name in REGIONS])
        self.search_samples = _samples(template, 1.5 * settings.search_step_mm)
        self.coarse_samples = _samples(template, 12.0)
        self.middle_samples = _samples(template, 8.0)
        self.fine_samples = _samples(template, 4.0)

    def _shaped(self, samples: _Samples, fit: _Fit) -> NDArray[np.float64]:
        shaped = samples.points + samples.modes.transpose(1, 2, 0) @ fit.shape
        return shaped @ fit.pose[:3, :3].T + fit.pose[:3, 3]

    def _scored(
        self,
        target: icp.Target,
        samples: _Samples,
        placed: NDArray[np.float64],
        pose: NDArray[np.float64],
        scale_mm: float,
    ) -> float:
        """How well template and skin explain each other, 0 to 1.

        Both directions count: the skin near each seen part of the template, and the template
        near each part of the skin that is not neck or shoulder (nor face, if that was removed).
        """
        weights = samples.weights * self.emphasis[samples.regions]
        pairs = icp.pair(target, placed, samples.normals @ pose[:3, :3].T)
        seen = weights * pairs.seen
        if seen.sum() < 0.2 * weights.sum():
            return 0.0
        forward = (weights * icp.robust_weights(pairs, scale_mm)).sum() / seen.sum()
        side = np.flatnonzero(target.usable)
        side = side[:: max(1, len(side) // 3000)]
        distance, nearest = cKDTree(placed).query(target.points[side])
        region = samples.regions[nearest]
        turned = samples.normals[nearest] @ pose[:3, :3].T
        outward = np.einsum("ij,ij->i", target.points[side] - placed[nearest], turned)
        counted = region != REGIONS.index("neck")
        counted &= (self.emphasis[region] > 0) | (outward > 0)
        if counted.sum() < 0.2 * len(counted):
            return 0.0
        agreement = np.clip((turned * target.normals[side]).sum(axis=1), 0.0, 1.0)
        explained = agreement**2 / (1.0 + (distance / scale_mm) ** 2) ** 2
        return float(np.sqrt(forward * explained[counted].mean()))

    def start(self, everywhere: bool) -> list[_Fit]:
        """Rigid fits from the global search, best first."""
        samples = self.search_samples
        keep = self.settings.keep_everywhere if everywhere else self.settings.keep_header
        poses, _ = candidates(
            self.coarse.points[self.usable],
            self.coarse.normals[self.usable],
            samples.points,
            samples.normals
            * (np.minimum(samples.weights, 1.0) * self.emphasis[samples.regions])[:, None],
            everywhere=everywhere,
            keep=keep,
        )
        few = self.coarse_samples
        zero = np.zeros(few.modes.shape[0])
        fits = []
        for start in poses:
            pose = icp.fit_rigid(
                self.coarse, few.points, few.normals,
                few.weights * self.emphasis[few.regions], start,
                (25.0, 20.0, 15.0, 15.0, 12.0, 12.0, 10.0, 10.0),
            )  # fmt: skip
            fit = _Fit(pose, zero, 0.0)
            score = self._scored(self.coarse, few, self._shaped(few, fit), pose, 12.0)
            fits.append(_Fit(pose, zero, score))
        return sorted(fits, key=lambda fit: -fit.score)

    def _distinct(self, fits: list[_Fit], degrees: float, most: int) -> list[_Fit]:
        """The best fits, none within `degrees` of a better one."""
        chosen: list[_Fit] = []
        for fit in sorted(fits, key=lambda fit: -fit.score):
            if all(_angle_degrees(fit.pose, other.pose) > degrees for other in chosen):
                chosen.append(fit)
        return chosen[:most]

    def refine(self, fit: _Fit) -> _Fit:
        """Pose and the leading shape modes on the coarse skin."""
        samples = self.middle_samples
        pose, shape = icp.fit_shape(
            self.coarse, samples.points, samples.normals, samples.modes[:12],
            samples.weights * self.emphasis[samples.regions], fit.pose,
            (15.0, 12.0, 10.0, 8.0, 8.0, 6.0, 6.0), 2.0 * self.settings.shape_noise_mm,
        )  # fmt: skip
        full = np.zeros(samples.modes.shape[0])
        full[:12] = shape
        placed = self._shaped(samples, _Fit(pose, full, 0.0))
        return _Fit(pose, full, self._scored(self.coarse, samples, placed, pose, 6.0))

    def finish(self, fit: _Fit) -> _Fit:
        """All modes on the fine skin."""
        samples = self.fine_samples
        pose, shape = icp.fit_shape(
            self.fine, samples.points, samples.normals, samples.modes,
            samples.weights * self.emphasis[samples.regions], fit.pose,
            (6.0, 5.0, 5.0, 4.0, 4.0, 3.0, 3.0, 3.0), self.settings.shape_noise_mm, fit.shape,
        )  # fmt: skip
        placed = self._shaped(samples, _Fit(pose, shape, 0.0))
        score = self._scored(self.fine, samples, placed, pose, self.settings.score_scale_mm)
        near, _ = self.supported(placed, pose)
        features = np.isin(samples.regions, [REGIONS.index(name) for name in _FEATURES])
        return _Fit(pose, shape, score, float(near[features].mean()))

    def supported(
        self, placed: NDArray[np.float64], pose: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], icp.Pairs]:
        """Which fine samples have skin of their own orientation within reach, and the pairs."""
        pairs = icp.pair(self.fine, placed, self.fine_samples.normals @ pose[:3, :3].T)
        near = (pairs.distance < self.settings.supported_mm) & (pairs.agreement > 0.5)
        return near & pairs.seen, pairs

    def best(self, everywhere: bool, known: list[_Fit]) -> list[_Fit]:
        """Finished fits in distinct poses, best first; `known` ones compete too."""
        degrees = self.settings.distinct_degrees
        # The rigid score is coarse: starts that look alike but for a tilt may end differently.
        starts = self._distinct(self.start(everywhere), 12.0, 10 if everywhere else 4)
        refined = self._distinct(
            [self.refine(fit) for fit in starts], degrees, self.settings.finished
        )
        finished = known + [self.finish(fit) for fit in refined]
        return self._distinct(finished, degrees, len(finished))


def align(
    skin: Skin,
    scan: Scan,
    template: Template | None = None,
    settings: AlignmentSettings = SETTINGS,
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

    Returns
    -------
    Alignment
        Check `confidence` against `CONFIDENT` before use; `require_confident` does.

    Raises
    ------
    AlignmentError
        If there is too little skin to try.
    """
    template = template or load_template()
    whole = _Aligner(skin, scan, template, settings)
    fits = whole.best(False, [])
    faceless = _Aligner(skin, scan, template, settings, faceless=True)
    if fits and fits[0].witness >= settings.enough_witness:
        trust = _trust(fits, settings)
        if fits[0].score >= settings.enough_score and trust >= CONFIDENT:
            return _describe(whole, fits[0], trust)
        scalp = faceless.best(False, [])
        if (
            trust >= CONFIDENT
            and scalp
            and scalp[0].score >= settings.enough_scalp_score
            and _angle_degrees(fits[0].pose, scalp[0].pose) < settings.agreement_degrees
        ):
            return _describe(whole, fits[0], trust)
    fits = whole.best(True, fits)
    trust = _trust(fits, settings)
    if trust >= CONFIDENT:
        return _describe(whole, fits[0], trust)
    scalp = faceless.best(True, faceless.best(False, []))
    scalp_trust = _scalp_trust(faceless, scalp, settings)
    if scalp_trust > trust:
        return _describe(faceless, scalp[0], scalp_trust)
    if not fits:
        raise AlignmentError("no part of the skin resembles a head")
    return _describe(whole, fits[0], trust)


def _trust(fits: list[_Fit], settings: AlignmentSettings) -> float:
    """Confidence in the first of distinct fits, best first."""
    if not fits:
        return 0.0
    rival = fits[1].score if len(fits) > 1 else 0.0
    return min(
        _ramp(fits[0].score, settings.score_ramp),
        _ramp(fits[0].score - rival, settings.margin_ramp),
        _ramp(fits[0].witness, settings.witness_ramp),
    )


def _scalp_trust(faceless: _Aligner, fits: list[_Fit], settings: AlignmentSettings) -> float:
    """Confidence in a head whose face was removed, judged by scalp, ears and neck."""
    if not fits:
        return 0.0
    rival = fits[1].score if len(fits) > 1 else 0.0
    described = _describe(faceless, fits[0], 0.0)
    return min(
        _ramp(fits[0].score, settings.scalp_score_ramp),
        _ramp(fits[0].score - rival, settings.margin_ramp),
        _ramp(described.support["scalp"], settings.scalp_support_ramp),
    )


def _ramp(value: float, ends: tuple[float, float]) -> float:
    """0 below the first end, 1 above the second, straight between."""
    return float(np.clip((value - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0))


def _describe(aligner: _Aligner, fit: _Fit, confidence: float) -> Alignment:
    """What the fit says about the scan."""
    template, samples = aligner.template, aligner.fine_samples
    placed = aligner._shaped(samples, fit)
    near, pairs = aligner.supported(placed, fit.pose)
    support, seen = {}, {}
    for label, name in enumerate(REGIONS):
        here = samples.regions == label
        support[name] = float(near[here].mean()) if here.any() else 0.0
        seen[name] = float(pairs.seen[here].mean()) if here.any() else 0.0
    counted = pairs.seen & (samples.regions != REGIONS.index("neck"))
    residual = float(np.median(np.abs(pairs.residual[counted]))) if counted.any() else np.inf
    pose = np.asarray(np.linalg.inv(fit.pose), dtype=np.float64)
    shaped = template.shape(fit.shape).astype(np.float64)
    affine = icp.fit_affine(shaped, template.points.astype(np.float64)) @ pose
    return Alignment(affine, pose, fit.shape, residual, confidence, support, seen, template)
