"""What is left out of a comparison's choices is filled in as documented."""

from __future__ import annotations

import pytest

from faceblind.errors import RecogniserError
from faceblind.face.cameras import DEFAULT_LIGHTS, FEW_LIGHTS
from faceblind.identification.match import Matching
from faceblind.identification.recipe import Recipe, choose_recipe, lights_of


@pytest.mark.parametrize(
    ("recogniser", "matching", "expected"),
    [
        (None, None, Recipe("sface-map", "adapted")),
        (None, "adapted", Recipe("sface-map", "adapted")),
        (None, "centred", Recipe("sface", "centred")),
        (None, "nearest", Recipe("sface", "nearest")),
        ("sface-map", None, Recipe("sface-map", "adapted")),
        ("sface-map", "centred", Recipe("sface-map", "centred")),
        ("sface", None, Recipe("sface", "centred")),
        ("my.onnx", None, Recipe("my.onnx", "centred")),
        ("dlib", "nearest", Recipe("dlib", "nearest")),
    ],
)
def test_choices(recogniser: str | None, matching: Matching | None, expected: Recipe) -> None:
    assert choose_recipe(recogniser, matching) == expected


def test_adapted_needs_its_recogniser() -> None:
    with pytest.raises(RecogniserError, match="fitted for the recogniser sface-map only"):
        choose_recipe("dlib", "adapted")
    with pytest.raises(RecogniserError, match="expected one of adapted, centred, nearest"):
        choose_recipe(None, "closest")  # type: ignore[arg-type]


def test_lights() -> None:
    assert lights_of("sface-map") == FEW_LIGHTS
    assert [DEFAULT_LIGHTS.index(light) for light in FEW_LIGHTS] == [0, 1, 2, 7]
    assert lights_of("sface") == lights_of("x.onnx") == DEFAULT_LIGHTS
