"""``faceblind audit`` and ``faceblind link``: exit codes and what is printed."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import faceblind
from faceblind.attacks.reasons import Reason
from faceblind.attacks.verdict import Verdict
from faceblind.cli.main import app
from faceblind.errors import TableError
from faceblind.workflows.audit_report import AuditReport

PASS = Verdict("a.nii", "pass", (Reason("face_remains", "clean"),))
FAIL = Verdict("b.nii", "fail", (Reason("face_remains", "nose remains"),), ("deface it",))
UNSURE = Verdict("c.nii", "unsure", (Reason("face_remains", "no head"),))
BROKEN = Verdict(
    "d.nii", "unsure", (Reason("face_remains", "truncated"),), error="the file is truncated"
)


def run(monkeypatch, verdicts, *options: str, fail_above: float = 0.0, unlinked=()):
    report = AuditReport(tuple(verdicts), fail_above, ("a remark",), unlinked)
    monkeypatch.setitem(vars(faceblind), "audit", lambda *args, **kwargs: report)
    return CliRunner().invoke(app, ["audit", "in", *options])


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [((PASS,), 0), ((PASS, FAIL), 3), ((PASS, UNSURE), 3), ((PASS, FAIL, BROKEN), 1)],
)
def test_exit_codes(monkeypatch, verdicts, code):
    result = run(monkeypatch, verdicts)
    assert result.exit_code == code
    assert "a remark" in result.stdout


def test_tolerated_failures_pass_the_gate(monkeypatch):
    assert run(monkeypatch, (PASS, FAIL), fail_above=0.5).exit_code == 0


def test_json_is_all_that_is_printed(monkeypatch):
    result = run(monkeypatch, (PASS, FAIL), "--json")
    assert result.exit_code == 3
    objects = json.loads(result.stdout)
    assert [one["status"] for one in objects] == ["pass", "fail"]
    keys = {"path", "status", "reasons", "regions", "detector", "peel", "link", "brain", "metadata"}
    assert all(keys <= set(one) for one in objects)
    assert result.stderr == "a remark\n"


def test_failures_are_listed(monkeypatch):
    assert run(monkeypatch, (BROKEN,)).stderr == "failed: d.nii: the file is truncated\n"
    result = run(monkeypatch, (PASS,), unlinked=("sub-1: no face found",))
    assert (result.exit_code, result.stderr) == (1, "failed: sub-1: no face found\n")


def test_what_is_not_examined_shuts_the_gate_and_is_named(monkeypatch):
    unseen = tuple(
        Verdict(name, "not_examined", (Reason("face_remains", "DICOM"),), ("convert it",))
        for name in ("a.dcm", "d/1", "d/2", "d/3", "d/4")
    )
    report = AuditReport((PASS,), 1.0, (), (), unseen)
    given = {}
    monkeypatch.setitem(
        vars(faceblind), "audit", lambda *a, **kwargs: given.update(kwargs) or report
    )
    result = CliRunner().invoke(app, ["audit", "in", "--ignore", "*.mif", "--ignore", "x/"])
    assert result.exit_code == 3
    assert given["ignore"] == ["*.mif", "x/"]
    lines = result.stdout.splitlines()
    assert "not_examined  a.dcm: DICOM" in lines
    assert "not_examined  d/1 and 3 more in its folder: DICOM" in lines
    result = CliRunner().invoke(app, ["audit", "in", "--json"])
    assert [one["status"] for one in json.loads(result.stdout)] == ["pass"] + 5 * ["not_examined"]


def test_names_of_files_cannot_break_or_colour_a_line(monkeypatch):
    odd = Verdict("a\n\x1b[31m.nii", "unsure", (Reason("face_remains", "torn"),), error="torn")
    result = run(monkeypatch, (odd,))
    assert result.stdout.splitlines()[0] == "unsure  a [31m.nii: torn"
    assert result.stderr == "failed: a [31m.nii: torn\n"


def test_usage_and_errors(monkeypatch):
    assert run(monkeypatch, (PASS,), "--fail-above", "2").exit_code == 2

    def missing(*args, **kwargs):
        raise TableError("in: no such file or folder; check the path")

    monkeypatch.setitem(vars(faceblind), "link", missing)
    result = CliRunner().invoke(app, ["link", "a", "b", "c"])
    assert result.exit_code == 1
    assert "no such file" in result.stderr


@pytest.mark.parametrize(
    ("form", "start"), [("sarif", '{\n  "$schema"'), ("tsv", "path\tstatus"), ("json", "[\n  {")]
)
def test_forms_for_other_programs_are_all_that_is_printed(monkeypatch, form, start):
    result = run(monkeypatch, (PASS, FAIL), "--format", form)
    assert result.exit_code == 3
    assert result.stdout.startswith(start)
    assert result.stdout.endswith("\n")
    assert result.stderr == "a remark\n"
    if form != "tsv":
        json.loads(result.stdout)
