"""The table of an experiment: beside the article's figures, and as wide as a terminal."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from faceblind.cli.result_table import result_table
from faceblind.identification.interpretation import Traits, interpret
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


def test_table_says_what_the_figures_mean_beyond_the_gallery(make_scores) -> None:
    """120 people of whom the women are found; strangers score as noise."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(120, 120))
    values[np.arange(120), np.arange(120)] = np.where(np.arange(120) < 60, 9.0, -9.0)
    labels = [f"sub-{i:03d}" for i in range(120)]
    traits = {name: Traits(40.0, "F" if i < 60 else "M") for i, name in enumerate(labels)}
    scores = make_scores(values, labels, labels)
    text = rendered(interpret(evaluate(scores), scores, traits))
    rows = {line.split("│")[1].strip(): line for line in text.splitlines() if line[:1] == "│"}
    assert "60 (50.0 %)" in rows["found at rank 1"]
    assert "60 (50.0 %)" in rows["age, sex known"]
    assert "60 (50.0 %)" in rows["DIR at 1 % FPIR"]
    assert "about 50 %" in rows["rank 1 of 10,000"]
    assert "about 50 %" in rows["rank 1 of 1 million"]
    assert "Larger galleries are models" in text
    assert "Rank 1 differs by sex (p = 0.0001 after Holm)." in text
    assert "sub-" not in text


def test_table_of_few_people_has_no_more_than_before(make_scores) -> None:
    labels = [f"sub-{i}" for i in range(19)]
    scores = make_scores(np.eye(19), labels, labels)
    assert rendered(interpret(evaluate(scores), scores)) == rendered(evaluate(scores))
