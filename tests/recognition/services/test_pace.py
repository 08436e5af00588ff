"""Requests are kept apart by a clock and a sleep that stand still unless a test moves them."""

from __future__ import annotations

from faceblind.recognition.services.pace import Pace


class Clock:
    """Time passes only while one sleeps, or by hand."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_the_first_request_waits_for_nothing_and_the_others_for_their_turn() -> None:
    clock = Clock()
    pace = Pace(4.0, lambda: clock.now, clock.sleep)
    for _ in range(3):
        pace.wait()
    assert clock.slept == [0.25, 0.25]
    assert pace.count == 3


def test_time_that_passed_by_itself_is_not_waited_for_again() -> None:
    clock = Clock()
    pace = Pace(0.5, lambda: clock.now, clock.sleep)
    pace.wait()
    clock.now += 1.5
    pace.wait()
    assert clock.slept == [0.5]
    clock.now += 60.0
    pace.wait()
    # Idle time is not saved up for a burst.
    pace.wait()
    assert clock.slept == [0.5, 2.0]
