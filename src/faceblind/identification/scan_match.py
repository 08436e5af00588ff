"""What one scan offers to a search among scans, and how similar two sides of such scans are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from faceblind.face.pipeline import ReconstructedHead, render_face, render_list
from faceblind.face.reconstruction import Variant
from faceblind.identification.adaptation import standardised
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.match import SCORE_DECIMALS, Scores, match
from faceblind.identification.recipe import lights_of
from faceblind.identification.surface_match import Shape, compare, shape_of
from faceblind.recognition.registry import get_recogniser

LinkMatching = Literal["fused", "centred", "nearest"]

GEOMETRY_WEIGHT = 1.0
"""Share of the surfaces' comparison in the fused score, both in standard deviations. The choice and
what it rests on stand in `docs/how-to/linking.md`."""


@dataclass(frozen=True)
class ScanFeatures:
    """What a search among scans compares.

    Parameters
    ----------
    vectors : (V, D) float32 ndarray
        Embeddings of the renders, unit vectors.
    shape : Shape
        Corresponding vertices of the face.
    """

    vectors: NDArray[np.float32]
    shape: Shape

    def as_arrays(self, prefix: str = "") -> dict[str, NDArray[np.float32]]:
        """What a file of arrays keeps of it; `prefix` tells several apart."""
        parts = {"vectors": self.vectors, "points": self.shape.points, "trust": self.shape.trust}
        return {f"{prefix}{name}": part for name, part in parts.items()}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[np.float32]], prefix: str = ""
    ) -> ScanFeatures:
        """The inverse of `as_arrays`."""
        vectors, *shape = (arrays[f"{prefix}{name}"] for name in ("vectors", "points", "trust"))
        return cls(vectors, Shape(*shape))


def features_of_head(
    head: ReconstructedHead, recogniser: str, variant: Variant = "completed"
) -> ScanFeatures:
    """Embed the renders of a head and keep its shape.

    Parameters
    ----------
    head : ReconstructedHead
    recogniser : str
        See `faceblind.recognition.registry.get_recogniser`.
    variant : {"completed", "as-is"}
        Which face the recogniser sees.
    """
    images, landmarks = render_list(render_face(head.variant(variant), lights_of(recogniser)))
    return ScanFeatures(get_recogniser(recogniser).embed(images, landmarks), shape_of(head))


def link_scores(
    probes: Mapping[str, ScanFeatures],
    gallery: Mapping[str, ScanFeatures],
    identity: str,
    matching: LinkMatching = "fused",
) -> Scores:
    """Score every probe person against every gallery person, both by scans.

    ``fused`` adds the recogniser's scores and those of the surfaces (`surface_match.compare`), each
    in standard deviations of its row and of its column (`adaptation.standardised`), which needs no
    identities.

    Parameters
    ----------
    probes, gallery : mapping of str to ScanFeatures
        By person.
    identity : str
        The recogniser's.
    matching : {"fused", "centred", "nearest"}

    Returns
    -------
    Scores
        Persons sorted.

    Raises
    ------
    FaceblindError
        If nobody is on both sides, or fewer than two people are on a side and ``nearest`` was
        not asked for.
    """
    searched, among = (
        Embeddings.of_people({p: one.vectors for p, one in side.items()}, "render", identity)
        for side in (probes, gallery)
    )
    base = match(searched, among, "nearest" if matching == "nearest" else "centred")
    if matching != "fused":
        return base
    surfaces = compare(
        [probes[str(person)].shape for person in base.probe_persons],
        [gallery[str(person)].shape for person in base.gallery_persons],
    )
    values = _comparable(base.values) + GEOMETRY_WEIGHT * _comparable(surfaces)
    return replace(base, values=np.round(values, SCORE_DECIMALS) + 0.0)


def _comparable(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores of either kind in standard deviations, see `standardised`."""
    spread = float(values.std())
    return standardised(values, spread) if spread > 1e-9 else np.zeros_like(values)
