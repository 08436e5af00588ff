"""What raters decided, as a table, and how well they agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from faceblind.review.decisions import OPEN, Decision
from faceblind.review.kappa import cohen_kappa
from faceblind.system.tables import as_tsv

COLUMNS = (
    "scan", "rater", "round", "decision", "categories", "comment", "made", "sha256",
)  # fmt: skip

Rater = tuple[str, int]
"""Name and round."""


def table_rows(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """Decisions as the rows of a table with `COLUMNS`.

    Parameters
    ----------
    decisions : iterable of Decision
    """
    return [
        {
            "scan": one.scan,
            "rater": one.rater,
            "round": one.round,
            "decision": one.choice,
            "categories": "; ".join(one.categories),
            "comment": _no_formula(one.comment),
            "made": one.made,
            "sha256": one.sha256,
        }
        for one in decisions
    ]


def table(decisions: Iterable[Decision]) -> str:
    """Decisions as tab-separated text.

    Parameters
    ----------
    decisions : iterable of Decision
    """
    return as_tsv(table_rows(decisions), COLUMNS)


def agreements(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """Agreement of each two raters, and of each rater with himself in another round.

    What is to be done again counts as rejected; scans that a rater left for later do not count.

    Parameters
    ----------
    decisions : sequence of Decision
        As `faceblind.review.decisions.Decisions.current` gives them.

    Returns
    -------
    list of dict
        The two, and the fields of `faceblind.review.kappa.Agreement`.
    """
    ratings: dict[Rater, dict[tuple[str, str], str]] = {}
    for one in decisions:
        if one.choice not in OPEN:
            rating = "reject" if one.choice == "redo" else one.choice
            # A scan that was protected again is another thing to rate.
            ratings.setdefault((one.rater, one.round), {})[one.scan, one.sha256] = rating
    found = []
    for a, b in combinations(sorted(ratings), 2):
        both = sorted(ratings[a].keys() & ratings[b].keys())
        result = cohen_kappa([ratings[a][k] for k in both], [ratings[b][k] for k in both])
        found.append({"first": _named(a), "second": _named(b)} | asdict(result))
    return found


def _no_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _named(rater: Rater) -> str:
    name, turn = rater
    return name if turn == 1 else f"{name}, round {turn}"
