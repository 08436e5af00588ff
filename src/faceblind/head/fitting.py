"""Candidate fits of the template to the skin of one scan, from coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.errors import AlignmentError
from faceblind.geometry import icp
from faceblind.geometry.points import thin, tree_of
from faceblind.geometry.transforms import angle_degrees
from faceblind.head.pose_search import SearchField, SearchTemplate, candidates
from faceblind.head.skin import Skin
from faceblind.head.template import REGIONS, Template
from faceblind.scan import Scan
from faceblind.system.threads import map_threads


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
    far_degrees : float
        From here a pose contradicts the header, which is wrong about up and front far more rarely
        than a cranium looks the same when turned round.
    far_scalp_score_ramp : (float, float)
        `scalp_score_ramp` for such poses. Nine real scans turned by 180 degrees, with and without
        their faces, reached 0.504; two T2*-weighted ones, whose skin is too dark to be seen, were
        fitted turned round with 0.456 and 0.426.
    shape_noise_mm : float
        Misfit of one sample in the shape fit. Larger than the skin's noise, because neighbouring
        samples share their error (hair, fat) and must not count as independent.
    plain_witness : float
        Share of brow, eyes, nose and mouth with skin from which a face is believed that what is
        inside the head bears out, whatever lies beside it. Faces beside gel pads had 0.86 and
        more, templates bent onto our own cuts 0.74 and less.
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
    far_degrees: float = 60.0
    far_scalp_score_ramp: tuple[float, float] = (0.505, 0.535)
    shape_noise_mm: float = 4.0
    plain_witness: float = 0.8
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
class _Samples:
    """Evenly thinned template: points, normals, modes and weights at one spacing."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    modes: NDArray[np.float64]
    weights: NDArray[np.float64]
    regions: NDArray[np.uint8]


@lru_cache(maxsize=16)
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


def _emphasis(faceless: bool) -> NDArray[np.float64]:
    """1 for each region of `REGIONS` that takes part, 0 for others."""
    kept = ("scalp", "ears", "neck") if faceless else REGIONS
    return np.array([float(name in kept) for name in REGIONS])


@lru_cache(maxsize=4)
def _search_template(template: Template, search_step_mm: float, faceless: bool) -> SearchTemplate:
    """Made once for all scans of a process: it takes longer than the search itself."""
    samples = _samples(template, 1.5 * search_step_mm)
    weight = np.minimum(samples.weights, 1.0) * _emphasis(faceless)[samples.regions]
    return SearchTemplate.of(samples.points, samples.normals * weight[:, None])


def _target(skin: Skin, scan: Scan, step_mm: float) -> icp.Target:
    keep = thin(skin.points, step_mm)
    points = skin.points[keep].astype(np.float64)
    return icp.Target(
        points,
        skin.normals[keep].astype(np.float64),
        ~skin.edge[keep],
        tree_of(points),
        np.asarray(np.linalg.inv(scan.affine), dtype=np.float64),
        np.asarray(scan.shape),
    )


@dataclass(frozen=True)
class Fit:
    """A candidate.

    Parameters
    ----------
    template_to_scan : (4, 4) float64 ndarray
        Template mm to scan RAS+ mm, rigid.
    shape : (K,) float64 ndarray
        Mode coefficients, standard deviations.
    score : float
        How well template and skin explain each other, 0 to 1.
    witness : float
        Share of brow, eyes, nose and mouth that has skin: the features bear the fit out, not
        only the smooth cranium. 0 to 1, known for finished fits.
    pairs : icp.Pairs or None
        The closest skin of the fine samples, known for finished fits.
    """

    template_to_scan: NDArray[np.float64]
    shape: NDArray[np.float64]
    score: float
    witness: float = 0.0
    pairs: icp.Pairs | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class SkinTargets:
    """One scan's skin, prepared once for all fits.

    Parameters
    ----------
    fine, coarse : icp.Target
        At the spacings of `AlignmentSettings`.
    search : SearchField
        Of the coarse one, without caps.
    """

    fine: icp.Target
    coarse: icp.Target
    search: SearchField
    _aligners: dict[tuple[Template, AlignmentSettings, bool], Aligner] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, skin: Skin, scan: Scan, settings: AlignmentSettings = SETTINGS) -> SkinTargets:
        """Of the surface, and the volume that says where the field of view ends.

        Raises
        ------
        AlignmentError
            If there is too little skin.
        """
        coarse = _target(skin, scan, settings.search_step_mm)
        usable = np.flatnonzero(coarse.usable)
        if len(usable) < 200:
            raise AlignmentError(
                "too little skin to find a head in it; check that this is a head scan"
            )
        search = SearchField.of(coarse.points[usable], coarse.normals[usable])
        return cls(_target(skin, scan, settings.skin_step_mm), coarse, search)

    def aligner(
        self, template: Template, settings: AlignmentSettings, *, faceless: bool
    ) -> Aligner:
        """The one `Aligner` of these, which keeps what it found.

        Parameters
        ----------
        template, settings, faceless
            As for `Aligner`.
        """
        key = (template, settings, faceless)
        if key not in self._aligners:
            self._aligners[key] = Aligner(self, template, settings, faceless=faceless)
        return self._aligners[key]


class Aligner:
    """One scan's skin against one template, at the resolutions the steps need.

    Parameters
    ----------
    targets : SkinTargets
    template : Template
    settings : AlignmentSettings
    faceless : bool
        Leave the face out: it was removed or replaced.
    """

    def __init__(
        self,
        targets: SkinTargets,
        template: Template,
        settings: AlignmentSettings,
        faceless: bool = False,
    ) -> None:
        self.template = template
        self.settings = settings
        self.targets = targets
        self.fine, self.coarse = targets.fine, targets.coarse
        self.faceless = faceless
        self.emphasis = _emphasis(faceless)
        self.coarse_samples = _samples(template, 12.0)
        self.middle_samples = _samples(template, 8.0)
        self.fine_samples = _samples(template, 4.0)

    @cached_property
    def by_header(self) -> list[Fit]:
        """Finished fits in about the header's orientation, as `best`; not to be changed."""
        return self.best(False, [])

    def _shaped(self, samples: _Samples, fit: Fit) -> NDArray[np.float64]:
        shaped = samples.points + samples.modes.transpose(1, 2, 0) @ fit.shape
        return apply_affine(fit.template_to_scan, shaped)

    def _scored(
        self,
        target: icp.Target,
        samples: _Samples,
        placed: NDArray[np.float64],
        pose: NDArray[np.float64],
        scale_mm: float,
        pairs: icp.Pairs | None = None,
    ) -> float:
        """How well template and skin explain each other, 0 to 1.

        Both directions count: the skin near each seen part of the template, and the template
        near each part of the skin that is not neck or shoulder (nor face, if that was removed).
        `pairs` are those of the samples, if they are known.
        """
        weights = samples.weights * self.emphasis[samples.regions]
        pairs = pairs or icp.pair(target, placed, samples.normals @ pose[:3, :3].T)
        seen = weights * pairs.seen
        if seen.sum() < 0.2 * weights.sum():
            return 0.0
        forward = (weights * icp.robust_weights(pairs, scale_mm)).sum() / seen.sum()
        side = np.flatnonzero(target.usable)
        side = side[:: max(1, len(side) // 3000)]
        distance, nearest = tree_of(placed).query(target.points[side])
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

    def start(self, everywhere: bool) -> list[Fit]:
        """Rigid fits from the global search, best first."""
        keep = self.settings.keep_everywhere if everywhere else self.settings.keep_header
        poses, _ = candidates(
            self.targets.search,
            _search_template(self.template, self.settings.search_step_mm, self.faceless),
            everywhere=everywhere,
            keep=keep,
        )
        few = self.coarse_samples
        zero = np.zeros(few.modes.shape[0])

        def fit_from(start: NDArray[np.float64]) -> Fit:
            pose = icp.fit_rigid(
                self.coarse, few.points, few.normals,
                few.weights * self.emphasis[few.regions], start,
                (25.0, 20.0, 15.0, 15.0, 12.0, 12.0, 10.0, 10.0),
            )  # fmt: skip
            fit = Fit(pose, zero, 0.0)
            score = self._scored(self.coarse, few, self._shaped(few, fit), pose, 12.0)
            return Fit(pose, zero, score)

        return sorted(map_threads(fit_from, list(poses)), key=lambda fit: -fit.score)

    def _distinct(self, fits: list[Fit], degrees: float, most: int) -> list[Fit]:
        """The best fits, none within `degrees` of a better one."""
        chosen: list[Fit] = []
        for fit in sorted(fits, key=lambda fit: -fit.score):
            if all(
                angle_degrees(fit.template_to_scan, other.template_to_scan) > degrees
                for other in chosen
            ):
                chosen.append(fit)
        return chosen[:most]

    def refine(self, fit: Fit) -> Fit:
        """Pose and the leading shape modes on the coarse skin."""
        samples = self.middle_samples
        pose, shape = icp.fit_shape(
            self.coarse, samples.points, samples.normals, samples.modes[:12],
            samples.weights * self.emphasis[samples.regions], fit.template_to_scan,
            (15.0, 12.0, 10.0, 8.0, 8.0, 6.0, 6.0), 2.0 * self.settings.shape_noise_mm,
        )  # fmt: skip
        full = np.zeros(samples.modes.shape[0])
        full[:12] = shape
        placed = self._shaped(samples, Fit(pose, full, 0.0))
        return Fit(pose, full, self._scored(self.coarse, samples, placed, pose, 6.0))

    def finish(self, fit: Fit) -> Fit:
        """All modes on the fine skin."""
        samples = self.fine_samples
        pose, shape = icp.fit_shape(
            self.fine, samples.points, samples.normals, samples.modes,
            samples.weights * self.emphasis[samples.regions], fit.template_to_scan,
            (6.0, 5.0, 5.0, 4.0, 4.0, 3.0, 3.0, 3.0), self.settings.shape_noise_mm, fit.shape,
        )  # fmt: skip
        found = Fit(pose, shape, 0.0)
        placed = self._shaped(samples, found)
        near, pairs = self.supported(found)
        scale = self.settings.score_scale_mm
        score = self._scored(self.fine, samples, placed, pose, scale, pairs)
        features = np.isin(samples.regions, [REGIONS.index(name) for name in _FEATURES])
        return Fit(pose, shape, score, float(near[features].mean()), pairs)

    def supported(self, fit: Fit) -> tuple[NDArray[np.bool_], icp.Pairs]:
        """Which fine samples have skin of their own orientation within reach, and the pairs."""
        samples, pose = self.fine_samples, fit.template_to_scan
        pairs = fit.pairs or icp.pair(
            self.fine, self._shaped(samples, fit), samples.normals @ pose[:3, :3].T
        )
        near = (pairs.distance < self.settings.supported_mm) & (pairs.agreement > 0.5)
        return near & pairs.seen, pairs

    def best(self, everywhere: bool, known: list[Fit]) -> list[Fit]:
        """Finished fits in distinct poses, best first; `known` ones compete too."""
        degrees = self.settings.distinct_degrees
        # The rigid score is coarse: starts that look the same but for a tilt may end differently.
        starts = self._distinct(self.start(everywhere), 12.0, 10 if everywhere else 4)
        refined = map_threads(self.refine, starts)
        refined = self._distinct(refined, degrees, self.settings.finished)
        finished = known + map_threads(self.finish, refined)
        return self._distinct(finished, degrees, len(finished))
