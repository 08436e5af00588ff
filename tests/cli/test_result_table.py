"""The table of an experiment: beside the article's figures, and as wide as a terminal."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from faceblind.cli.result_table import result_table
from faceblind.identification.result import StudyResult, evaluate


def rendered(result: StudyResult) -> str:
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(result_table(result))
    return console.export_text()


def test_table_stands_beside_the_article(article_scores) -> None:
    text = rendered(evaluate(article_scores, note="Synthetic people (in silico)."))
    for expected in ("70 (83.3 %)", "73.9-89.8 %", "80 (95.2 %)", "88.4-98.1 %", "4 (4.8 %)"):
        assert text.count(expected) >= 2
    assert "Schwarz et al. 2019" in text
    assert "Synthetic people" in text
    assert "says nothing" not in text


def test_table_marks_what_says_nothing(make_scores) -> None:
    labels = ["a", "b", "c"]
    text = rendered(evaluate(make_scores(np.eye(3), labels, labels)))
    assert "3 (100.0 %) *" in text
    assert "the gallery holds only 3" in text


def test_table_fits_a_terminal(article_scores) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(result_table(evaluate(article_scores)))
    body = [line for line in console.export_text().splitlines() if line.startswith("│")]
    assert len(body) == 8
