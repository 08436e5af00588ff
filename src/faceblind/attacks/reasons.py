"""Why a verdict is what it is: a kind for machines, words for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "face_remains",
    "feature_in_view",
    "blurred",
    "mislaid",
    "parallel",
    "ears",
    "detector",
    "perhaps_average",
    "wrapped",
    "brain_changed",
    "brain_empty",
    "metadata",
    "recognised",
    "own_protection",
    "nothing_remains",
    "no_head",
    "unreadable",
    "not_examined",
    "mask_outline",
    "session",
]

PUBLIC_TEXT: dict[str, str] = {"recognised": "recognised by linking (rank in the private report)"}
"""What others may read in place of a private reason of each kind."""


@dataclass(frozen=True)
class Reason:
    """One reason for a verdict.

    Parameters
    ----------
    kind : str
        One of `Kind`; stays the same when the words change.
    text : str
        In plain words.
    private : bool
        Tells about one person what only the owner of the scans may read, such as a rank.
    """

    kind: Kind
    text: str
    private: bool = False

    @property
    def public_text(self) -> str:
        """What may stand in a table that is shared."""
        if not self.private:
            return self.text
        return PUBLIC_TEXT.get(self.kind, "see the private report")

    def __str__(self) -> str:
        return self.public_text


def public_texts(reasons: tuple[Reason, ...]) -> tuple[str, ...]:
    """The words that may be shared, each once."""
    return tuple(dict.fromkeys(reason.public_text for reason in reasons))
