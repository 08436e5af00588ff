from __future__ import annotations

import pytest

from faceblind.identification.intervals import Rate
from faceblind.report.texts import clean, count, counted, interval, percent


def test_the_articles_figure_as_a_sentence_has_it():
    said = counted(Rate.of(70, 84), "scans")
    assert said == "70 of 84 scans (83 %, 95 % interval 74–90 %)"
    assert counted(Rate.of(1, 84), "scans").startswith("1 of 84 scans (1 %, 95 % interval 0–6 %)")


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0 %"), (0.001, "under 1 %"), (0.9999, "over 99 %"), (1, "100 %")]
)
def test_hardly_anybody_is_not_nobody(share, said):
    assert percent(share) == said


def test_shared_hits_keep_their_decimals():
    assert (count(3.0), count(3.5), count(10 / 3)) == ("3", "3.5", "3.33")
    assert interval(Rate.of(0, 20)) == "0–16 %"


def test_what_is_no_text_becomes_one():
    assert clean("a\n\x1b[31mb\u202egnp.exe") == "a [31mb gnp.exe"
    assert clean("scan\udcff.nii").encode("utf-8") == rb"scan\udcff.nii"
    assert clean("Zürich – 東京") == "Zürich – 東京"
