"""The files of one identification experiment."""

from __future__ import annotations

from pathlib import Path

from faceblind.identification.result import StudyResult
from faceblind.system.tables import write_json, write_tsv

CMC_COLUMNS = ("rank", "rate", "chance")


def write_result(root: Path, private: Path, result: StudyResult) -> None:
    """Write an experiment's files: figures for everybody, ranks per person for the owner only.

    Parameters
    ----------
    root : Path
        For ``summary.json`` and ``cmc.tsv``, which name nobody.
    private : Path
        For ``ranks.tsv``.
    result : StudyResult
    """
    write_tsv(private / "ranks.tsv", result.rank_rows())
    write_tsv(root / "cmc.tsv", result.cmc_rows(), CMC_COLUMNS)
    write_json(root / "summary.json", result.summary())
