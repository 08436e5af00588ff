"""Who must show a brain before anything is said of a face."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from faceblind.attacks import head_check
from faceblind.attacks.head_check import require_head
from faceblind.errors import AlignmentError
from faceblind.head.alignment import CONFIDENT
from faceblind.head.plausibility import CLOSE_FIT_MM
from faceblind.head.presence import BOUNDS

SCAN = SimpleNamespace(source="melon.nii")


def found(confidence=CONFIDENT, residual_mm=CLOSE_FIT_MM):
    return SimpleNamespace(confidence=confidence, residual_mm=residual_mm)


def test_a_whole_face_that_fits_closely_speaks_for_itself(monkeypatch):
    monkeypatch.delattr(head_check, "is_head")
    require_head(found(), BOUNDS.whole, SCAN, None)


@pytest.mark.parametrize(
    ("alignment", "share"),
    [
        (found(), BOUNDS.whole - 0.01),
        (found(residual_mm=CLOSE_FIT_MM + 0.01), BOUNDS.whole),
        (found(confidence=CONFIDENT - 0.01), BOUNDS.whole),
    ],
)
def test_all_others_must_show_a_brain(monkeypatch, alignment, share):
    asked = []

    def is_head(*given):
        asked.append(given)
        return answer

    monkeypatch.setattr(head_check, "is_head", is_head)
    answer = True
    require_head(alignment, share, SCAN, "mask")
    assert asked == [(alignment, SCAN, "mask")]
    answer = False
    with pytest.raises(AlignmentError, match=r"melon\.nii: no head was found"):
        require_head(alignment, share, SCAN, "mask")


def test_a_scan_without_a_name_is_called_a_scan(monkeypatch):
    monkeypatch.setattr(head_check, "is_head", lambda *_: False)
    with pytest.raises(AlignmentError, match="scan: no head was found"):
        require_head(found(), 0.0, SimpleNamespace(source=None), None)
