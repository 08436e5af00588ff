"""Age, sex and groups from a BIDS ``participants.tsv``."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from faceblind.datasets.names import participant_label
from faceblind.errors import TableError

_MISSING = {"", "n/a", "na", "nan", "unknown"}


@dataclass(frozen=True)
class Participant:
    """What a participants table says of a person.

    Parameters
    ----------
    age : float or None
        Years; the lower bound where the table gives one (``89+`` gives 89).
    sex : str or None
        ``"F"``, ``"M"`` or ``"O"``.
    ancestry, contrast, field_of_view : str or None
        Labels of groups in lower case, as the table's author chose them.
    """

    age: float | None = None
    sex: str | None = None
    ancestry: str | None = None
    contrast: str | None = None
    field_of_view: str | None = None


def read_participants(path: str | Path) -> dict[str, Participant]:
    """What a BIDS ``participants.tsv`` says of people.

    Parameters
    ----------
    path : str or Path
        Tab-separated with a header line; ``participant_id`` needed; ``age``, ``sex``, ``ancestry``,
        ``contrast`` and ``field_of_view`` optional.

    Returns
    -------
    dict of str to Participant
        By normalised label, in the table's order.

    Raises
    ------
    TableError
        If the table cannot be read, lacks ``participant_id``, names a person twice, or holds an
        age or a sex that cannot be understood.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise TableError(f"{path}: no such file; check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: cannot be read as UTF-8 text; save it as TSV") from error
    rows = csv.DictReader(lines, delimiter="\t")
    if "participant_id" not in (rows.fieldnames or []):
        raise TableError(f"{path}: no column participant_id; add it, separated by tabs")
    people: dict[str, Participant] = {}
    for number, row in enumerate(rows, start=2):
        place = f"{path}, line {number}"
        if not (row["participant_id"] or "").strip():
            raise TableError(f"{place}: no participant_id; fill it in or drop the line")
        try:
            label = participant_label(row["participant_id"])
        except TableError as error:
            raise TableError(f"{place}: {error}") from error
        if label in people:
            raise TableError(f"{place}: this participant appears twice; keep one line each")
        people[label] = Participant(
            _age(row.get("age"), place),
            _sex(row.get("sex"), place),
            *(_group(row.get(name)) for name in ("ancestry", "contrast", "field_of_view")),
        )
    return people


def _age(text: str | None, place: str) -> float | None:
    cleaned = (text or "").strip().lower()
    if cleaned in _MISSING:
        return None
    match = re.fullmatch(r"[<>≥]?=?\s*0*(\d{1,3}(?:\.\d*)?)\s*(?:\+|y)?", cleaned)
    if not match or float(match.group(1)) > 130:
        raise TableError(f"{place}: age {text!r} is not a number of years; use n/a if unknown")
    return float(match.group(1))


def _group(text: str | None) -> str | None:
    """A label without differences of case and spaces."""
    cleaned = " ".join((text or "").lower().split())
    return None if cleaned in _MISSING else cleaned


def _sex(text: str | None, place: str) -> str | None:
    cleaned = (text or "").strip().lower()
    if cleaned in _MISSING:
        return None
    letter = {"female": "F", "f": "F", "male": "M", "m": "M", "other": "O", "o": "O"}.get(cleaned)
    if letter is None:
        raise TableError(f"{place}: sex {text!r} is not F, M or O; use n/a if unknown")
    return letter
