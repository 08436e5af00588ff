from __future__ import annotations

import pytest

from faceblind.errors import FaceblindError
from faceblind.identification.enrolment import check_enrolled

TWO, ONE = ("sub-1", "sub-2"), ("sub-1",)


def test_others_are_told_of_without_names(caplog):
    failed = {"sub-3": "torn", "sub-9": "empty"}
    assert check_enrolled((TWO, TWO), ("sub-1", "sub-3"), failed, "centred") == {"sub-3": "torn"}
    assert "1 people beside" in caplog.text
    assert "sub-" not in caplog.text


@pytest.mark.parametrize("sides", [(ONE, TWO), (TWO, ONE), (ONE, ONE)])
def test_one_person_is_no_mean(sides):
    with pytest.raises(FaceblindError, match=r"'fused' needs two people .* \(torn\)"):
        check_enrolled(sides, TWO, {"sub-2": "torn"}, "fused")
    with pytest.raises(FaceblindError, match="no more were given"):
        check_enrolled(sides, ONE, {}, "centred")
    assert check_enrolled(sides, ONE, {}, "nearest") == {}


def test_nobody_is_a_result():
    assert check_enrolled((TWO, ()), TWO, {"sub-1": "torn"}, "centred") == {"sub-1": "torn"}
