"""Heads much smaller than the average adult's: found with a smaller template.

The template's modes keep its size. In a head of four fifths of it, as an infant has, the fit ends
upside down or nowhere.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from faceblind.errors import AlignmentError
from faceblind.geometry.transforms import angle_degrees
from faceblind.head.alignment import CONFIDENT, Alignment, align
from faceblind.head.brain_cover import ADULT_SIZE, head_size
from faceblind.head.dim_scalp import refined_at_dim_scalp
from faceblind.head.fitting import SETTINGS
from faceblind.head.presence import find_presence
from faceblind.head.skin import Skin
from faceblind.head.template import Template, load_template
from faceblind.scan import Scan

SMALLER = 0.82
"""Of the average adult's head."""
LEAST_CONFIDENCE, LEAST_FACE = 0.7, 0.75
"""Confidence that such a head needs, and share of brow, eyes, nose and mouth, as far as they are
seen, that must have skin: what is no head fits a smaller template sooner."""
LEAST_SIZE = 1.12
"""Template mm per scan mm that it has at least: adults in cut fields of view fitted with 1.11 at
most."""


@lru_cache(maxsize=1)
def small_template() -> Template:
    """The average head, made smaller."""
    template = load_template()
    return replace(
        template,
        points=template.points * np.float32(SMALLER),
        modes=template.modes * np.float32(SMALLER),
    )


@lru_cache(maxsize=1)
def _grown_template() -> Template:
    """The average head, whose last mode makes it smaller."""
    template, small = load_template(), small_template()
    shrinks = (small.points - template.points)[None]
    return replace(template, modes=np.concatenate([small.modes, shrinks]))


def align_small(skin: Skin, scan: Scan) -> Alignment | None:
    """Find a head that is much smaller than an adult's, as `faceblind.head.alignment.align`.

    Parameters
    ----------
    skin : Skin
    scan : Scan
        Where the skin was found.

    Returns
    -------
    Alignment or None
        To the average adult template; None where no face is found with confidence in about the
        header's orientation.
    """
    try:
        found = align(skin, scan, small_template())
    except AlignmentError:
        return None
    turned = angle_degrees(found.scan_to_template_rigid, np.eye(4))
    if found.confidence < LEAST_CONFIDENCE or turned > SETTINGS.far_degrees:
        return None
    if head_size(found.scan_to_template) / SMALLER < LEAST_SIZE:
        return None
    features = [name for name in ("brow", "eyes", "nose", "mouth") if found.seen[name] > 0.5]
    share = [found.support[name] / found.seen[name] for name in features]
    if len(share) < 2 or float(np.mean(share)) < LEAST_FACE:
        return None
    grow = np.diag([1.0 / SMALLER] * 3 + [1.0])
    return replace(
        found,
        scan_to_template=grow @ found.scan_to_template,
        shape=np.append(found.shape, 1.0),
        template=_grown_template(),
    )


def or_smaller(scan: Scan, skin: Skin, usual: tuple[Skin, Alignment]) -> tuple[Skin, Alignment]:
    """What was found or, where the usual template missed the head, what the smaller one finds.

    Parameters
    ----------
    scan : Scan
    skin : Skin
        As `faceblind.head.skin.find_skin` found it.
    usual : tuple of Skin and Alignment
        What `faceblind.head.dim_scalp.refined_at_dim_scalp` gave.
    """
    if not _is_missed(usual[1]):
        return usual
    small = align_small(skin, scan)
    return usual if small is None else refined_at_dim_scalp(scan, skin, small, align_small)


def _is_missed(alignment: Alignment) -> bool:
    """Whether a head was not found, or is a small one in which no face was found."""
    if alignment.confidence < CONFIDENT:
        return True
    return head_size(alignment.scan_to_template) > ADULT_SIZE and find_presence(alignment).is_gone
