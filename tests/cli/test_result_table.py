"""The table of an experiment: beside the article's figures, and as wide as a terminal."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from faceblind.cli.result_table import result_table
from faceblind.identification.match import Scores
from faceblind.identification.result import StudyResult, evaluate


def make_scores(values: object, probes: list[str], gallery: list[str]) -> Scores:
    return Scores(
        values=np.array(values, dtype=float).reshape(len(probes), len(gallery)),
        probe_persons=np.array(probes, dtype=str),
        gallery_persons=np.array(gallery, dtype=str),
        direction="photo-to-scan",
        matching="centred",
        fusion="mean",
        recogniser="toy-0000",
        probe_pictures=np.full(len(probes), 5),
        gallery_pictures=np.full(len(gallery), 81),
    )


def article_scores() -> Scores:
    """84 persons: 70 on top, 10 third, 4 twentieth."""
    values = np.zeros((84, 84))
    for i in range(84):
        better = 0 if i < 70 else 2 if i < 80 else 19
        values[i, (i + 1 + np.arange(better)) % 84] = 2
        values[i, i] = 1
    labels = [f"sub-{i:03d}" for i in range(84)]
    return make_scores(values, labels, labels)


def rendered(result: StudyResult) -> str:
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(result_table(result))
    return console.export_text()


def test_table_stands_beside_the_article() -> None:
    text = rendered(evaluate(article_scores(), note="Synthetic people (in silico)."))
    for expected in ("70 (83.3 %)", "73.9-89.8 %", "80 (95.2 %)", "88.4-98.1 %", "4 (4.8 %)"):
        assert text.count(expected) >= 2
    assert "Schwarz et al. 2019" in text
    assert "Synthetic people" in text
    assert "says nothing" not in text


def test_table_marks_what_says_nothing() -> None:
    labels = ["a", "b", "c"]
    text = rendered(evaluate(make_scores(np.eye(3), labels, labels)))
    assert "3 (100.0 %) *" in text
    assert "the gallery holds only 3" in text


def test_table_fits_a_terminal() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(result_table(evaluate(article_scores())))
    body = [line for line in console.export_text().splitlines() if line.startswith("│")]
    assert len(body) == 8
