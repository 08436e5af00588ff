from __future__ import annotations

import re

import pytest

from faceblind.attacks.region_presence import RegionPresence
from faceblind.attacks.surface import LOOKED_AT
from faceblind.report.face_diagram import LEFT_OUT, face_diagram, face_symbols, key, spoken


def regions(**shares: float) -> dict[str, RegionPresence]:
    return {
        name: RegionPresence(0.0, shares.get(name.replace(" ", "_"), 0.0), 0.0, 1.0)
        for name in LOOKED_AT
    }


def colours(drawing: str) -> dict[str, str]:
    return dict(re.findall(r'<use href="#f-([\w-]+)" class="(\w+)"/>', drawing))


def test_every_region_has_a_shape_of_its_own():
    ids = re.findall(r'id="f-([\w-]+)"', face_symbols())
    assert sorted(ids) == sorted(["head", *(name.replace(" ", "-") for name in LOOKED_AT)])


@pytest.mark.parametrize(
    ("share", "colour"),
    [(0.04, None), (0.05, "s1"), (0.2, "s2"), (0.59, "s3"), (0.79, "s4"), (1.0, "s5")],
)
def test_the_colour_follows_the_share(share, colour):
    drawing = face_diagram(regions(nose=share, left_ear=0.3))
    assert colours(drawing).get("nose") == colour
    assert colours(drawing)["left-ear"] == "s2"


def test_a_surface_parallel_to_the_skin_counts_as_shown():
    found = regions()
    found["mouth"] = RegionPresence(0.0, 0.0, 0.9, 1.0)
    assert colours(face_diagram(found)) == {"mouth": "s5"}


def test_what_is_out_of_view_is_neither_shown_nor_gone():
    found = regions(nose=0.5)
    found["chin"] = RegionPresence(0.0, 1.0, 0.0, 0.01)
    assert colours(face_diagram(found)) == {"nose": "s3", "chin": LEFT_OUT}
    assert spoken(found) == "shows nose 50 %; outside the field of view: chin"


def test_the_same_is_said_in_words():
    assert 'aria-label="shows no region"' in face_diagram(regions())
    assert 'aria-label="shows brow 30 %, nose 83 %"' in face_diagram(regions(nose=0.83, brow=0.3))


def test_a_region_that_is_not_known_is_not_drawn():
    hostile = {'<script>"': RegionPresence(0.0, 1.0, 1.0, 1.0)}
    assert "script" not in face_diagram(hostile)


def test_the_key_names_every_colour():
    assert dict(key()) == {
        "s1": "5–20 %", "s2": "20–40 %", "s3": "40–60 %", "s4": "60–80 %", "s5": "80–100 %",
        LEFT_OUT: "outside the field of view",
    }  # fmt: skip
