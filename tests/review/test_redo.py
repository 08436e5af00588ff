from __future__ import annotations

import json
import threading

import pytest

from faceblind.errors import FaceblindError
from faceblind.review import redo
from faceblind.review.redo import Redoing, RedoTask, check_settings
from faceblind.system.files import file_digest
from faceblind.workflows.protect_settings import ProtectionResult


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

    monkeypatch.setattr(redo, "protect_job", protect)
    monkeypatch.setattr(redo, "judge_scans", lambda *args: ([Verdict()], None))
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
