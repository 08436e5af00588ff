"""What others may read of an audit, and what only the owner may."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import get_args

import pytest

from faceblind.attacks.reasons import Kind, Reason
from faceblind.attacks.verdict import Verdict
from faceblind.workflows.audit_report import AuditReport, write_report

SECRET = "a sentence of any wording: third of eighty"


def report(*verdicts: Verdict) -> AuditReport:
    return AuditReport(verdicts, 0.0, ("said once",))


def public_text(root) -> str:
    files = [p for p in root.rglob("*") if p.is_file() and "private" not in p.parts]
    return "\n".join(path.read_text() for path in files)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_private_reason_never_reaches_what_is_shared_whatever_its_words(tmp_path, kind):
    """Every reason is reworded: only its flag decides."""
    secret = Reason(kind, SECRET, private=True)
    verdict = Verdict("sub-1_T1w.nii.gz", "fail", (secret, Reason("ears", "left ear remains")))
    write_report(tmp_path, report(verdict), None)
    shared = public_text(tmp_path) + json.dumps(report(verdict).as_list())
    assert SECRET not in shared
    assert "left ear remains" in shared
    private = json.loads((tmp_path / "private" / "audit.json").read_text())
    assert private[0]["reasons"] == [SECRET, "left ear remains"]
    assert private[0]["kinds"] == [kind, "ears"] if kind != "ears" else ["ears"]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_public_reason_is_shared_as_it_is(tmp_path, kind):
    verdict = Verdict("sub-1_T1w.nii.gz", "unsure", (Reason(kind, SECRET),))
    write_report(tmp_path, report(verdict), None)
    with (tmp_path / "audit.tsv").open() as lines:
        row = next(csv.DictReader(lines, delimiter="\t"))
    assert row["reasons"] == SECRET


def test_two_ranks_are_told_once():
    ranks = tuple(Reason("recognised", f"rank {k} of 84", private=True) for k in (1, 2))
    verdict = Verdict("a.nii", "fail", ranks)
    assert verdict.as_dict()["reasons"] == ["recognised by linking (rank in the private report)"]
    assert verdict.as_dict(private=True)["reasons"] == ["rank 1 of 84", "rank 2 of 84"]
    assert str(replace(ranks[0], kind="session")) == "see the private report"
