from __future__ import annotations

import logging

import pytest

from faceblind.system import progress
from faceblind.system.progress import Progress, track


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the module reads; the test sets them."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_line_now_and_then_with_an_estimate(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    counted = Progress("scans protected", 4, show=True)
    clock[0] += 3.0
    counted.advance()
    assert caplog.messages == []  # too soon
    clock[0] += 9.0
    counted.advance()
    assert caplog.messages == ["scans protected: 2 of 4 done, about 12 s left"]
    clock[0] += 1.0
    counted.advance(failed=True)
    counted.advance()
    assert caplog.messages[1:] == ["scans protected (1 failed): 4 of 4 done"]


def test_silence_where_it_is_asked_for(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with track("scans", 2, show=False) as counted:
        clock[0] += 60.0
        counted.advance()
        counted.advance()
    assert (counted.done, counted.failed, caplog.messages) == (2, 0, [])


def test_a_terminal_gets_a_bar_that_counts_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes any stream for a terminal
    with track("scans", 3) as counted:
        counted.advance()
        counted.advance(failed=True)
        bar = counted._bar
        assert bar is not None
        (task,) = bar.tasks
        assert (task.completed, task.total, task.description) == (2, 3, "scans (1 failed)")


def test_nothing_to_do_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with track("scans", 0) as counted:
        assert counted._bar is None
