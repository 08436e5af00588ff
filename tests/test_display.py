from __future__ import annotations

import base64
import io
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from faceblind.attacks.reasons import Reason
from faceblind.attacks.verdict import Verdict
from faceblind.display import needed, slices_html, table_html
from faceblind.identification.match import Scores
from faceblind.identification.paired import compare_paired
from faceblind.identification.result import StudyResult, evaluate
from faceblind.scan import Scan
from faceblind.workflows.audit_report import AuditReport
from faceblind.workflows.bids.group import GroupReport
from faceblind.workflows.bids.participant import RunReport
from faceblind.workflows.compare import Comparison
from faceblind.workflows.protect_settings import ProtectionResult


@pytest.fixture(scope="module")
def article_result(article_scores: Scores) -> StudyResult:
    return evaluate(article_scores)


def pictures(html: str) -> list[np.ndarray]:
    sources = re.findall(r"base64,([^\"]+)\"", html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(source)))) for source in sources]


def test_slices_are_axial_and_coronal_with_the_right_side_up() -> None:
    volume = np.zeros((20, 30, 40), np.float32)
    volume[:, 25:, 20] = 1.0  # in front, in the axial slice: drawn above
    volume[:, 15, 36:] = 1.0  # above, in the coronal slice
    axial, coronal = pictures(slices_html(volume, np.ones(3), "x"))
    assert axial.shape == (30, 20)
    assert coronal.shape == (40, 20)
    assert axial[:5].min() == 255
    assert axial[6:].max() == 0
    assert coronal[:4].min() == 255


def test_a_scan_shows_itself_without_its_name() -> None:
    scan = Scan(np.zeros((4, 5, 6), np.int16), np.diag([2.0, 2.0, 3.0, 1.0]), "T1w", "sub-07.nii")
    assert repr(scan) == "Scan(T1w, 4 x 5 x 6 voxels of 2 x 2 x 3 mm, int16)"
    html = scan._repr_html_()
    assert "sub-07" not in html
    assert len(pictures(html)) == 2


def test_texts_are_escaped() -> None:
    assert "<script>" not in table_html([("<script>", "<b>")], "<i>")
    assert "<i>" not in slices_html(np.zeros((4, 4, 4)), np.ones(3), "<i>")


def test_a_result_tells_its_rate_and_nobodys_rank(article_result: StudyResult) -> None:
    result = article_result
    assert repr(result) == (
        "StudyResult(photo-to-scan, 70 of 84 (83%, 95 % interval 74% to 90%) at rank 1)"
    )
    html = result._repr_html_()
    assert "80 of 84" in html
    assert not any(person in html or person in repr(result) for person in result.persons)


def test_the_curve_and_the_table_hold_the_rates(article_result: StudyResult) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    result = article_result
    axes = result.plot_cmc()
    curve = next(line for line in axes.get_lines() if line.get_label() == "84 people")
    assert np.asarray(curve.get_ydata())[[0, 4]].tolist() == pytest.approx([70 / 84, 80 / 84])
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = result.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["rank", "rate", "chance"]
    assert "participant_id" in result.to_frame(private=True).columns


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ImportError, match="to_frame needs no_such_thing: pip install no_such_th"):
        needed("no_such_thing", "to_frame")


def test_a_verdict_and_a_report_keep_ranks_to_themselves() -> None:
    reasons = (Reason("recognised", "rank 1 of 40", private=True), Reason("blurred", "blurred"))
    verdict = Verdict("sub-03_T1w.nii.gz", "fail", reasons, ("deface it",))
    for text in (repr(verdict), verdict._repr_html_()):
        assert "rank 1" not in text
        assert "blurred" in text
    passed = Verdict("b", "pass", ())
    report = AuditReport((verdict, passed, passed), 0.0, ())
    assert repr(report) == "AuditReport(1 fail, 2 pass; gate closed)"


def test_an_audit_shows_counts_and_no_names() -> None:
    failed = Verdict("sub-03_T1w.nii.gz", "unsure", (), error="sub-03_T1w.nii.gz: truncated")
    report = AuditReport((failed, Verdict("b", "pass", ())), 0.0, ("<all>",), ("sub-04: no face",))
    html = report._repr_html_()
    for name, count in (("pass", 1), ("unsure", 1), ("could not be read", 1)):
        assert f"<tr><th>{name}</th><td>{count}</td></tr>" in html
    assert "<td>closed</td>" in html
    assert "&lt;all&gt;" in html
    assert "sub-" not in html


def test_results_of_runs_are_short_and_name_nobody() -> None:
    bad = "sub-03_T1w.nii.gz"
    assert repr(ProtectionResult(Path(bad), error=f"{bad}: no head")) == (
        "ProtectionResult(failed; see .error)"
    )
    assert repr(ProtectionResult(Path(bad), Path(bad))) == "ProtectionResult(protected)"
    assert repr(ProtectionResult(Path(bad), Path(bad), existed=True)) == (
        "ProtectionResult(protected before)"
    )
    audit = AuditReport((Verdict(bad, "pass", ()),), 0.0, ())
    record: Any = SimpleNamespace(status="public", path=bad)
    assert repr(GroupReport(audit, (bad,), (record,), 2)) == (
        "GroupReport(1 public scans, 1 not public, 2 sessions not finished, 1 faults; gate closed)"
    )
    task: Any = SimpleNamespace(scans=(record, record))
    plan: Any = SimpleNamespace(name=bad)
    assert repr(RunReport(plan, (task,), (f"{bad}: no head",), ())) == (
        "RunReport(2 public; 1 failures, 0 faults, 0 sessions not begun)"
    )


def test_a_comparison_tells_counts_and_nobodys_rank() -> None:
    found = np.arange(84) < 70
    differences = (compare_paired(found * 1.0, found * 0.0, 1),)
    result = Comparison(
        "photo-to-scan", ("sub-03",) * 84, 0, 0, (1.0,) * 84, (2.0,) * 84, differences, {}
    )
    assert repr(result) == (
        "Comparison(photo-to-scan, 84 people in both: 70 found at rank 1 in A, 0 in B)"
    )


def test_a_head_tells_how_well_it_was_found(phantom) -> None:
    head = phantom(seed=1).head
    assert re.fullmatch(r"Head\(confidence 1.00, \d+ points of skin, 100% of a face\)", repr(head))
    assert not math.isnan(head.alignment.confidence)
