"""The whole app in a real browser: pictures, linked cameras, keys, hostile names, no complaint."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import pytest
from review_parts import head, make_folders, write

FAIL = "sub-02/anat/sub-02_T1w.nii.gz"
UNSURE = "sub-03/anat/sub-03_T1w.nii.gz"
REFUSED = ("status of 409", "status of 412")
CANVASES = ("slices-before", "slices-after", "skin-before", "skin-after")


@pytest.mark.slow
def test_scans_are_drawn_and_both_sides_move_together(folders, served, visit):
    tab = visit(served(folders))
    tab.shown(0)
    before = {name: tab.pixels(name) for name in CANVASES}
    for name, pixels in before.items():
        assert (pixels.max(axis=2) > 60).mean() > 0.03, f"{name} is blank"
    # The face that went is what the two sides differ in.
    assert (before["slices-before"] != before["slices-after"]).any(axis=2).mean() > 0.002
    assert (before["skin-before"] != before["skin-after"]).any(axis=2).mean() > 0.01
    tab.page.keyboard.press("s")
    tab.page.keyboard.press("ArrowUp")
    box = tab.page.locator("#slices-before").bounding_box()
    tab.page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.4 * box["height"])
    time.sleep(1)
    cameras = tab.cameras()
    assert cameras["skin-before"]["azimuth"] == cameras["skin-after"]["azimuth"] == 90
    assert cameras["skin-before"]["elevation"] == cameras["skin-after"]["elevation"] == 15
    cross = [cameras[f"slices-{side}"]["crosshair"] for side in ("before", "after")]
    np.testing.assert_allclose(cross[0], cross[1], atol=1e-3)
    for name in CANVASES:
        assert (tab.pixels(name) != before[name]).any(axis=2).mean() > 0.002, f"{name} stays"
    # A drag on one skin turns the other, too.
    box = tab.page.locator("#skin-after").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.page.mouse.move(x, y)
    tab.page.mouse.down()
    tab.page.mouse.move(x + 40, y, steps=3)
    tab.page.mouse.up()
    cameras = tab.cameras()
    assert cameras["skin-before"]["azimuth"] == cameras["skin-after"]["azimuth"] != 90
    assert tab.said == []


@pytest.mark.slow
def test_all_is_decided_by_keys_and_survives_a_restart(folders, served, visit):
    tab = visit(served(folders))
    tab.shown(0)
    assert tab.page.inner_text("#name") == FAIL
    tab.page.keyboard.press("5")
    tab.page.keyboard.press("c")
    tab.page.keyboard.type("an eye; accept? no")
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("r")
    tab.shown(1)
    assert not (folders.protected / FAIL).exists()
    tab.page.keyboard.press("l")
    tab.shown(2)
    tab.page.keyboard.press("a")
    tab.page.wait_for_selector("#progress:text('2 of 3 decided')")
    again = visit(served(folders))
    again.page.wait_for_selector("#progress:text('2 of 3 decided')")
    again.shown(1)
    assert again.page.inner_text("#state") == "for later; in the public folder"
    again.page.select_option("#filter", "all")
    again.page.click(f"#queue button:has-text('{FAIL[:6]}')")
    again.shown(0)
    assert again.page.input_value("#comment") == "an eye; accept? no"
    assert again.page.is_checked("input[value=eyes]")
    assert again.page.get_attribute("[data-choice=reject]", "aria-pressed") == "true"
    again.page.keyboard.press("z")
    again.page.wait_for_selector("#said:text('Taken back')")
    assert (folders.protected / FAIL).is_file()
    assert tab.said == again.said == []


@pytest.mark.slow
def test_overlays_fading_and_window_change_the_picture(folders, served, visit):
    tab = visit(served(folders))
    tab.shown(0)
    plain = tab.pixels("slices-after")
    tab.page.keyboard.press("1")
    tab.page.wait_for_selector("body[data-wanted*='\"replaced\":true']")
    blue = tab.pixels("slices-after")
    more = (blue - plain).astype(int)
    assert ((more[..., 2] > 40) & (more[..., 0] < 20)).mean() > 0.005
    tab.page.keyboard.press("1")
    tab.page.wait_for_selector("body[data-wanted*='\"replaced\":false']")
    np.testing.assert_array_equal(tab.pixels("slices-after"), plain)
    tab.page.keyboard.press("]")
    tab.page.wait_for_selector("body[data-wanted*='\"fade\":20']")
    assert (tab.pixels("slices-after") != plain).any(axis=2).mean() > 0.002
    tab.page.keyboard.press("w")
    tab.page.wait_for_selector('body[data-wanted*=\'"window":"dark"\']')
    assert tab.pixels("slices-before").mean() > plain.mean()
    assert tab.said == []


@pytest.mark.slow
def test_hostile_names_and_comments_do_nothing(tmp_path, served, visit):
    folders = make_folders(tmp_path, 1)
    name = '"><img src=x onerror=alert(1)>'
    old = folders.protected / "sub-01/anat/sub-01_T1w.nii.gz"
    old.rename(old.with_name(f"{name}.nii.gz"))
    folders.review().decide(0, "later", (), "<script>alert(2)</script>")
    tab = visit(served(folders, rater="<b onmouseover=alert(3)>"))
    tab.page.wait_for_selector("body[data-shown]:not([data-shown=''])")
    assert name in tab.page.inner_text("#name")
    assert "<b onmouseover" in tab.page.inner_text("#progress")
    assert tab.page.locator("main img, main b, main script").count() == 0
    tab.page.goto(re.sub(r"\?.*", "sheets", tab.page.url.split("#")[0] + "?"))
    tab.page.wait_for_selector("#tiles img")
    assert name in tab.page.inner_text("#tiles")
    assert tab.page.locator("#tiles img").count() == 1
    assert tab.said == []


@pytest.mark.slow
def test_contact_sheets_show_and_decide(folders, served, visit):
    address = served(folders)
    tab = visit(address)
    tab.page.goto(address.split("?")[0] + "sheets")
    tab.page.wait_for_selector("#tiles li:nth-child(3) img")
    for place in range(1, 4):
        image = tab.page.locator(f"#tiles li:nth-child({place}) img")
        image.scroll_into_view_if_needed()
        until = time.monotonic() + 60
        while not image.evaluate("one => one.complete && one.naturalWidth"):
            assert time.monotonic() < until
            time.sleep(0.2)
    tab.page.focus("#tiles li:nth-child(1) a")
    tab.page.keyboard.press("r")
    tab.page.wait_for_selector("#tiles li:nth-child(1) span:text('rejected')")
    assert not (folders.protected / FAIL).exists()
    tab.page.keyboard.press("l")
    tab.page.wait_for_selector("#tiles li:nth-child(2) span:text('for later')")
    assert tab.said == []
    assert tab.axe() == []


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (400, "light")])
def test_axe_finds_nothing(folders, served, visit, width, scheme):
    tab = visit(served(folders), width, 900, color_scheme=scheme)
    tab.shown(0)
    assert tab.axe() == []
    for opened, box in (("?", "help"), ("d", "redo")):
        tab.page.keyboard.press(opened)
        tab.page.wait_for_selector(f"#{box}[open]")
        assert tab.axe() == []
        tab.page.keyboard.press("Escape")
    wide = tab.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


@pytest.mark.slow
def test_without_the_token_there_is_nothing(folders, served, visit):
    address = served(folders).split("?")[0]
    tab = visit(address)
    assert "open the address" in tab.page.inner_text("body")
    answer = tab.page.request.get(f"{address}api/review")
    assert answer.status == 403
    assert "scans" not in answer.text()


@pytest.mark.slow
def test_a_thousand_scans_are_listed_at_once(folders, served, visit):
    address = served(folders)
    tab = visit(address)
    tab.shown(0)
    scan = tab.page.evaluate("fetch('/api/scans/0').then((answer) => answer.json())")
    many = [scan | {"number": n, "path": f"sub-{n:04}/x.nii"} for n in range(1000)]
    content = {"rater": "a", "round": 1, "faults": [], "options": [], "longest_comment": 9}
    body = json.dumps(content | {"scans": many})
    tab.page.route("**/api/review", lambda route: route.fulfill(
        body=body, content_type="application/json"))  # fmt: skip
    tab.page.reload()
    tab.page.wait_for_selector("#queue li:nth-child(1000)")
    took = tab.page.evaluate(
        "() => { const at = performance.now(); const f = document.getElementById('filter');"
        " f.value = 'all'; f.dispatchEvent(new Event('change'));"
        " document.body.offsetHeight; return performance.now() - at; }"
    )
    assert took < 1500


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


def place(tab):
    """Look from another side, at another place, in another window."""
    for key in ("s", "ArrowUp", "w"):
        tab.page.keyboard.press(key)
    box = tab.page.locator("#slices-after").bounding_box()
    tab.page.mouse.click(box["x"] + 0.15 * box["width"], box["y"] + 0.45 * box["height"])
    tab.page.wait_for_selector('body[data-wanted*=\'"window":"dark"\']')


@pytest.mark.slow
def test_what_was_drawn_behind_is_what_would_have_been_drawn_in_front(folders, served, visit):
    tab = visit(served(folders))
    tab.shown(0)
    before = {name: tab.pixels(name) for name in CANVASES}
    tab.ahead(0)
    for name in CANVASES:
        # Of another person behind this one nothing may be seen.
        np.testing.assert_array_equal(tab.pixels(name), before[name])
    names = "all => all.map(one => `${one.id} ${one.role} ${one.ariaHidden} ${one.tabIndex}`)"
    said = tab.page.locator("#views canvas").evaluate_all(names)
    assert said == [line for name in CANVASES for line in (f"{name} img null 0", " null true -1")]
    place(tab)
    tab.page.keyboard.press("l")
    tab.shown(1)
    swapped, cameras = {name: tab.pixels(name) for name in CANVASES}, tab.cameras()
    said = tab.page.locator("#views canvas").evaluate_all(names)
    assert said == [line for name in CANVASES for line in (" null true -1", f"{name} img null 0")]
    assert tab.said == []
    # Without a scan behind: the page begins with this one.
    tab.page.goto(re.sub("#.*", "", tab.page.url) + "#1")
    tab.page.reload()
    tab.shown(1)
    place(tab)
    assert tab.cameras() == cameras
    for name in CANVASES:
        np.testing.assert_array_equal(tab.pixels(name), swapped[name])
        assert (swapped[name] != before[name]).any()


@pytest.mark.slow
def test_a_scan_out_of_turn_is_drawn_although_another_is_being_drawn_behind(folders, served, visit):
    tab = visit(served(folders))
    tab.shown(0)
    tab.ahead(0)
    pixels = {}
    for number, keys in ((2, "nn"), (0, "pp"), (1, "npnpn"), (2, "n")):
        for key in keys:
            tab.page.keyboard.press(key)
        tab.shown(number)
        tab.ahead(number)
        found = [tab.pixels(name) for name in CANVASES]
        for first, again in zip(pixels.setdefault(number, found), found, strict=True):
            np.testing.assert_array_equal(first, again)
    assert (pixels[1][3] != pixels[2][3]).any()
    assert (pixels[0][3] != pixels[2][3]).any()
    assert tab.said == []


@pytest.mark.slow
def test_what_changed_after_it_was_drawn_behind_is_not_accepted(folders, served, visit):
    tab = visit(served(folders))
    tab.shown(0)
    tab.ahead(0)
    write(folders.protected / UNSURE, head(7) // 2)
    tab.page.keyboard.press("l")
    tab.shown(1)
    before = tab.pixels("slices-after").mean()
    tab.page.keyboard.press("a")
    tab.page.wait_for_selector("#said:text('has changed since it was shown')")
    tab.shown(1)
    assert tab.page.inner_text("#progress").startswith("0 of 3")
    assert tab.pixels("slices-after").mean() < 0.8 * before
    tab.page.keyboard.press("a")
    tab.page.wait_for_selector("#progress:text('1 of 3 decided')")
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
