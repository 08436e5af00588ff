"""Which recogniser goes with which matching, and how many renders it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from faceblind.errors import RecogniserError
from faceblind.face.cameras import DEFAULT_LIGHTS, FEW_LIGHTS, Light
from faceblind.identification.match import MATCHINGS, Matching
from faceblind.recognition.feature_map import NAME


@dataclass(frozen=True)
class Recipe:
    """How photographs and renders are compared.

    Parameters
    ----------
    recogniser : str
        See `faceblind.recognition.registry.get_recogniser`.
    matching : {"adapted", "centred", "nearest"}
        See `faceblind.identification.match`.
    """

    recogniser: str
    matching: Matching


def choose_recipe(recogniser: str | None = None, matching: Matching | None = None) -> Recipe:
    """Fill in what was not asked for.

    Parameters
    ----------
    recogniser : str, optional
        By default ``sface-map`` where the matching can use it: always but for ``nearest``, the
        published recipe, and ``centred``, which was the default before; these get ``sface``.
    matching : {"adapted", "centred", "nearest"}, optional
        By default ``adapted`` for ``sface-map`` and ``centred`` for all others, for which no
        adaptation was fitted.

    Raises
    ------
    RecogniserError
        If `matching` is unknown, or ``adapted`` is asked of a recogniser without an adaptation.
    """
    if matching is not None and matching not in MATCHINGS:
        raise RecogniserError(f"matching: expected one of {', '.join(MATCHINGS)}, got {matching!r}")
    if recogniser is None:
        recogniser = NAME if matching in (None, "adapted") else "sface"
    has_adaptation = recogniser.lower() == NAME
    if matching is None:
        matching = "adapted" if has_adaptation else "centred"
    if matching == "adapted" and not has_adaptation:
        raise RecogniserError(
            f"matching 'adapted' is fitted for the recogniser {NAME} only; leave out --recogniser, "
            "or choose 'centred'"
        )
    return Recipe(recogniser, matching)


def lights_of(recogniser: str) -> tuple[Light, ...]:
    """Lights of the renders that a recogniser is shown.

    All nine, so that figures can be compared with published ones; ``sface-map``, which has no
    published figures, sees four: as many people are found (`bench/README.md`).
    """
    return FEW_LIGHTS if recogniser.lower() == NAME else DEFAULT_LIGHTS
