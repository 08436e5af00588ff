"""What a protection may leave, and what it takes besides the face."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RegionOptions:
    """What may stay, and what must go besides the face.

    Parameters
    ----------
    keep_ears : bool
        Leave the ears. They are biometric.
    keep_eyes : bool
        Leave the globes and the orbits behind them (eye tracking, ophthalmology).
    teeth : bool
        Take out both dental arches to the last molar; without it the front of them goes.
    neck : bool
        Take out skin and soft tissue of the neck, but not the spine.
    """

    keep_ears: bool = False
    keep_eyes: bool = False
    teeth: bool = False
    neck: bool = False
