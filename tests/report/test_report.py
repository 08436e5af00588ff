"""The pages in a real browser: they work, they are silent, and everybody can use them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faceblind.report.audit_page import audit_page, private_audit_page
from faceblind.report.benchmark_page import private_benchmark_page
from faceblind.report.compare_page import private_compare_page
from faceblind.report.page import Album, Picture
from faceblind.report.study_page import private_study_page
from faceblind.report.write import write_page

HOSTILE = 'sub-%04d"><img src=x onerror=alert(1)><script>alert(2)</script>.nii'
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@pytest.fixture(scope="module")
def pages(tmp_path_factory, study_of, audit_of, comparison, league):
    """Paths of pages; names of scans are hostile."""
    folder = tmp_path_factory.mktemp("pages")
    albums = [Album("sub-0000", "why", "fail", (Picture("before", DOT), Picture("after", DOT)))]
    note = {"note": "In-silico: the people are synthetic."}
    content = {
        "study": private_study_page(replace(study_of(people=120), **note), {"a.tsv": "ab" * 32}),
        "audit": audit_page(audit_of(name=HOSTILE), "sface-0ba9fbfa01b5", {"a.tsv": "ab" * 32}),
        "private": private_audit_page(audit_of(), blocks=albums),
        "compare": private_compare_page(comparison),
        "benchmark": private_benchmark_page(league),
    }
    for name, page in content.items():
        write_page(page, folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in content}


def shown(tab, column: int) -> list[str]:
    rows = "#table-scans tbody tr:not([hidden])"
    return tab.page.eval_on_selector_all(
        rows, f"rows => rows.map(row => row.cells[{column}].textContent)"
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["study", "audit", "private", "compare", "benchmark"])
def test_nobody_is_shut_out_and_the_console_is_silent(browser, pages, name, width, dark):
    tab = browser.open(pages[name], width=width, dark=dark)
    for summary in tab.page.query_selector_all("summary"):
        summary.click()
    assert tab.axe() == []
    assert tab.errors == []
    assert tab.refused == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.page.evaluate(BACKGROUND) == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize("name", ["study", "audit", "private", "compare", "benchmark"])
def test_paper_is_white_and_complete(browser, pages, name):
    tab = browser.open(pages[name], dark=True)
    tab.page.emulate_media(media="print")
    tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.axe() == []
    closed = "all => all.map(one => one.querySelectorAll('tbody tr').length)"
    sizes = tab.page.eval_on_selector_all("details:not([open])", closed)
    assert all(size > 40 for size in sizes)
    assert len(sizes) == (2 if name == "study" else 0)
    assert tab.page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    assert not tab.page.is_visible(".get")
    tab.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.page.eval_on_selector_all("details[open]", "all => all.length") == 0
    assert tab.page.pdf(prefer_css_page_size=True)[:5] == b"%PDF-"


def test_rows_are_searched_and_filtered(browser, pages):
    tab = browser.open(pages["audit"])
    assert tab.page.inner_text("#table-scans [role=status]") == "10 of 10 shown"
    tab.page.get_by_label("Search this table").fill("TRUNCATED look")
    assert shown(tab, 1) == ["unsure", "unsure"]
    assert tab.page.inner_text("#table-scans [role=status]") == "2 of 10 shown"
    tab.page.get_by_label("Search this table").fill("")
    tab.page.get_by_label("Show only").select_option("pass")
    assert shown(tab, 1) == ["pass"] * 4
    tab.page.get_by_label("Search this table").fill("sub-0005")
    assert len(shown(tab, 0)) == 1


def test_rows_are_sorted_with_the_keyboard(browser, pages):
    tab = browser.open(pages["audit"])
    button = tab.page.get_by_role("button", name="face left")
    button.focus()
    tab.page.keyboard.press("Enter")
    up = shown(tab, 2)
    numbers = [float(text) for text in up if text != "n/a"]
    assert numbers == sorted(numbers)
    assert numbers[0] < numbers[-1]
    assert up[-1] == "n/a"
    assert tab.page.get_attribute("#table-scans th:nth-child(3)", "aria-sort") == "ascending"
    tab.page.keyboard.press("Enter")
    assert tab.page.get_attribute("#table-scans th:nth-child(3)", "aria-sort") == "descending"
    assert shown(tab, 2)[-1] == up[0]
    tab.page.get_by_role("button", name="scan").press("Enter")
    assert tab.page.get_attribute("#table-scans th:nth-child(3)", "aria-sort") is None
    assert shown(tab, 0) == sorted(shown(tab, 0))


def test_hostile_names_are_read_as_they_are(browser, pages):
    tab = browser.open(pages["audit"])
    assert shown(tab, 0)[0] == HOSTILE % 0
    assert tab.page.eval_on_selector_all("img, main script", "all => all.length") == 0
    assert tab.errors == []


def test_plots_are_drawn_in_the_colours_of_the_page(browser, pages):
    colours = []
    for dark in (False, True):
        tab = browser.open(pages["study"], dark=dark)
        plots = tab.page.eval_on_selector_all(
            ".plot svg", "all => all.map(one => one.getBoundingClientRect().height)"
        )
        assert len(plots) == 6
        assert min(plots) > 80
        colours.append(
            tab.page.evaluate("getComputedStyle(document.querySelector('.plot svg text')).fill")
        )
    assert colours == ["rgb(26, 29, 33)", "rgb(233, 235, 238)"]


def test_figures_can_be_taken_away(browser, pages):
    tab = browser.open(pages["audit"])
    with tab.page.expect_download() as started:
        tab.page.click("a[download='scans.csv']")
    text = started.value.path().read_text(encoding="utf-8")
    assert text.startswith("scan,verdict,face left,regions")
    assert tab.errors == []


def test_the_skip_link_is_the_first_thing_a_keyboard_meets(browser, pages):
    tab = browser.open(pages["study"])
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.page.keyboard.press("Enter")
    assert tab.page.url.endswith("#content")


def test_without_scripts_everything_can_be_read(browser, pages, tmp_path):
    bare = tmp_path / "bare.html"
    text = pages["audit"].read_text(encoding="utf-8")
    bare.write_text(text.replace("script-src", "script-src 'none'; x-"), encoding="utf-8")
    tab = browser.open(bare)
    assert len(shown(tab, 0)) == 10
    assert tab.page.query_selector(".tools") is None
