from __future__ import annotations

import importlib
import json
import shutil
import threading

import numpy as np
import pytest
from review_parts import Folders

from faceblind.errors import FaceblindError
from faceblind.formats import load
from faceblind.review import redo
from faceblind.review.redo import Redoing, RedoTask, check_settings
from faceblind.system.files import file_digest
from faceblind.system.outputs import MARKER
from faceblind.workflows.protect_settings import ProtectionResult

NAMES = ("sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz")
REDONE_MS = 600_000


def task(tmp_path, **settings):
    source = tmp_path / "raw" / "sub-1_T1w.nii.gz"
    source.parent.mkdir()
    source.write_bytes(b"no scan")
    old = tmp_path / "old.json"
    old.write_text(json.dumps({"TaskName": "rest", "Method": "old"}))
    target = tmp_path / "private" / "redone" / "sub-1_T1w.nii.gz"
    return RedoTask(source, target, {"method": "deface"} | settings, old, "sub-1")


def test_only_known_settings_are_taken():
    wanted = {"method": "reface", "neck": True}
    assert check_settings(wanted) == wanted
    with pytest.raises(FaceblindError, match="options"):
        check_settings({"method": "deface", "force": True})


def test_a_failure_is_one_line_and_leaves_nothing(tmp_path):
    one = task(tmp_path)
    result = redo.redo(one)
    assert "sub-1_T1w.nii.gz" in result.error
    assert "\n" not in result.error
    assert not one.target.exists()


def test_a_result_waits_with_verdict_and_what_the_old_sidecar_knew(tmp_path, monkeypatch):
    seen = []

    def protect(job, settings):
        seen.append(settings)
        (output,) = job.outputs
        output.target.write_bytes(b"again")
        output.sidecar.write_text('{"Method": "new"}')
        return [ProtectionResult(output.source, output.target)]

    class Verdict:
        def as_dict(self):
            return {"status": "pass"}

    parts = {"protect_session.protect_job": protect,
             "audit.judge_scans": lambda *args: ([Verdict()], None)}  # fmt: skip
    for name, stand_in in parts.items():
        module, _, function = f"faceblind.workflows.{name}".rpartition(".")
        monkeypatch.setattr(importlib.import_module(module), function, stand_in)
    one = task(tmp_path, neck=True, keep_ears=True)
    result = redo.redo(one)
    assert result.error == ""
    assert result.verdict == {"status": "pass"}
    assert result.sha256 == file_digest(one.target)
    (settings,) = seen
    assert settings.method == "deface"
    assert (settings.options.neck, settings.options.keep_ears) == (True, True)
    assert settings.force
    sidecar = json.loads(one.target.with_name("sub-1_T1w.json").read_text())
    assert sidecar == {"TaskName": "rest", "Method": "new"}


def test_it_runs_in_another_process_and_reports_back(tmp_path):
    ended = threading.Event()
    results = []
    redoing = Redoing()

    def done(result):
        results.append(result)
        ended.set()

    redoing.start("a", task(tmp_path), done)
    assert redoing.is_running("a")
    assert ended.wait(60)
    redoing.close()
    assert not redoing.is_running("a")
    assert results[0].error


@pytest.fixture
def heads(tmp_path, shared):
    """Two real heads of 2 mm whose protection did nothing."""
    folders = Folders(tmp_path / "raw", tmp_path / "out")
    for name, scan in zip(NAMES, ("ixi012", "ixi015"), strict=True):
        for root in (folders.originals, folders.protected):
            (root / name).parent.mkdir(parents=True)
            shutil.copy(shared / "scans" / f"{scan}_T1w_2mm.nii.gz", root / name)
            (root / name).chmod(0o644)
    (folders.protected / MARKER).write_text('{"tool": "faceblind", "verb": "deface"}')
    return folders


@pytest.mark.slow
def test_a_rejected_head_leaves_at_once_and_comes_back_refaced(heads, served, visit):
    first = heads.protected / NAMES[0]
    tab = visit(served(heads))
    tab.shown(0)
    bare = tab.pixels("skin-after")
    tab.page.keyboard.press("r")
    tab.shown(1)
    assert not first.exists()
    assert (heads.protected / NAMES[1]).is_file()
    tab.page.select_option("#filter", "all")
    tab.page.click("#queue button:has-text('sub-01')")
    tab.shown(0)
    assert "rejected; kept in the private folder" in tab.page.inner_text("#state")
    tab.page.keyboard.press("d")
    tab.page.check("input[name=method][value=reface]")
    tab.page.click("#redo-start")
    tab.page.wait_for_selector("#queue button:has-text('sub-01'):has-text('protected again')")
    tab.page.click("#queue button:has-text('sub-01')")
    tab.page.wait_for_selector("#said:text('was protected again.'), #said.error", timeout=REDONE_MS)
    tab.shown(0)
    assert tab.page.get_attribute("#said", "class") == ""
    state = tab.page.inner_text("#state")
    assert state == "undecided, protected again; kept in the private folder"
    assert tab.page.inner_text("#verdict").startswith("Audit: ")
    assert tab.page.inner_text("#verdict") != "Audit: not audited"
    assert (tab.pixels("skin-after") != bare).any(axis=2).mean() > 0.01
    assert not first.exists()
    tab.page.keyboard.press("a")
    tab.page.wait_for_selector("#progress:text('1 of 2 decided')")
    before, after = load(heads.originals / NAMES[0]), load(first)
    assert 0.02 < np.mean(before.voxels != after.voxels) < 0.9
    sidecar = json.loads(first.with_name("sub-01_T1w.json").read_text())
    assert "reface" in json.dumps(sidecar)
    assert tab.said == []
