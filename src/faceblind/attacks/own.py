"""Attack 4 with the original: is the face that shows the person's own?

Blurred or eroded, a face keeps its relief; another's has its own. What both surfaces deviate from
a smooth sheet over the fitted head is compared at the same places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.presence import sheet_over_face
from faceblind.attacks.see import Sight
from faceblind.attacks.surface import FACE, find_surface
from faceblind.errors import FaceblindError
from faceblind.head.skin import find_skin
from faceblind.scan import Scan

LIMIT_MM = 8.0


def find_own(original: Scan, sight: Sight) -> float | None:
    """Correlation of the face's relief with the original's: 1 is the same face, 0 another.

    Parameters
    ----------
    original : Scan
        In the same place as the protected scan.
    sight : Sight
        Of the protected scan.

    Returns
    -------
    float or None
        None where too little of a face is shared to say.
    """
    try:
        before = find_surface(find_skin(original), sight.alignment, original)
    except FaceblindError:
        return None
    template = sight.alignment.template
    face = template.region(*FACE)
    both = face & np.isfinite(before.offset) & np.isfinite(sight.surface.offset)
    both &= before.seen & sight.surface.seen
    if before.area[both].sum() < 0.3 * before.area[face].sum():
        return None
    weight = before.area * both
    first, second = (
        _relief(np.nan_to_num(surface.offset), weight, template.points)
        for surface in (before, sight.surface)
    )
    shared = (weight * first * second).sum()
    size = np.sqrt((weight * first**2).sum() * (weight * second**2).sum())
    return float(shared / size) if size > 1e-9 else None


def _relief(
    offset: NDArray[np.float64], weight: NDArray[np.float64], points: NDArray[np.float32]
) -> NDArray[np.float64]:
    sheet = sheet_over_face(offset, weight, points)
    relief: NDArray[np.float64] = np.clip(offset - sheet, -LIMIT_MM, LIMIT_MM)
    return relief
