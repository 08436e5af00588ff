from __future__ import annotations

import re

from faceblind._version import __version__
from faceblind.report.references import bibtex, of_recogniser


def test_entries_are_balanced_and_in_the_order_asked_for():
    text = bibtex(["schwarz2019", "faceblind", "schwarz2019"])
    assert re.findall(r"^@(\w+)\{(\w+),$", text, re.MULTILINE) == [
        ("article", "schwarz2019"), ("software", "faceblind"),
    ]  # fmt: skip
    assert text.count("{") == text.count("}")
    assert "doi = {10.1056/NEJMc1908881}," in text
    assert f"version = {{{__version__}}}," in text


def test_only_recognisers_that_are_known_are_cited():
    assert of_recogniser("sface-0ba9fbfa01b5") == ("zhong2021",)
    assert of_recogniser("dlib-abc") == ("king2009",)
    assert of_recogniser("sfacesque-abc") == ()
