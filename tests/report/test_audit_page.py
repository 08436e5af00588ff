"""The verdicts on a page: what everybody may read, and what only the owner may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faceblind.attacks.reasons import Reason
from faceblind.report import audit_words as words
from faceblind.report.audit_page import audit_page, private_audit_page
from faceblind.report.html import render_page

SECRETS = ("sub-secret", "rank 1 of 20", "in spreads of all scores")


def table(page, name: str):
    blocks = [block for section in page.sections for block in section.blocks]
    return next(b for b in blocks if getattr(b, "name", "") == name)


def test_the_answer_counts_and_links(audit_of):
    assert words.answer(audit_of()) == (
        "4 of 8 scans (50 %, 95 % interval 22–78 %) withstood every attack that was made; 2 fail, "
        "2 are unsure, 1 other files were not examined. Recognised: 2 of 6 scans (33 %, 95 % "
        "interval 10–70 %) among originals."
    )
    assert "70 of 84 (83 %, 74–90 %)" in words.article()


def test_the_gate_is_named(audit_of):
    report = audit_of()
    assert words.gate(report).startswith("The gate stays shut: 50 % of scans did not pass, 0 %")
    open_ = replace(report, fail_above=0.5, not_examined=())
    assert words.gate(open_).startswith("The gate is open: 50 %")


def test_scans_that_did_not_pass_come_first(audit_of):
    rows = table(audit_page(audit_of()), "scans").rows
    assert [row[1].text for row in rows] == [
        *2 * ["fail"], *2 * ["unsure"], "not examined", *4 * ["pass"], "ignored",
    ]  # fmt: skip
    assert rows[0][0].text == "sub-0000_T1w.nii.gz"
    assert rows[2][2].text == "n/a"
    assert rows[5][6].text == "faceblind, removed"
    assert 'aria-label="shows brow 70 %' in str(rows[0][3].drawing)
    assert rows[-1][4].text == "named by --ignore *.mif"


def test_reasons_and_regions_are_counted(audit_of):
    page = audit_page(audit_of())
    counts = {row[0].text: row[1].value for row in table(page, "reasons").rows}
    assert counts["the scan could not be read"] == 2
    assert counts["the person was recognised by linking"] == 2
    chart = next(b for s in page.sections for b in s.blocks if b.kind == "chart")
    rows = {row[0].text: (row[1].value, row[2].value) for row in chart.table.rows}
    assert rows["nose"] == (6, 2)
    assert "chin" not in rows  # out of view everywhere


def test_ranks_and_people_are_on_the_private_page_alone(audit_of):
    report = audit_of()
    shared, own = render_page(audit_page(report)), render_page(private_audit_page(report))
    for secret in SECRETS:
        assert secret not in shared, secret
        assert secret in own, secret
    assert "recognised by linking (rank in the private report)" in shared
    assert "data:image" not in shared


@pytest.mark.parametrize("kind", ["face_remains", "session", "recognised"])
def test_a_private_reason_is_never_shared_whatever_its_kind(audit_of, kind):
    report = audit_of()
    secret = Reason(kind, "third of eighty, by name", private=True)
    first = replace(report.verdicts[0], reasons=(secret,))
    report = replace(report, verdicts=(first, *report.verdicts[1:]))
    assert "third of eighty" not in render_page(audit_page(report))
    assert "third of eighty" in render_page(private_audit_page(report))


def test_what_was_not_tested_is_counted(audit_of):
    assert words.not_tested(audit_of())[0] == "photographs (no --photos): 6 of 8 scans"


def test_methods_and_limits(audit_of):
    text = words.methods(audit_of(), {"faceblind": "1", "numpy": "2"}, "sface-abc")
    assert "8 scans were audited with faceblind 1 (numpy 2)" in text
    assert "by sface-abc" in text
    assert "sface" not in words.methods(audit_of(), {"faceblind": "1"}, None)
    assert "78 %" in words.limits(audit_of())
    assert "anonymity" in words.limits(audit_of())
    assert words.bounds()["pass_remaining"] == 0.14


def test_an_audit_in_which_nothing_leaks_has_a_page(audit_of):
    report = audit_of()
    passed = tuple(v for v in report.verdicts if v.status == "pass")
    page = audit_page(replace(report, verdicts=passed, unlinked=(), not_examined=(), ignored={}))
    text = render_page(page)
    assert "4 of 4 scans (100" in text
    assert "Every scan could be read." in text
    assert "Why scans did not pass" not in text
