"""What the knobs of the people, the scanner and the camera may be set to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from faceblind.errors import FaceblindError


def check_limits(
    owner: str,
    settings: object,
    limits: Mapping[str, tuple[float, float]],
    whole: Sequence[str] = (),
) -> None:
    """Refuse settings that are not numbers or out of range.

    Parameters
    ----------
    owner : str
        Whose settings, for the message.
    settings : object
        Of a dataclass with defaults. A setting whose default is a pair has to be a pair too, and
        the second number not below the first.
    limits : mapping of str to (float, float)
        Least and greatest value of each setting, both allowed.
    whole : sequence of str
        Settings that have to be whole numbers.

    Raises
    ------
    FaceblindError
        If a setting is none of what it may be, naming it and its limits.
    """
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        pair = isinstance(getattr(type(settings), name), tuple)
        kind = Integral if name in whole else Real
        numbers = tuple(value) if pair and isinstance(value, (tuple, list)) else (value,)
        if len(numbers) != 1 + pair or not all(_within(v, kind, low, high) for v in numbers):
            wanted = "two numbers" if pair else "a whole number" if name in whole else "a number"
            raise FaceblindError(
                f"{owner}: {name} must be {wanted} from {low:g} to {high:g}, got {value}"
            )
        if numbers[0] > numbers[-1]:
            raise FaceblindError(f"{owner}: {name} must rise, got {value}")


def _within(value: Any, kind: Any, low: float, high: float) -> bool:
    # A NaN is neither at least `low` nor at most `high`.
    return isinstance(value, kind) and not isinstance(value, bool) and bool(low <= value <= high)
