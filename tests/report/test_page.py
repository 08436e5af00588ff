from __future__ import annotations

import math

import pytest

from faceblind.identification.intervals import Rate
from faceblind.report.page import Cell, flat, number, rate_cells, share, text_table


def test_numbers_sort_as_numbers_and_gaps_are_said():
    assert number(3.14159, ".2f") == Cell("3.14", 3.14159)
    for value in (None, math.inf, math.nan):
        cell = number(value)
        assert (cell.text, cell.plain) == ("n/a", "")
    assert share(5 / 6).text == "83.3 %"
    assert share(None).text == "n/a"


def test_a_rate_fills_four_cells():
    assert [cell.text for cell in rate_cells(Rate.of(70, 84))] == [
        "70",
        "83.3 %",
        "73.9 %",
        "89.8 %",
    ]


def test_settings_are_flattened_in_their_order():
    settings = {"b": {"y": 1, "x": None}, "a": [5, 5]}
    assert list(flat(settings)) == [("b.y", "1"), ("b.x", "none"), ("a", "5, 5")]


@pytest.mark.parametrize(("text", "is_long"), [("a b c " * 9, False), ("x" * 21, True)])
def test_only_long_words_may_be_broken(text, is_long):
    assert Cell(text).is_long is is_long


def test_a_table_of_texts():
    table = text_table("t", "c", ["a", "b"], [("1", "2")])
    assert table.rows == ((Cell("1"), Cell("2")),)
    assert table.columns == ("a", "b")
