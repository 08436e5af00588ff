"""Which participants, sessions and series of a dataset are wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faceblind.datasets.bids_index import BidsFile
from faceblind.datasets.bids_names import LONG_NAMES, bare_label
from faceblind.errors import TableError

Query = Mapping[str, Any]
_ANY, _NONE = ("*", "Query.ANY"), ("", "Query.NONE", "Query.OPTIONAL")


@dataclass(frozen=True)
class Wanted:
    """What of a dataset is wanted.

    Parameters
    ----------
    participants, sessions : tuple of str
        With or without ``sub-`` and ``ses-``; all if empty.
    excluded : tuple of str
        Participants that are not wanted.
    queries : mapping of str to Query
        As `read_filter_file` gives them.
    """

    participants: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    queries: Mapping[str, Query] = field(default_factory=dict)

    def of_participants(self, known: Sequence[str]) -> set[str]:
        """The wanted ones of those that have a folder.

        Raises
        ------
        TableError
            If somebody named is not among them, or nobody is left.
        """
        named = {f"sub-{bare_label(text, 'sub')}" for text in self.participants}
        absent = sorted(named - set(known))
        if absent:
            raise TableError(f"{absent[0]}: no such participant in the dataset; check the label")
        out = {f"sub-{bare_label(text, 'sub')}" for text in self.excluded}
        left = (named or set(known)) - out
        if not left:
            raise TableError("no participant is left; look at the labels that are excluded")
        return left

    def has_session(self, session: str | None) -> bool:
        """Whether a session is wanted; files outside all sessions always are."""
        named = {f"ses-{bare_label(text, 'ses')}" for text in self.sessions}
        return not named or session is None or session in named

    def has(self, file: BidsFile) -> bool:
        """Whether the queries take a file; those of a suffix that no query names stay."""
        about = [query for name, query in self.queries.items() if _speaks_of(name, query, file)]
        return not about or any(_fits(query, file) for query in about)


def read_filter_file(path: Path) -> dict[str, Query]:
    """The queries of a ``--bids-filter-file``, as fMRIPrep takes it.

    Parameters
    ----------
    path : Path
        JSON: names such as ``"t1w"`` to entities and what they must be: a label, a list of labels,
        or null for none.

    Raises
    ------
    TableError
        If it is none, or names an entity that does not exist.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise TableError(f"{path}: not readable JSON; check the filter file") from error
    if not isinstance(content, dict) or not all(isinstance(q, dict) for q in content.values()):
        raise TableError(f"{path}: expected an object of queries; check the filter file")
    known = {*LONG_NAMES, *LONG_NAMES.values(), "suffix", "datatype", "extension"}
    for query in content.values():
        for key in query:
            if key not in known:
                raise TableError(f"{path}: {key!r} is no entity of BIDS; check the filter file")
    return content


def _speaks_of(name: str, query: Query, file: BidsFile) -> bool:
    suffixes = _listed(query["suffix"]) if "suffix" in query else [name]
    return file.name.suffix.lower() in [str(suffix).lower() for suffix in suffixes]


def _fits(query: Query, file: BidsFile) -> bool:
    for key, wanted in query.items():
        # A sidecar goes where its image goes.
        if key in ("suffix", "extension"):
            continue
        has = file.datatype if key == "datatype" else file.name.get(LONG_NAMES.get(key, key))
        if not any(_same(has, one) for one in _listed(wanted)):
            return False
    return True


def _same(has: str | None, wanted: Any) -> bool:
    if wanted is None or wanted in _NONE:
        return has is None
    if wanted in _ANY:
        return has is not None
    if has is None:
        return False
    text = str(wanted)
    # Indices may have leading zeros in names and are often given as numbers.
    if has.isdigit() and text.isdigit():
        return int(has) == int(text)
    return has == text.removeprefix("sub-").removeprefix("ses-")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
