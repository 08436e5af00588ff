"""In which order scans are looked at."""

from __future__ import annotations

from collections.abc import Iterable

from faceblind.review.scans import Judged, Protected

_RANKS = {"fail": 0, "rejected": 0, "unsure": 1, "not_examined": 1, "": 2, "pass": 3}


def suspicion(judged: Judged) -> tuple[int, float]:
    """A key by which suspicious scans come first.

    Verdicts go before scores: a scan may fail for a tenth of a face, or for its metadata. What was
    not audited may be anything and comes before what passed.

    Parameters
    ----------
    judged : Judged
    """
    score = judged.score if judged.score is not None else 0.0
    return _RANKS.get(judged.status, 2), -score


def ordered(scans: Iterable[Protected]) -> list[Protected]:
    """Scans by suspicion, then by path.

    Parameters
    ----------
    scans : iterable of Protected
    """
    return sorted(scans, key=lambda scan: (*suspicion(scan.judged), scan.inside))
