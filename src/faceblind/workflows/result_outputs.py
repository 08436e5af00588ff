"""The files of one identification experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faceblind.identification.result import StudyResult
from faceblind.system.tables import write_json, write_tsv

CMC_COLUMNS = ("rank", "rate", "chance")
BEYOND = ("open_set.tsv", "gallery_scaling.tsv", "subgroups.tsv")
"""Tables that only experiments with enough people have."""


def write_result(root: Path, private: Path, result: StudyResult) -> None:
    """Write an experiment's files: figures for everybody, ranks per person for the owner only.

    Parameters
    ----------
    root : Path
        For ``summary.json``, ``cmc.tsv`` and the tables of `BEYOND`, which name nobody.
    private : Path
        For ``ranks.tsv``.
    result : StudyResult
    """
    write_tsv(private / "ranks.tsv", result.rank_rows())
    write_tsv(root / "cmc.tsv", result.cmc_rows(), CMC_COLUMNS)
    tables = _beyond(result)
    for name in BEYOND:
        if tables[name]:
            write_tsv(root / name, tables[name])
        else:  # an earlier run of more people may have left it
            (root / name).unlink(missing_ok=True)
    write_json(root / "summary.json", result.summary())


def _beyond(result: StudyResult) -> dict[str, list[dict[str, Any]]]:
    """Rows of the tables of `BEYOND`."""
    return {
        "open_set.tsv": result.open_set.rows() if result.open_set else [],
        "gallery_scaling.tsv": result.gallery_scaling.rows() if result.gallery_scaling else [],
        "subgroups.tsv": [row for trait in result.subgroups for row in trait.rows()],
    }
