"""A session, and what death at any instant leaves behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import stand_ins

from faceblind.datasets.bids_filters import Wanted
from faceblind.errors import AlignmentError
from faceblind.workflows import audit_cache
from faceblind.workflows.bids import session
from faceblind.workflows.bids.group import run_group
from faceblind.workflows.bids.manifest import Manifest
from faceblind.workflows.bids.plan import make_plan
from faceblind.workflows.bids.session import Output, run_task
from faceblind.workflows.bids.settings import BidsSettings
from faceblind.workflows.bids.sweep import sweep

SCRIPT = Path(__file__).with_name("run_stand_in.py")
KILLS = 6


def start(raw: Path, out: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(raw), str(out), "publish"],
        env={**os.environ, "STAND_IN_PAUSE": "0.02"},
        stderr=subprocess.DEVNULL,
    )


def unprotected(out: Path) -> list[str]:
    """Public images of the head that are none that passed, at this instant."""
    found = []
    for path in out.glob("sub-*/**/anat/*.nii.gz"):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        if not content.startswith(b"PROTECTED ") or "rec-shows" in path.name:
            found.append(path.name)
    return found


@pytest.mark.slow
def test_killed_at_any_instant_it_ends_as_if_nothing_had_happened(dataset, tmp_path, tree, run):
    run(layout="publish")
    wanted = tree(tmp_path / "out")
    out, chance = tmp_path / "killed", random.Random(3)
    for _ in range(KILLS):
        process = start(dataset, out)
        claims = out / "private" / "claims"
        while process.poll() is None and not (claims.is_dir() and any(claims.iterdir())):
            time.sleep(0.005)
        until = time.monotonic() + 0.4 * chance.random()
        while time.monotonic() < until and process.poll() is None:
            assert unprotected(out) == []
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert unprotected(out) == []
    last = start(dataset, out)
    while last.poll() is None:
        assert unprotected(out) == []
    # One series of the dataset never passes.
    assert last.returncode == 1
    assert tree(out) == wanted
    assert sweep(out, content=True) == []
    assert list((out / "private" / "staged").iterdir()) == []


def test_two_runs_share_the_work(dataset, tmp_path, tree, run):
    run(layout="publish")
    wanted = tree(tmp_path / "out")
    both = [start(dataset, tmp_path / "shared") for _ in range(2)]
    assert {process.wait() for process in both} <= {0, 1}
    assert tree(tmp_path / "shared") == wanted
    with Manifest(tmp_path / "shared") as manifest:
        states = {task.key: task.state for task in manifest.tasks()}
    assert states == {
        "dataset": "done", "sub-1/ses-a": "done", "sub-1/ses-b": "done", "sub-2": "failed",
    }  # fmt: skip


def test_what_cannot_be_put_in_place_is_a_failure_and_nothing_is_lost(dataset, tmp_path):
    (task,) = make_plan(dataset, BidsSettings()).tasks[1:2]
    output = Output(tmp_path / "out")
    output.make()
    with Manifest(output.root, make=True) as manifest:
        manifest.expect([task.key])
    (output.root / "sub-1").write_text("in the way")
    with pytest.raises(ValueError, match="cannot be written"):
        run_task(task, output, BidsSettings())
    with Manifest(output.root) as manifest:
        assert manifest.task(task.key).state == "passed"
    (output.root / "sub-1").unlink()
    assert run_task(task, output, BidsSettings()).state == "done"
    assert run_task(task, output, BidsSettings()).existed


@pytest.mark.parametrize("overwritten", [True, False])
def test_a_map_without_a_head_is_judged_by_its_companion(
    dataset, tmp_path, monkeypatch, run, resources, overwritten
):
    asked = []

    def examine(path, *args):
        if "T1map" in path.name:
            raise AlignmentError(f"{path}: no head was found")
        return stand_ins.Examined(stand_ins.CLEAN, {})

    def follows(*paths):
        asked.append([path.name for path in paths])
        return overwritten

    monkeypatch.setattr(audit_cache, "examine", examine)
    monkeypatch.setattr(session, "follows", follows)
    report = run(layout="publish", wanted=Wanted(("1",), ("a",)))
    assert asked == [2 * ["sub-1_ses-a_T1map.nii.gz"] + 2 * ["sub-1_ses-a_T1w.nii.gz"]]
    (found,) = [scan for scan in report.tasks[0].scans if "T1map" in scan.source]
    assert found.status == ("pass" if overwritten else "unsure")
    assert report.ok == overwritten
    group = run_group(dataset, tmp_path / "out", resources)
    assert group.audit.passed
    assert len(group.audit.verdicts) == 1 + overwritten


def test_a_scan_that_a_reviewer_rejected_does_not_come_back(run, tmp_path):
    from faceblind.workflows.withdrawal import tree_of

    run()
    out = tmp_path / "out"
    inside = "sub-2/anat/sub-2_desc-defaced_T1w.nii.gz"
    assert (out / inside).is_file()
    tree_of(out, None).withdraw(inside)
    report = run()
    assert not (out / inside).exists()
    assert any("rejected in a review" in line for line in report.failures)


def test_a_session_that_somebody_lets_go_of_soon_is_waited_for(dataset, tmp_path):
    task = make_plan(dataset, BidsSettings()).tasks[0]
    output = Output(tmp_path / "out")
    output.make()
    with Manifest(output.root, make=True) as manifest:
        manifest.expect([task.key])
    holding, let_go = threading.Event(), threading.Event()

    def hold():
        with session.claim(output.claim(task.key)):
            holding.set()
            let_go.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert holding.wait(30)
    assert run_task(task, output, BidsSettings()).state == "elsewhere"
    threading.Timer(0.2, let_go.set).start()
    assert run_task(task, output, BidsSettings(), wait_s=30).state == "done"
    holder.join()
