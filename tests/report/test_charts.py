from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from faceblind.identification.intervals import Rate
from faceblind.report.charts import ROLES, Line, bars, curves, intervals

HOSTILE = '</text><script>alert(1)</script> style="}body{" $\\frac{ id="x" \x00'


def plot(name: str = "cmc"):
    rates = tuple(Rate.of(k, 20) for k in (5, 9, 12))
    lines = [
        Line("this study", (1.0, 2.0, 3.0), rates),
        Line("article", (1.0,), (Rate.of(70, 84),), "second", points=True),
    ]
    return curves(name, lines, "rank", "found")


def test_the_same_figures_give_the_same_bytes_whatever_the_user_has_set():
    import matplotlib as mpl

    first = plot()
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30, "svg.fonttype": "path"}):
        assert plot() == first
        assert mpl.rcParams["font.size"] == 30
    assert "<metadata" not in first.svg
    assert not re.search(r"\b20\d\d-\d\d-\d\d", first.svg)


def test_colours_are_roles_and_nothing_is_styled_in_place():
    drawing = plot()
    assert " style=" not in drawing.svg
    assert not re.search("#[0-9a-f]{6}", drawing.svg + "".join(drawing.rules))
    for role in ("ink", "first", "second"):
        assert any(f"var(--{role})" in rule for rule in drawing.rules), role
    used = set(" ".join(re.findall(r'class="([^"]+)"', drawing.svg)).split())
    assert used == {rule.partition("{")[0].removeprefix(".") for rule in drawing.rules}
    assert set(ROLES) >= set(re.findall(r"var\(--(\w+)\)", "".join(drawing.rules)))


def test_two_plots_of_a_page_share_no_identifier():
    ids = [set(re.findall(r'\bid="([^"]+)"', plot(name).svg)) for name in ("a", "b")]
    assert ids[0]
    assert not ids[0] & ids[1]
    for name, own in zip(("a", "b"), ids, strict=True):
        svg = plot(name).svg
        wanted = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
        assert wanted <= own


def test_labels_are_texts_and_cannot_become_anything_else():
    for drawing in (
        bars("bars", [HOSTILE, "b"], [3, 4.5], HOSTILE),
        intervals("dots", [HOSTILE], [Rate.of(1, 2)], ["first"]),
    ):
        root = ET.fromstring(drawing.svg)
        assert "script" not in {element.tag for element in root.iter()}
        assert any("<script>alert(1)" in (e.text or "") for e in root.iter("text"))
        assert not [rule for rule in drawing.rules if "body" in rule]
        assert root.attrib["role"] == "img"


def test_bars_say_their_numbers():
    texts = [e.text for e in ET.fromstring(bars("b", ["x", "y"], [3, 4.5], "z").svg).iter("text")]
    assert {"3", "4.5", "x", "y", "z"} <= set(texts)


@pytest.mark.parametrize("rates", [[Rate.of(0, 3)], [Rate.of(3, 3), Rate.of(1, 3)]])
def test_every_rate_is_a_dot_at_its_place(rates):
    drawing = intervals("dots", [str(k) for k in range(len(rates))], rates, ["first"] * len(rates))
    uses = ET.fromstring(drawing.svg).iter("use")
    dots = [e for e in uses if "first" in rule_of(drawing, e.attrib["class"])]
    places = [float(dot.attrib["x"]) for dot in dots]
    assert len(places) == len(rates)
    assert places == sorted(places, reverse=True)


def rule_of(drawing, name: str) -> str:
    return next(rule for rule in drawing.rules if rule.startswith(f".{name}{{"))


def test_help_loads_neither_plots_nor_templates():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom faceblind.cli.main import app\n"
        "assert CliRunner().invoke(app, ['study', '--help']).exit_code == 0\n"
        "import faceblind.report.charts, faceblind.report.html\n"
        "print(sorted({'matplotlib', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
