"""A small face whose regions are coloured by how much of each still shows."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from faceblind.attacks.region_presence import RegionPresence
from faceblind.attacks.surface import LOOKED_AT
from faceblind.attacks.verdict import LEAST_SEEN
from faceblind.report.texts import percent

STEPS = (0.05, 0.2, 0.4, 0.6, 0.8)
"""Shares from which a region has the next of five colours."""
LEFT_OUT = "out"
"""Class of a region outside the field of view."""

_FRAME = Markup('<svg class="face" viewBox="0 0 64 74" role="img" aria-label="{}">{}</svg>')
_SHAPES = {
    "head": "M32 3C14 3 9 18 10 36C11 56 21 71 32 71C43 71 53 56 54 36C55 18 50 3 32 3Z",
    "brow": "M13 21C18 13 46 13 51 21L50 28C44 23 20 23 14 28Z",
    "eyes": "M15 32A6.5 4.5 0 1 1 28 32A6.5 4.5 0 1 1 15 32ZM36 32A6.5 4.5 0 1 1 49 32"
    "A6.5 4.5 0 1 1 36 32Z",
    "nose": "M30 31L34 31L38 45C38 49 26 49 26 45Z",
    "mouth": "M22 55C26 51 38 51 42 55C38 60 26 60 22 55Z",
    "chin": "M22 61C27 63 37 63 42 61C40 67 36 70 32 70C28 70 24 67 22 61Z",
    "cheeks": "M13 38C17 40 21 41 24 45C23 49 20 52 18 56C15 51 13 45 13 38ZM51 38"
    "C47 40 43 41 40 45C41 49 44 52 46 56C49 51 51 45 51 38Z",
    # The face looks at the reader: the person's left is on the right.
    "left ear": "M55 29C60 27 62 32 60 38C59 43 57 46 54 45Z",
    "right ear": "M9 29C4 27 2 32 4 38C5 43 7 46 10 45Z",
}


def face_symbols() -> Markup:
    """The shapes, once for a page; diagrams refer to them."""
    shapes = "".join(f'<path id="{_id(name)}" d="{path}"/>' for name, path in _SHAPES.items())
    return Markup('<svg class="shapes" aria-hidden="true"><defs>{}</defs></svg>').format(
        Markup(shapes)  # noqa: S704 - constants
    )


def face_diagram(regions: Mapping[str, RegionPresence]) -> Markup:
    """The diagram of one scan.

    Parameters
    ----------
    regions : mapping of str to RegionPresence
        By name, of `faceblind.attacks.surface.LOOKED_AT`.

    Returns
    -------
    Markup
        With the shares as its accessible name.
    """
    steps = {name: _step(regions[name]) for name in LOOKED_AT if name in regions}
    used = '<use href="#f-head"/>' + "".join(
        f'<use href="#{_id(name)}" class="{step}"/>' for name, step in steps.items() if step
    )
    return _FRAME.format(spoken(regions), Markup(used))  # noqa: S704 - names of regions alone


def spoken(regions: Mapping[str, RegionPresence]) -> str:
    """Which regions show how much, in words."""
    known = [(name, regions[name]) for name in LOOKED_AT if name in regions]
    shown = [
        f"{name} {percent(one.shown)}"
        for name, one in known
        if one.seen >= LEAST_SEEN and one.shown >= STEPS[0]
    ]
    out = [name for name, one in known if one.seen < LEAST_SEEN]
    texts = [f"shows {', '.join(shown)}"] if shown else ["shows no region"]
    if out:
        texts.append(f"outside the field of view: {', '.join(out)}")
    return "; ".join(texts)


def key() -> tuple[tuple[str, str], ...]:
    """Classes of the colours and what they mean."""
    ends = [*STEPS[1:], 1.0]
    steps = [
        (f"s{k}", f"{100 * low:.0f}–{100 * high:.0f} %")
        for k, (low, high) in enumerate(zip(STEPS, ends, strict=True), start=1)
    ]
    return (*steps, (LEFT_OUT, "outside the field of view"))


def _step(region: RegionPresence) -> str:
    if region.seen < LEAST_SEEN:
        return LEFT_OUT
    step = sum(region.shown >= bound for bound in STEPS)
    return f"s{step}" if step else ""


def _id(name: str) -> str:
    return f"f-{name.replace(' ', '-')}"
