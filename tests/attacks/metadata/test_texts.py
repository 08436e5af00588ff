from __future__ import annotations

import pytest

from faceblind.attacks.metadata.texts import decoded, is_name, judge_text, keyword_severity


@pytest.mark.parametrize(
    ("text", "what", "severity"),
    [
        ("DOE^JANE", "looks like a person's name", "identifies"),
        ("山^太郎", "looks like a person's name", "identifies"),
        ("scanned 2019-03-04", "holds a date", "may identify"),
        ("04.03.2019", "holds a date", "may identify"),
        ("patient moved", "speaks of a person", "may identify"),
        ("case 12345678", "holds a long number", "may identify"),
        ("TE=2.3;Time=1.5", "holds free text", "note"),
    ],
)
def test_a_text_is_judged_by_the_worst_that_it_holds(text: str, what: str, severity: str) -> None:
    (finding,) = judge_text("header field descrip", text)
    assert (finding.what, finding.severity) == (what, severity)
    assert text not in str(finding)


@pytest.mark.parametrize("text", ["", "   ", "\0\0"])
def test_nothing_is_no_finding(text: str) -> None:
    assert judge_text("x", text) == []


def test_a_text_that_is_expected_is_no_finding_unless_it_tells_of_a_person() -> None:
    assert judge_text("x", "FreeSurfer", usual=True) == []
    assert judge_text("x", "born 1950-01-02", usual=True)[0].severity == "may identify"


@pytest.mark.parametrize("text", ["x^2", "1.23456789", "20191345", "2019"])
def test_formulas_decimals_and_impossible_dates_are_none(text: str) -> None:
    assert not is_name(text)
    assert "holds a date" not in [f.what for f in judge_text("x", text)]


def test_bytes_of_any_encoding_become_text() -> None:
    assert decoded("Müller".encode()) == decoded("Müller".encode("latin-1")) == "Müller"


@pytest.mark.parametrize(
    ("key", "severity"),
    [("PatientName", "identifies"), ("StudyDate", "may identify"), ("EchoTime", None)],
)
def test_attributes(key: str, severity: str | None) -> None:
    assert keyword_severity(key) == severity
