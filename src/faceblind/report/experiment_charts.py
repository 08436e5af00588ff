"""The plots of one identification experiment, each with its figures."""

from __future__ import annotations

import math

from faceblind.identification import metrics
from faceblind.identification.gallery_scaling import RANKS, GalleryScaling
from faceblind.identification.intervals import Rate
from faceblind.identification.open_set import OpenSet
from faceblind.identification.result import ARTICLE, StudyResult
from faceblind.report.charts import Line, bars, curves, intervals
from faceblind.report.page import Cell, Chart, Table, number, rate_cells, share

RATE_COLUMNS = ("found", "rate", "95 % low", "95 % high")
_MOST_POINTS = 200
"""Ranks that a curve shows; beyond, every n-th one."""
_BINS = (1, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Upper ends of the histogram's bins."""


def beside_article(result: StudyResult) -> Chart:
    """Rank 1 here and in the article.

    Parameters
    ----------
    result : StudyResult
    """
    labels = ("this study", "Schwarz et al. 2019")
    rates = (result.rank1, ARTICLE.rank1)
    rows = tuple(
        (Cell(label), Cell(str(rate.n), rate.n), *rate_cells(rate))
        for label, rate in zip(labels, rates, strict=True)
    )
    unlike = (
        ""
        if result.direction == ARTICLE.direction
        else f" The article searched {ARTICLE.direction}."
    )
    return Chart(
        "Found at the first guess",
        "Dots: share of people whose own entry came first; bars: 95 % interval (Wilson). "
        f"Article: {ARTICLE.citation}; {ARTICLE.recogniser}.{unlike}",
        intervals("answer", labels, rates, ("first", "second")),
        Table(
            "answer", "Rank 1, here and in the article", ("study", "people", *RATE_COLUMNS), rows
        ),
    )


def cmc_chart(result: StudyResult) -> Chart:
    """Identification rate by length of the candidate list.

    Parameters
    ----------
    result : StudyResult
    """
    n, size = len(result.ranks), result.gallery_size
    rates = [Rate.of(round(rate * n, 6), n) for rate in result.cmc]
    step = max(1, math.ceil(len(rates) / _MOST_POINTS))
    kept = [k for k in range(1, len(rates) + 1) if k <= 20 or k % step == 0 or k == len(rates)]
    x = tuple(float(k) for k in kept)
    chance = [metrics.chance_rate(k, size) for k in kept]
    lines = [
        Line("this study", x, tuple(rates[k - 1] for k in kept)),
        Line("chance", x, tuple(map(_exact, chance)), "muted", dashed=True),
    ]
    if result.direction == ARTICLE.direction:
        lines.append(
            Line(
                "article (84 people)", (1, 5), (ARTICLE.rank1, ARTICLE.rank5), "second", points=True
            )
        )
    rows = tuple(
        (Cell(str(k), k), *rate_cells(rates[k - 1]), share(by_chance))
        for k, by_chance in zip(kept, chance, strict=True)
    )
    return Chart(
        "Cumulative match characteristic (CMC)",
        "How many people are among the k most similar entries. Band: 95 % interval (Wilson).",
        curves("cmc", lines, "rank k", "people found within rank k", log_x=len(rates) > 30),
        Table("cmc", "Found within each rank", ("rank", *RATE_COLUMNS, "chance"), rows),
    )


def rank_histogram(result: StudyResult) -> Chart:
    """How many people came at which rank, as counts that name nobody.

    Parameters
    ----------
    result : StudyResult
    """
    n = len(result.ranks)
    labels, values, start, before = [], [], 1, 0.0
    for end in _BINS:
        last = min(end, result.gallery_size)
        if start > last:
            break
        found = round(result.cmc[last - 1] * n, 6)
        labels.append(str(start) if start == last else f"{start}–{last}")
        values.append(round(found - before, 6))
        start, before = end + 1, found
    unranked = sum(not (one.failure or math.isfinite(one.rank)) for one in result.ranks)
    enrolled = n - result.failed_to_enrol - unranked
    if result.gallery_size >= start:
        labels.append(f"over {start - 1}")
        values.append(round(max(0.0, enrolled - before), 6))
    if unranked:
        labels.append("not returned")
        values.append(float(unranked))
    if result.failed_to_enrol:
        labels.append("no face")
        values.append(float(result.failed_to_enrol))
    rows = tuple((Cell(a), Cell(f"{b:g}", b)) for a, b in zip(labels, values, strict=True))
    return Chart(
        "Ranks",
        "At which rank people's own entries came. Equal scores share their ranks out. "
        "“No face”: no search could be made."
        + (" “Not returned”: the service named others only." if unranked else ""),
        bars("ranks", labels, values, "rank of the person's own entry"),
        Table("ranks", "People by rank", ("rank", "people"), rows),
    )


def open_set_chart(found: OpenSet) -> Chart:
    """DIR against FPIR.

    Parameters
    ----------
    found : OpenSet
    """
    points = found.table
    line = Line("this study", tuple(p.fpir.rate for p in points), tuple(p.dir for p in points))
    # Thresholds that nobody exceeds have no place on a logarithmic scale.
    shown = [p for p in points if p.fpir.rate > 0]
    if shown:
        line = Line("this study", tuple(p.fpir.rate for p in shown), tuple(p.dir for p in shown))
    rows = tuple(
        (
            number(p.threshold, ".4f"),
            *(share(v) for v in (p.fpir.rate, p.fpir.low, p.fpir.high)),
            *(share(v) for v in (p.dir.rate, p.dir.low, p.dir.high, p.fnir)),
        )
        for p in points
    )
    columns = ("threshold", "FPIR", "FPIR low", "FPIR high", "DIR", "DIR low", "DIR high", "FNIR")
    return Chart(
        "Open set: detection and identification rate (DIR)",
        "How many people are found by a searcher who accepts a false match for this share of "
        "people who are not in the gallery (FPIR). Band: 95 % interval (bootstrap over persons).",
        curves("open-set", [line], "FPIR", "DIR at rank 1", log_x=bool(shown), x_shares=True),
        Table("open-set", "One line for each threshold", columns, rows),
    )


def scaling_chart(found: GalleryScaling) -> Chart:
    """Rank 1 in smaller galleries, and what two models expect in larger ones.

    Parameters
    ----------
    found : GalleryScaling
    """
    place = RANKS.index(1)
    small = found.smaller
    lines = [
        Line(
            "sub-galleries (exact)",
            tuple(float(one.size) for one in small),
            tuple(one.rates[place] for one in small),
        )
    ]
    models = (("extreme_values", "model: extreme values", "second"),
              ("pitman_yor", "model: Pitman-Yor law", "third"))  # fmt: skip
    people = small[-1].rates[place].n if small else 1
    for name, label, role in models if found.larger else ():
        rates = [getattr(one, name) for one in found.larger]
        spans = tuple(Rate(r.rate * people, people, r.rate, r.low, r.high) for r in rates)
        sizes = tuple(float(one.size) for one in found.larger)
        lines.append(Line(label, sizes, spans, role, dashed=True))
    rows = tuple(
        (
            Cell(f"{row['gallery']:,}", row["gallery"]),
            Cell(str(row["rank"]), row["rank"]),
            Cell(row["by"].replace("_", " ")),
            *(share(row[key]) for key in ("rate", "low", "high")),
        )
        for row in found.rows()
    )
    columns = ("gallery", "rank", "by", "rate", "95 % low", "95 % high")
    return Chart(
        "Gallery size",
        "Rank 1 by the number of people searched. Up to this gallery: the mean over all smaller "
        "ones. Beyond it: two models (dashed), which err to different sides; a wide range means "
        "that the study was too small to say.",
        curves("gallery-scaling", lines, "people in the gallery", "found at rank 1", log_x=True),
        Table("gallery-scaling", "Rates by size of the gallery", columns, rows),
    )


def subgroup_chart(result: StudyResult) -> Chart | None:
    """Rank 1 by groups of people; None where no group is large enough.

    Parameters
    ----------
    result : StudyResult
    """
    groups = [(trait, group) for trait in result.subgroups for group in trait.groups]
    if not groups:
        return None
    rows = tuple(
        (
            Cell(trait.name.replace("_", " ")),
            Cell(group.label),
            Cell(str(group.rate.n), group.rate.n),
            *rate_cells(group.rate),
            number(trait.corrected, ".2g"),
            Cell(trait.verdict),
        )
        for trait, group in groups
    )
    columns = ("trait", "group", "people", *RATE_COLUMNS, "p (Holm)", "verdict")
    labels = [f"{trait.name.replace('_', ' ')}: {group.label}" for trait, group in groups]
    return Chart(
        "Rank 1 by group",
        "Share found at rank 1, with 95 % intervals (Wilson). Groups of fewer than 20 people are "
        "not shown: figures of few people may be about one of them. No difference shown is not no "
        "difference.",
        intervals(
            "subgroups", labels, [group.rate for _, group in groups], ["first"] * len(groups)
        ),
        Table("subgroups", "Rank 1 by group of people", columns, rows),
    )


def _exact(value: float) -> Rate:
    """A figure that is no measurement, as a rate without width."""
    return Rate(value, 1, value, value, value)
