from __future__ import annotations

import os
import stat

import pytest

from faceblind.errors import FaceblindError, OutputError
from faceblind.review.decisions import LONGEST_COMMENT, Decision, Decisions


def decision(choice="accept", scan="sub-01/a.nii", rater="anna", turn=1, **more):
    return Decision(scan, rater, turn, choice, **more)


def test_what_was_decided_survives_a_restart(tmp_path):
    with Decisions(tmp_path / "private") as decisions:
        kept = decisions.add(
            decision("reject", faults=("eyes", "brow"), comment="<b>naïve</b>", sha256="ab")
        )
        decisions.add(decision("redo", scan="z", settings={"method": "reface", "neck": True}))
    with Decisions(tmp_path / "private") as decisions:
        first, second = decisions.current()
        assert first == kept
        assert first.faults == ("eyes", "brow")
        assert first.categories == ("fail", "eyes", "brow")
        assert first.made.endswith("+00:00")
        assert second.settings == {"method": "reface", "neck": True}


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_only_the_owner_can_read(tmp_path):
    before = os.umask(0)
    try:
        Decisions(tmp_path / "private").close()
    finally:
        os.umask(before)
    file = tmp_path / "private" / "decisions.sqlite"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_last_of_each_rater_and_round_counts_and_nothing_is_lost(tmp_path):
    with Decisions(tmp_path) as decisions:
        for one in (
            decision("accept"), decision("reject"), decision("accept", rater="ben"),
            decision("unsure", turn=2), decision("later", scan="z"), decision("none", scan="z"),
        ):  # fmt: skip
            decisions.add(one)
        current = [(one.scan, one.rater, one.round, one.choice) for one in decisions.current()]
        assert current == [
            ("sub-01/a.nii", "anna", 1, "reject"),
            ("sub-01/a.nii", "anna", 2, "unsure"),
            ("sub-01/a.nii", "ben", 1, "accept"),
        ]
        assert decisions.of_scan("sub-01/a.nii") == decisions.current()
        assert decisions.of_scan("z") == []
        assert len(decisions.history()) == 6


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (decision("perhaps"), "choice: expected"),
        (decision("reject", faults=("nose",)), "faults: expected"),
        (decision("accept", faults=("eyes",)), "take the fault off"),
        (decision(comment="x" * (LONGEST_COMMENT + 1)), "comment: expected"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, wrong, said):
    with Decisions(tmp_path) as decisions:
        with pytest.raises(FaceblindError, match=said):
            decisions.add(wrong)
        assert decisions.history() == []


def test_quotes_in_names_are_only_text(tmp_path):
    nasty = "sub-'; DROP TABLE decisions; --"
    with Decisions(tmp_path) as decisions:
        decisions.add(decision(scan=nasty, rater='"x"', comment="'); --"))
        (one,) = decisions.of_scan(nasty)
        assert (one.scan, one.rater, one.comment) == (nasty, '"x"', "'); --")


def test_verdicts_of_scans_done_again_are_kept(tmp_path):
    with Decisions(tmp_path) as decisions:
        decisions.add_verdict("a", "1", {"status": "fail"})
        decisions.add_verdict("a", "2", {"status": "pass"})
    with Decisions(tmp_path) as decisions:
        assert decisions.verdicts() == {"a": ("2", {"status": "pass"})}


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "decisions.sqlite").write_text("no database, but long enough to be looked at" * 9)
    with pytest.raises(OutputError, match="cannot be opened"):
        Decisions(tmp_path)
