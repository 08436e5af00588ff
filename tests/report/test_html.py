"""What a page is made of: nothing foreign, nothing that runs, and figures to take away."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from faceblind.report.audit_page import audit_page, private_audit_page
from faceblind.report.compare_page import private_compare_page
from faceblind.report.html import csv_text, render_page
from faceblind.report.page import Album, Cell, Code, Items, Notice, Picture, Section, Table, Text
from faceblind.report.study_page import private_study_page, study_page

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\x00\udc80&amp;{{ 7*7 }}'


class Elements(HTMLParser):
    """Tags with their attributes, and the identifiers of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def pages(result, audit_of, comparison):
    """One page of each kind as HTML."""
    return {
        "study": render_page(study_page(result)),
        "private study": render_page(private_study_page(result)),
        "audit": render_page(audit_page(audit_of())),
        "private audit": render_page(private_audit_page(audit_of())),
        "compare": render_page(private_compare_page(comparison)),
    }


def test_nothing_is_fetched(pages):
    for name, text in pages.items():
        for tag, attributes in Elements(text).tags:
            for key in ("src", "href", "action", "data", "srcset"):
                address = attributes.get(key) or ""
                assert not address or address.startswith(("data:", "#")), (name, tag, address)
        assert "@import" not in text
        assert not re.search(r"url\((?!#)", text)


def test_the_policy_allows_the_pages_own_code_and_nothing_else(pages):
    for text in pages.values():
        (policy,) = [
            one["content"]
            for one in Elements(text).of("meta")
            if one.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        for tag in ("style", "script"):
            (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
        for tag, attributes in Elements(text).tags:
            assert "style" not in attributes, tag
            assert not [key for key in attributes if key.startswith("on")], tag


def test_identifiers_are_unique_and_lead_somewhere(pages):
    for name, text in pages.items():
        tags = Elements(text).tags
        ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
        assert len(ids) == len(set(ids)), name
        for _, attributes in tags:
            for key in ("href", "aria-labelledby"):
                address = attributes.get(key) or ""
                if key != "href" or address.startswith("#"):
                    assert not address or address.removeprefix("#") in ids, (name, address)


def test_hostile_texts_stay_texts(result):
    page = study_page(result)
    table = Table("t", HOSTILE, (HOSTILE,), ((Cell(HOSTILE, tone="fail"),),), searchable=True)
    album = Album(HOSTILE, HOSTILE, "fail", (Picture(HOSTILE, "data:image/jpeg;base64,AA"),))
    blocks = (
        table,
        Text(HOSTILE),
        Notice(HOSTILE),
        Items((HOSTILE,)),
        Code(HOSTILE, HOSTILE),
        album,
    )
    answer = replace(page.answer, sentence=HOSTILE)
    text = render_page(
        replace(page, title=HOSTILE, answer=answer, sections=(Section(HOSTILE, blocks),))
    )
    elements = Elements(text)
    assert len(elements.of("script")) == 1
    assert [one.get("src") for one in elements.of("img")] == ["data:image/jpeg;base64,AA"]
    assert not [key for _, attributes in elements.tags for key in attributes if key == "onerror"]
    assert "\x00" not in text
    assert "{{ 7*7 }}" in text
    text.encode("utf-8")


def test_the_same_result_gives_the_same_bytes(result, audit_of, pages):
    assert render_page(study_page(result)) == pages["study"]
    assert render_page(private_audit_page(audit_of())) == pages["private audit"]


def test_code_keeps_its_lines(pages):
    assert "@article{schwarz2019,\n  title = " in pages["study"]


def test_a_number_never_stands_in_another_line_than_its_unit(pages):
    assert "\N{NO-BREAK SPACE}%" in pages["study"]
    body = pages["study"].partition("<body")[2]
    assert not re.search(r"\d %", re.sub("<svg.*?</svg>", "", body, flags=re.DOTALL))


def test_every_table_can_be_downloaded_as_it_stands(pages):
    links = [one for one in Elements(pages["audit"]).of("a") if one.get("download")]
    assert {one["download"] for one in links} >= {"scans.csv", "answer.csv", "regions.csv"}
    (scans,) = [one["href"] for one in links if one["download"] == "scans.csv"]
    content = base64.b64decode(scans.partition("base64,")[2]).decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert len(rows) == 10
    assert rows[0]["scan"] == "sub-0000_T1w.nii.gz"
    assert rows[0]["verdict"] == "fail"
    assert float(rows[0]["face left"]) == pytest.approx(0.7, abs=0.3)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "  =", "\t="])
def test_no_spreadsheet_runs_a_name(start):
    table = Table("t", "", ("a", "b"), ((Cell(f"{start}cmd()"), Cell("-3.5", -3.5)),))
    row = next(csv.reader(io.StringIO(csv_text(table).partition("\r\n")[2])))
    assert row[0].startswith("'")
    assert row[1] == "-3.5"


def test_csv_holds_values_not_roundings():
    table = Table("t", "", ("a", "b"), ((Cell("83.3 %", 5 / 6), Cell("n/a", float("nan"))),))
    assert csv_text(table) == f"a,b\r\n{5 / 6},\r\n"


def test_a_thousand_scans_fit_into_two_megabytes(audit_of):
    name = "sub-%04d/ses-baseline/anat/sub-%04d_ses-baseline_acq-mprage_desc-defaced_T1w.nii.gz"
    report = audit_of(1000, name.replace("sub-%04d_", "sub-X_"))
    text = render_page(audit_page(report))
    assert len(Elements(text).of("use")) > 1000
    assert len(text.encode()) < 2_000_000
