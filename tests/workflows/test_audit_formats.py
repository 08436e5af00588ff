"""Verdicts for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from faceblind.attacks.reasons import Kind, Reason
from faceblind.attacks.verdict import Verdict
from faceblind.workflows.audit_formats import sarif, tsv
from faceblind.workflows.audit_report import AuditReport

DATA = Path(__file__).parents[1] / "data"
OURS = Reason("own_protection", "faceblind's own cut")


def report() -> AuditReport:
    every = tuple(Reason(kind, f"said of {kind}") for kind in get_args(Kind))
    return AuditReport(
        (
            Verdict("sub-1/a.nii", "pass", (OURS,)),
            Verdict("sub-1/b c.nii", "fail", (*every[:2], OURS), ("deface it",)),
            Verdict("sub-2/d.nii", "unsure", (Reason("recognised", "rank 1 of 84", private=True),)),
            Verdict("sub-3/e.nii", "unsure", every),
        ),
        0.0,
        ("a remark",),
        (),
        (Verdict("f.dcm", "not_examined", (Reason("not_examined", "DICOM"),), ("convert it",)),),
        {"*.mif": ("g.mif",)},
    )


def test_sarif_is_valid_by_its_schema():
    jsonschema = pytest.importorskip("jsonschema", reason="needs the dev extra")
    schema = json.loads((DATA / "sarif-schema-2.1.0.json").read_text())
    log = sarif(report())
    jsonschema.Draft4Validator(schema).validate(log)
    del log["runs"][0]["tool"]
    with pytest.raises(jsonschema.ValidationError, match="'tool' is a required property"):
        jsonschema.Draft4Validator(schema).validate(log)


def test_each_reason_against_a_file_is_a_result():
    (run,) = sarif(report())["runs"]
    first, second, third = run["results"][:3]
    assert [one["ruleId"] for one in (first, second, third)] == [
        "face_remains", "feature_in_view", "recognised",
    ]  # fmt: skip
    assert first["level"] == "error"
    assert first["message"]["text"] == "fail: said of face_remains. Do: deface it."
    place = first["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "sub-1/b%20c.nii"}
    assert "rank 1" not in json.dumps(run)
    assert run["results"][-1]["level"] == "warning"
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    marks = [one["partialFingerprints"]["pathAndKind/v1"] for one in run["results"]]
    assert len(set(marks)) == len(marks)
    said = run["properties"]
    assert (said["scans"], said["pass"], said["notExamined"]) == (4, 1, 1)
    assert not said["gatePassed"]


def test_every_kind_has_words():
    rules = sarif(report())["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(get_args(Kind))


def test_tsv_is_the_table():
    lines = tsv(report()).splitlines()
    assert lines[0] == "path\tstatus\tscore\treasons\tadvice\tnot_tested"
    assert [line.split("\t")[1] for line in lines[1:]] == [
        "pass", "fail", "unsure", "unsure", "not_examined", "ignored",
    ]  # fmt: skip
