from __future__ import annotations

import json

from faceblind.errors import RecogniserError
from faceblind.workflows import doctor


def test_it_lists_what_is_there(command):
    done = command("doctor")
    assert done.code == 0, done.err
    assert "ok     recogniser" in done.out
    assert "FAULT" not in done.out


def test_json(command):
    checks = json.loads(command("doctor", "--json").out)
    assert {"name", "kind", "found", "advice"} == set(checks[0])
    assert {check["kind"] for check in checks} <= {"ok", "note"}


def test_a_fault_makes_the_exit_code_1(command, monkeypatch):
    def damaged(model):
        raise RecogniserError("sface.onnx: damaged")

    monkeypatch.setattr(doctor, "official_bytes", damaged)
    done = command("doctor")
    assert done.code == 1
    assert "FAULT  recogniser" in done.out
