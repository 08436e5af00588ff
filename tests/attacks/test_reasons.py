from __future__ import annotations

from faceblind.attacks.reasons import Reason, public_texts


def test_an_open_reason_is_said_as_it_is() -> None:
    reason = Reason("face_remains", "brow and eyes, 32 % of a face")
    assert str(reason) == reason.public_text == "brow and eyes, 32 % of a face"


def test_a_private_reason_shows_its_kind_only() -> None:
    ranked = Reason("recognised", "rank 3 of 40", private=True)
    assert str(ranked) == "recognised by linking (rank in the private report)"
    other = Reason("session", "matches sub-07 at rank 1", private=True)
    assert str(other) == "see the private report"
    assert "sub-07" not in f"{other}"


def test_public_texts_come_once_and_in_order() -> None:
    reasons = (
        Reason("recognised", "rank 1", private=True),
        Reason("blurred", "blurred"),
        Reason("recognised", "rank 2", private=True),
    )
    assert public_texts(reasons) == (
        "recognised by linking (rank in the private report)",
        "blurred",
    )
