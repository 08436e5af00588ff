from __future__ import annotations

import json
import os

import pytest

from faceblind.errors import FaceblindError, OutputError
from faceblind.review import session
from faceblind.review.redo import Redone
from faceblind.system.files import file_digest

FAIL = "sub-02/anat/sub-02_T1w.nii.gz"


@pytest.fixture
def redo(monkeypatch):
    """Protection again without heads: the result is written when `finish` is called."""

    class Later:
        def __init__(self):
            self.waiting = {}

        def start(self, inside, task, done):
            self.waiting[inside] = (task, done)

        def is_running(self, inside):
            return inside in self.waiting

        def finish(self, inside, status="pass", error=""):
            task, done = self.waiting.pop(inside)
            if error:
                done(Redone(error))
                return task
            task.target.parent.mkdir(parents=True, exist_ok=True)
            task.target.write_bytes(b"protected again")
            task.target.with_name("sub-02_T1w.json").write_text('{"New": 1}')
            verdict = {"status": status, "score": 0.0, "reasons": ["ok"], "regions": {}}
            done(Redone("", file_digest(task.target), verdict))
            return task

        def close(self):
            pass

    made = []
    monkeypatch.setattr(session, "Redoing", lambda: made.append(Later()) or made[-1])
    return made


def test_the_queue_begins_with_what_fails(folders):
    queue = folders.review().queue()
    assert [entry["status"] for entry in queue] == ["fail", "unsure", "pass"]
    assert [entry["number"] for entry in queue] == [0, 1, 2]
    assert queue[0]["regions"] == {"nose": 0.8}
    assert all(entry["public"] and entry["original"] for entry in queue)
    assert all(entry["choice"] == "" for entry in queue)


def test_a_decision_survives_a_restart(folders):
    review = folders.review()
    review.decide(1, "later", ("ears",), "look at the left one")
    review.decide(2, "accept")
    entry = folders.review().queue()[1]
    assert (entry["choice"], entry["faults"]) == ("later", ["ears"])
    assert entry["comment"] == "look at the left one"
    assert folders.review().queue()[2]["choice"] == "accept"


def test_a_rejected_scan_leaves_the_public_tree_at_once_and_can_come_back(folders):
    review = folders.review()
    public, beside = folders.protected / FAIL, folders.protected / FAIL.replace(".nii.gz", ".json")
    content = public.read_bytes()
    entry = review.decide(0, "reject", ("eyes",))
    assert not public.exists()
    assert not beside.exists()
    assert entry["public"] is False
    assert folders.tree.withdrawn(FAIL).read_bytes() == content
    again = folders.review()
    assert again.queue()[0]["choice"] == "reject"
    assert again.source(0).after == folders.tree.withdrawn(FAIL)
    again.decide(0, "none")
    assert public.read_bytes() == content
    assert json.loads(beside.read_text()) == {"EchoTime": 0.003}
    assert again.queue()[0]["choice"] == ""
    assert again.queue()[0]["public"] is True


def test_what_another_rater_rejected_stays_out(folders):
    anna, ben = folders.review("anna"), folders.review("ben")
    anna.decide(0, "reject")
    assert ben.queue()[0]["choice"] == ""
    entry = ben.decide(0, "accept")
    assert entry["public"] is False
    assert "rejected by anna" in entry["error"]
    anna.decide(0, "accept")
    assert (folders.protected / FAIL).is_file()


def test_another_round_begins_without_earlier_decisions(folders):
    folders.review().decide(2, "accept")
    assert folders.review(turn=2).queue()[2]["choice"] == ""
    assert folders.review().queue()[2]["choice"] == "accept"


def test_a_rejected_scan_that_came_back_is_taken_out_at_the_start(folders):
    review = folders.review()
    content = (folders.protected / FAIL).read_bytes()
    review.decide(0, "reject")
    (folders.protected / FAIL).write_bytes(content)
    folders.review()
    assert not (folders.protected / FAIL).exists()


def test_a_file_that_has_changed_since_is_undecided(folders):
    review = folders.review()
    review.decide(2, "accept")
    path = folders.protected / "sub-01/anat/sub-01_T1w.nii.gz"
    path.write_bytes((folders.protected / FAIL).read_bytes())
    os.utime(path, (4e9, 4e9))
    assert folders.review().queue()[2]["choice"] == ""


def test_a_scan_done_again_waits_for_somebody_to_accept_it(folders, redo):
    review = folders.review()
    entry = review.decide(0, "redo", settings={"method": "reface", "neck": True})
    public = folders.protected / FAIL
    assert entry["running"]
    assert not public.exists()
    with pytest.raises(FaceblindError, match="being protected again"):
        review.decide(0, "accept")
    task = redo[-1].finish(FAIL)
    assert task.source == folders.originals / FAIL
    assert dict(task.settings) == {"method": "reface", "neck": True}
    entry = review.entry(0)
    assert (entry["choice"], entry["again"], entry["status"]) == ("", True, "pass")
    assert not public.exists()
    entry = review.decide(0, "accept")
    assert public.read_bytes() == b"protected again"
    assert entry["public"]
    assert not entry["again"]
    assert not folders.tree.withdrawn(FAIL).exists()
    assert folders.review().entry(2)["choice"] == "accept"


def test_a_redo_that_fails_leaves_the_scan_out_and_says_why(folders, redo):
    review = folders.review()
    review.decide(0, "redo", settings={"method": "deface"})
    redo[-1].finish(FAIL, error="the head was not found")
    entry = review.entry(0)
    assert (entry["choice"], entry["error"]) == ("redo", "the head was not found")
    assert not entry["public"]


def test_a_redo_that_was_interrupted_starts_again(folders, redo):
    folders.review().decide(0, "redo", settings={"method": "reface"})
    review = folders.review()
    assert review.entry(0)["running"]
    redo[-1].finish(FAIL)
    assert review.entry(0)["again"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "method"),
        ({"method": "blur"}, "method"),
        ({"method": "deface", "seed": 1}, "options"),
        ({"method": "deface", "neck": "yes"}, "options"),
    ],
)
def test_a_redo_takes_known_settings_only(folders, settings, said):
    review = folders.review()
    with pytest.raises(FaceblindError, match=said):
        review.decide(0, "redo", settings=settings)
    assert (folders.protected / FAIL).is_file()
    assert review.entry(0)["choice"] == ""


def test_what_is_refused_changes_nothing(folders):
    review = folders.review()
    for number in (-1, 3):
        with pytest.raises(FaceblindError, match="no such scan"):
            review.decide(number, "accept")
    with pytest.raises(FaceblindError, match="fault"):
        review.decide(0, "accept", ("eyes",))
    with pytest.raises(FaceblindError, match="choice"):
        review.decide(0, "burn")  # type: ignore[arg-type]
    with pytest.raises(FaceblindError, match="faults"):
        review.decide(0, "reject", ("nose",))
    assert (folders.protected / FAIL).is_file()
    assert review.decisions.history() == []


def test_nothing_moves_in_the_output_of_another_tool(folders, tmp_path):
    (folders.protected / ".faceblind.json").unlink()
    assert not folders.tree.moves
    review = folders.review()
    entry = review.decide(0, "reject")
    assert entry["public"]
    assert (folders.protected / FAIL).is_file()


def test_a_dataset_takes_only_what_passed_its_audit(folders, redo):
    review = folders.review()
    review.decide(0, "redo", settings={"method": "deface"})
    redo[-1].finish(FAIL, status="fail")
    (folders.protected / ".faceblind.json").write_text('{"tool": "faceblind", "verb": "bids"}')
    with pytest.raises(OutputError, match="does not say pass"):
        review.decide(0, "accept")
    assert not (folders.protected / FAIL).exists()
