"""Plots as inline SVG.

Colours are roles, which the style sheet fills in for light and dark pages and for paper. Texts
stay texts, so that they can be selected, and the same figures give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from markupsafe import Markup

from faceblind.identification.intervals import Rate
from faceblind.report.texts import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROLES = {
    "ink": "#000001",
    "muted": "#000002",
    "line": "#000003",
    "first": "#000004",
    "second": "#000005",
    "third": "#000006",
}
"""Colours that no plot uses otherwise; each stands for a variable of the style sheet."""

WIDTH_IN = 5.2
"""Width of a plot; pages scale it, down to a telephone's."""
_SVG = "{http://www.w3.org/2000/svg}"
_LOCAL = re.compile(r"^\{[^}]*\}")

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 10.0,
    "text.color": ROLES["ink"],
    # A label may hold a dollar sign.
    "text.parse_math": False,
    "axes.edgecolor": ROLES["muted"],
    "axes.labelcolor": ROLES["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": ROLES["muted"],
    "ytick.color": ROLES["muted"],
    "xtick.labelcolor": ROLES["ink"],
    "ytick.labelcolor": ROLES["ink"],
}
"""Of matplotlib, for every plot."""
LONGEST_LABEL = 40


@dataclass(frozen=True)
class Drawing:
    """A plot and the rules of the style sheet that it needs.

    Parameters
    ----------
    svg : Markup
    rules : tuple of str
    """

    svg: Markup
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One curve.

    Parameters
    ----------
    label : str
    x : tuple of float
    rates : tuple of Rate
        At each x.
    role : str
        One of `ROLES`.
    dashed : bool
        A model or chance, not a measurement.
    points : bool
        Mark each measurement, with its interval as a bar instead of a band.
    """

    label: str
    x: tuple[float, ...]
    rates: tuple[Rate, ...]
    role: str = "first"
    dashed: bool = False
    points: bool = False


def curves(
    name: str,
    lines: Sequence[Line],
    x_label: str,
    y_label: str,
    *,
    log_x: bool = False,
    x_shares: bool = False,
) -> Drawing:
    """Rates over a scale, with their 95 % intervals.

    Parameters
    ----------
    name : str
        Unique on the page.
    lines : sequence of Line
    x_label, y_label : str
    log_x : bool
    x_shares : bool
        Write x in percent.
    """
    with _plot(name, 3.1) as (axes, drawn):
        for line in lines:
            _add_line(axes, line)
        axes.set_xlabel(clean(x_label))
        axes.set_ylabel(clean(y_label))
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        if log_x:
            axes.set_xscale("log")
        if log_x or x_shares:
            axes.xaxis.set_major_formatter(lambda value, _: _tick(value, x_shares))
        if len(lines) > 1:
            axes.legend(loc="best", frameon=False, labelcolor=ROLES["ink"])
    return drawn[0]


def _tick(value: float, is_share: bool) -> str:
    """What stands at an axis."""
    if is_share:
        return f"{100 * value:g} %"
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value / 1e3:g} k" if value >= 1e4 else f"{value:,g}"


def _add_line(axes: Axes, line: Line) -> None:
    color = ROLES[line.role]
    y = [rate.rate for rate in line.rates]
    low, high = [rate.low for rate in line.rates], [rate.high for rate in line.rates]
    if line.points:
        ends = [[a - b for a, b in zip(y, low, strict=True)],
                [b - a for a, b in zip(y, high, strict=True)]]  # fmt: skip
        style = {"fmt": "o", "capsize": 3, "markersize": 5, "linewidth": 1.4}
        axes.errorbar(line.x, y, ends, color=color, label=line.label, **style)  # type: ignore[arg-type]
        return
    axes.plot(line.x, y, "--" if line.dashed else "-", color=color, label=line.label, lw=1.8)
    if low != high:
        axes.fill_between(line.x, low, high, color=color, alpha=0.18, linewidth=0)


def bars(name: str, labels: Sequence[str], values: Sequence[float], x_label: str) -> Drawing:
    """Counts as bars with their numbers.

    Parameters
    ----------
    name : str
        Unique on the page.
    labels : sequence of str
    values : sequence of float
    x_label : str
    """
    with _plot(name, 2.8) as (axes, drawn):
        places = range(len(labels))
        drawn_bars = axes.bar(places, values, color=ROLES["first"], width=0.7)
        axes.bar_label(
            drawn_bars,
            [f"{round(v, 2):g}" for v in values],
            color=ROLES["ink"],
            padding=2,
        )
        axes.set_xticks(places, _short(labels))
        axes.set_yticks([])
        axes.set_ylim(0, max([*values, 1]) * 1.15)
        axes.set_xlabel(clean(x_label))
    return drawn[0]


def intervals(
    name: str, labels: Sequence[str], rates: Sequence[Rate], roles: Sequence[str]
) -> Drawing:
    """Rates as dots with their intervals, one below the other.

    Parameters
    ----------
    name : str
        Unique on the page.
    labels : sequence of str
    rates : sequence of Rate
    roles : sequence of str
        Of `ROLES`, one for each rate.
    """
    with _plot(name, 0.75 + 0.36 * len(rates)) as (axes, drawn):
        for place, (rate, role) in enumerate(zip(rates, roles, strict=True)):
            color = ROLES[role]
            axes.plot([rate.low, rate.high], [place, place], color=color, linewidth=3, alpha=0.45)
            axes.plot([rate.rate], [place], "o", color=color, markersize=7)
        axes.set_yticks(range(len(labels)), _short(labels))
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.set_xlim(-0.02, 1.02)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.grid(visible=True, axis="x", color=ROLES["line"], linewidth=0.8)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
    return drawn[0]


def _short(labels: Sequence[str]) -> list[str]:
    """Labels that leave room for the plot; the table has them whole."""
    texts, most = map(clean, labels), LONGEST_LABEL
    return [one if len(one) <= most else f"{one[: most - 1]}…" for one in texts]


@contextmanager
def _plot(name: str, height_in: float) -> Iterator[tuple[Axes, list[Drawing]]]:
    """Axes to draw on; the list holds the SVG when the block ends."""
    # It takes half a second, and only pages need it.
    from matplotlib import rc_context, rcdefaults, rcParams
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # A home that cannot be written to is nothing that a user could act on.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    drawn: list[Drawing] = []
    with rc_context(), warnings.catch_warnings():
        # Browsers have the letters that the font for measuring lacks.
        warnings.simplefilter("ignore", UserWarning)
        # A matplotlibrc of the user must not change the page.
        rcdefaults()
        rcParams.update(SETTINGS | {"svg.hashsalt": name})
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.grid(visible=True, color=ROLES["line"], linewidth=0.6)
        axes.set_axisbelow(True)
        yield axes, drawn
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    drawn.append(_inline(stream.getvalue(), name))


def _inline(text: str, name: str) -> Drawing:
    """The element alone, with identifiers that no other plot has, and styles as classes."""
    root = ET.fromstring(text)  # noqa: S314 - matplotlib's own
    rules: set[str] = set()
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)
    for element in root.iter():
        is_group = element.tag == f"{_SVG}g"
        element.tag = element.tag.removeprefix(_SVG)
        kept = {_LOCAL.sub("", key): value for key, value in element.attrib.items()}
        if is_group:
            kept.pop("id", None)
        if "id" in kept:
            kept["id"] = f"{name}-{kept['id']}"
        if "href" in kept:
            kept["href"] = kept["href"].replace("#", f"#{name}-")
        if "clip-path" in kept:
            kept["clip-path"] = kept["clip-path"].replace("#", f"#{name}-")
        if style := kept.pop("style", ""):
            kept["class"], rule = _as_class(style)
            rules.add(rule)
        if "d" in kept:
            kept["d"] = " ".join(kept["d"].split())
        element.attrib.clear()
        element.attrib.update(kept)
        # White space between shapes says nothing.
        element.tail = None
        if element.text and not element.text.strip():
            element.text = None
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"viewBox": box, "role": "img", "aria-labelledby": f"{name}-title"})
    # ElementTree escapes whatever a label holds.
    return Drawing(Markup(ET.tostring(root, encoding="unicode")), tuple(sorted(rules)))  # noqa: S704


def _as_class(style: str) -> tuple[str, str]:
    """A class for a style attribute, which the page's policy forbids, and its rule."""
    for role, color in ROLES.items():
        style = style.replace(color, f"var(--{role})")
    kept = [part.strip() for part in style.split(";") if not part.strip().startswith("font-family")]
    body = ";".join(filter(None, kept))
    name = f"m{hashlib.sha256(body.encode()).hexdigest()[:8]}"
    return name, f".{name}{{{body}}}"
