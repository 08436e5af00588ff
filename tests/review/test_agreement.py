from __future__ import annotations

import pytest

from faceblind.review.agreement import agreements, table
from faceblind.review.decisions import Decision


def decided(rater, choices, turn=1, sha="x"):
    return [
        Decision(f"s{n}", rater, turn, choice, sha256=sha, made="2026-01-01T00:00:00+00:00")
        for n, choice in enumerate(choices)
        if choice
    ]


def test_two_raters_and_one_rater_twice():
    anna = ["accept", "accept", "reject", "redo", "later"]
    ben = ["accept", "reject", "reject", "reject", "accept"]
    again = ["accept", "accept", "reject", "", ""]
    found = agreements([*decided("anna", anna), *decided("ben", ben), *decided("anna", again, 2)])
    by_pair = {(one["first"], one["second"]): one for one in found}
    assert set(by_pair) == {
        ("anna", "anna, round 2"), ("anna", "ben"), ("anna, round 2", "ben"),
    }  # fmt: skip
    both = by_pair["anna", "ben"]
    # Four scans: what is left for later does not count, and redo is a rejection.
    assert (both["items"], both["observed"]) == (4, 0.75)
    assert both["kappa"] == pytest.approx((0.75 - 0.5) / 0.5)
    assert by_pair["anna", "anna, round 2"]["kappa"] == 1.0


def test_another_version_of_a_scan_is_another_thing_to_rate():
    (one,) = agreements([*decided("a", ["accept"], sha="1"), *decided("b", ["accept"], sha="2")])
    assert one["items"] == 0


def test_a_comment_cannot_break_the_table_nor_run_in_a_spreadsheet():
    comment = "=HYPERLINK(1)\tx\ny"
    one = Decision("s", "anna", 1, "reject", ("eyes",), comment, "2026", "ab")
    header, row, rest = table([one]).split("\n")
    assert rest == ""
    cells = dict(zip(header.split("\t"), row.split("\t"), strict=True))
    assert cells["comment"] == "'=HYPERLINK(1) x y"
    assert cells["categories"] == "fail; eyes"
    assert cells["decision"] == "reject"
