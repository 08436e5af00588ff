from __future__ import annotations

from faceblind.review.queue import ordered
from faceblind.review.scans import Judged, Protected


def test_the_most_suspicious_comes_first():
    given = {
        "pass-high": Judged("pass", 0.04), "pass-low": Judged("pass", 0.01), "none": Judged(),
        "unsure": Judged("unsure", 0.1), "fail-low": Judged("fail", 0.02),
        "fail-high": Judged("fail", 0.9), "fail-meta": Judged("fail"),
    }  # fmt: skip
    scans = [Protected(name, name, None, judged) for name, judged in given.items()]
    names = [scan.inside for scan in ordered(scans)]
    assert names == [
        "fail-high", "fail-low", "fail-meta", "unsure", "none", "pass-high", "pass-low",
    ]  # fmt: skip


def test_equal_suspicion_goes_by_path():
    scans = [Protected(name, name, None) for name in ("b", "c", "a")]
    assert [scan.inside for scan in ordered(scans)] == ["a", "b", "c"]
