"""How fast a service is asked."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Keeps requests apart, so that a service's rate limit is not met at all.

    Parameters
    ----------
    per_second : float
        Most requests in a second.
    clock, sleep : callable
        For tests.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap, self._clock, self._sleep = 1 / per_second, clock, sleep
        self._next = 0.0
        self.count = 0

    def wait(self) -> None:
        """Return when the next request may start."""
        pause = self._next - self._clock()
        if pause > 0:
            self._sleep(pause)
        self._next = self._clock() + self._gap
        self.count += 1
