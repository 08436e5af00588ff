"""The verdicts of an audit for other programs: SARIF 2.1.0 and tab-separated text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, get_args
from urllib.parse import quote

from faceblind._version import __version__
from faceblind.attacks.reasons import Kind, Reason, public_texts
from faceblind.attacks.verdict import Verdict
from faceblind.system.tables import as_tsv
from faceblind.workflows.audit_report import COLUMNS, AuditReport, table_rows

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_RULES: dict[str, str] = {
    "face_remains": "A face remains",
    "feature_in_view": "A feature of the face is in view",
    "blurred": "The face is only blurred",
    "mislaid": "The protection lies elsewhere than the face",
    "parallel": "The cut runs parallel to the skin",
    "ears": "Ears remain",
    "detector": "A face detector fires",
    "perhaps_average": "A face is shown, perhaps another tool's average",
    "wrapped": "A piece of a head lies outside the head",
    "brain_changed": "The brain was altered",
    "brain_empty": "Places inside the brain are empty",
    "metadata": "Metadata identify",
    "recognised": "The person is recognised by linking",
    "own_protection": "faceblind's own protection",
    "nothing_remains": "No region of the face remains",
    "no_head": "No head was found",
    "unreadable": "The file cannot be read",
    "not_examined": "The file was not examined",
    "mask_outline": "A mask whose outline may be a head's",
    "session": "Another series of the session",
}
_LEVELS = {"fail": "error", "unsure": "warning", "not_examined": "warning"}
_FAVOURABLE = ("own_protection", "nothing_remains")


def sarif(report: AuditReport) -> dict[str, Any]:
    """An audit as a SARIF log: one result for each reason why a file did not pass.

    Parameters
    ----------
    report : AuditReport

    Returns
    -------
    dict
        Valid by the schema of SARIF 2.1.0; names no rank and no folder above what was audited.
    """
    results = []
    for verdict in (*report.verdicts, *report.not_examined):
        if verdict.status != "pass":
            results += _results(verdict)
    driver = {
        "name": "faceblind",
        "semanticVersion": __version__,
        "rules": [
            {"id": kind, "name": kind, "shortDescription": {"text": _RULES[kind]}}
            for kind in get_args(Kind)
        ],
    }
    counts = [verdict.status for verdict in report.verdicts]
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "invocations": [
            {
                "executionSuccessful": not (report.failed or report.unlinked),
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": remark}} for remark in report.remarks
                ],
            }
        ],
        "results": results,
        "properties": {
            "scans": len(counts),
            **{status: counts.count(status) for status in ("pass", "fail", "unsure")},
            "notExamined": len(report.not_examined),
            "gatePassed": report.passed,
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def tsv(report: AuditReport) -> str:
    """An audit as the text of ``audit.tsv``.

    Parameters
    ----------
    report : AuditReport
    """
    return as_tsv(table_rows(report), COLUMNS)


def _results(verdict: Verdict) -> list[dict[str, Any]]:
    against = [reason for reason in verdict.reasons if reason.kind not in _FAVOURABLE]
    groups: dict[str, list[Reason]] = {}
    for reason in against or verdict.reasons:
        groups.setdefault(reason.kind, []).append(reason)
    return [_result(verdict, kind, reasons) for kind, reasons in groups.items()]


def _result(verdict: Verdict, kind: str, reasons: Sequence[Reason]) -> dict[str, Any]:
    said = "; ".join(public_texts(tuple(reasons)))
    advice = f" Do: {'; '.join(verdict.advice)}." if verdict.advice else ""
    mark = hashlib.sha256(f"{verdict.path}\0{kind}".encode()).hexdigest()
    return {
        "ruleId": kind,
        "ruleIndex": get_args(Kind).index(kind),
        "level": _LEVELS[verdict.status],
        "message": {"text": f"{verdict.status}: {said}.{advice}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(verdict.path)},
                    # Whoever shows results wants a line, which an image does not have.
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {"pathAndKind/v1": mark},
    }
