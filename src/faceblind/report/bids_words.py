"""What a whole BIDS output adds to an audit of its scans."""

from __future__ import annotations

from faceblind.report.page import Block, Items, Text, text_table
from faceblind.workflows.audit_report import AuditReport
from faceblind.workflows.bids.group import GroupReport


def group_notices(result: AuditReport | GroupReport) -> tuple[str, ...]:
    """What is missing or wrong beside the public scans, in numbers.

    Parameters
    ----------
    result : AuditReport or GroupReport
        Of an audit by itself nothing is said.
    """
    if not isinstance(result, GroupReport):
        return ()
    counts = (
        (
            len(result.absent),
            "scans of the dataset are not public: they did not pass, or were not examined.",
        ),
        (result.waiting, "sessions are not finished."),
        (len(result.faults), "files of the public tree are missing, foreign or changed."),
    )
    return tuple(f"{n} {text}" for n, text in counts if n)


def group_names(result: AuditReport | GroupReport) -> tuple[Block, ...]:
    """The same by name. Private.

    Parameters
    ----------
    result : AuditReport or GroupReport
    """
    if not isinstance(result, GroupReport):
        return ()
    blocks: list[Block] = []
    if result.absent:
        rows = [(scan.source, scan.status, scan.reason) for scan in result.absent]
        blocks.append(text_table("absent", "Not public", ("scan", "status", "why"), rows))
    if result.faults:
        blocks += [Text("Faults of the public tree:"), Items(result.faults)]
    return tuple(blocks)
