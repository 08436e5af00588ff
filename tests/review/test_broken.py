"""Broken and changing files in the app, in a real browser: words, and nothing accepted unseen."""

from __future__ import annotations

import time

import pytest
from review_parts import head, write

FAIL = "sub-02/anat/sub-02_T1w.nii.gz"
UNSURE = "sub-03/anat/sub-03_T1w.nii.gz"
REFUSED = ("status of 409", "status of 412")


def halve(path):
    path.write_bytes(path.read_bytes()[:5000])


def complaints(tab):
    """What the console said but for answers that refuse, which the browser itself notes."""
    return [line for line in tab.said if not any(one in line for one in REFUSED)]


@pytest.mark.slow
def test_a_broken_scan_is_named_shown_black_and_never_accepted(folders, served, visit):
    halve(folders.protected / UNSURE)
    tab = visit(served(folders))
    tab.shown(0)
    tab.page.keyboard.press("l")
    tab.page.wait_for_selector("body[data-shown='error']")
    said = tab.page.inner_text("#said")
    assert said == f"{UNSURE}: the file is truncated; fetch or convert it again"
    assert tab.page.get_attribute("#said", "class") == "error"
    # Another person's pictures must not stand under this name.
    for name in ("slices-after", "skin-after", "skin-before"):
        assert tab.pixels(name)[4:-4, 4:-4].max() < 20
    tab.page.keyboard.press("a")
    tab.page.wait_for_selector("#said:text('only what is shown can be accepted')")
    tab.page.keyboard.press("r")
    tab.shown(2)
    assert not (folders.protected / UNSURE).exists()
    assert complaints(tab) == []


@pytest.mark.slow
def test_what_changed_since_it_was_shown_is_shown_again_first(folders, served, visit):
    tab = visit(served(folders))
    tab.shown(0)
    tab.ahead(0)
    before = tab.pixels("slices-after").mean()
    write(folders.protected / FAIL, head(2) // 2)
    tab.page.keyboard.press("c")
    tab.page.keyboard.type("fine")
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("a")
    tab.page.wait_for_selector("#said:text('has changed since it was shown')")
    tab.shown(0)
    assert tab.page.input_value("#comment") == "fine"
    assert tab.page.inner_text("#progress").startswith("0 of 3")
    # Half as bright in the original's window.
    assert tab.pixels("slices-after").mean() < 0.8 * before
    tab.page.keyboard.press("a")
    tab.shown(1)
    assert tab.page.inner_text("#progress").startswith("1 of 3")
    assert complaints(tab) == []


@pytest.mark.slow
def test_contact_sheets_say_which_scan_has_no_picture(folders, served, visit):
    halve(folders.protected / FAIL)
    address = served(folders)
    tab = visit(address)
    tab.page.goto(address.split("?")[0] + "sheets")
    tab.page.wait_for_selector(f"#said:text('{FAIL}: ')")
    tab.page.focus("#tiles li:nth-child(1) a")
    tab.page.keyboard.press("a")
    tab.page.wait_for_selector("#said:text('only what is shown can be accepted')")
    image = tab.page.locator("#tiles li:nth-child(2) img")
    until = time.monotonic() + 60
    while not image.evaluate("one => one.complete && one.naturalWidth"):
        assert time.monotonic() < until
        time.sleep(0.2)
    write(folders.protected / UNSURE, head(7))
    tab.page.focus("#tiles li:nth-child(2) a")
    tab.page.keyboard.press("a")
    tab.page.wait_for_selector(f"#said:text('{UNSURE}: has changed since it was shown')")
    assert (folders.protected / UNSURE).is_file()
    assert complaints(tab) == []
