"""Recognisers by name or path."""

from __future__ import annotations

from pathlib import Path

import pytest

from faceblind.errors import RecogniserError
from faceblind.recognition.onnx_models import ADAPTATION, SFACE
from faceblind.recognition.registry import get_recogniser


def test_the_default_and_sface_are_opened_once() -> None:
    recogniser = get_recogniser("sface")
    assert recogniser is get_recogniser("SFace")
    assert recogniser.name == "sface"
    assert recogniser.identity == f"sface-{SFACE.sha256[:12]}"
    default = get_recogniser()
    assert default is get_recogniser("SFace-Map")
    assert default.identity == f"sface-map-{ADAPTATION.sha256[:12]}"


def test_unknown_names_are_refused() -> None:
    with pytest.raises(
        RecogniserError, match="no recogniser 'azure'; give one of sface-map, sface, dlib or"
    ):
        get_recogniser("azure")
    with pytest.raises(RecogniserError, match="no such file"):
        get_recogniser(Path("absent.onnx"))
    with pytest.raises(ValueError, match="at least 1"):
        get_recogniser("sface", threads=0)
