"""What a benchmark found: methods, attacks on them, and published figures beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from faceblind.identification.intervals import Rate
from faceblind.identification.result import ARTICLE, StudyResult
from faceblind.workflows.peers import MissingPeer

Search = Literal["photo-to-scan", "original-to-protected", "protected-to-protected"]

SEARCHES: tuple[Search, ...] = (
    "photo-to-scan",
    "original-to-protected",
    "protected-to-protected",
)
"""The probe, then the gallery. The originals are those of the very scans in the gallery; the two
protected sides are two series of a session."""

IN_SILICO = "in silico"
PUBLISHED = "published"

COLUMNS = (
    "source", "method", "version", "material", "search", "recogniser", "face", "matching", "people",
    "gallery", "rank1_found", "rank1", "rank1_low", "rank1_high", "rank1_published", "rank5",
    "failed_to_enrol", "scans", "protected", "failed", "wall_s", "cpu_s", "peak_mb",
    "brain_voxels_changed", "brain_scans_changed", "citation",
)  # fmt: skip
"""Of the table of all attacks."""


@dataclass(frozen=True)
class MethodRun:
    """What one method did to the scans of the cohort.

    Parameters
    ----------
    name, version : str
    digest : str
        SHA-256 of the program's files, empty for faceblind's own methods and intact scans.
    scans, protected : int
        Given to it, and written by it.
    wall_s, cpu_s, peak_mb : float or None
        Median over the scans that were protected: seconds, processor seconds, MiB of the whole
        process. None for intact scans.
    brain_voxels, brain_scans : int or None
        Voxels of the volunteers' true brains whose value changed, and scans with any. None where
        the method protected nothing.
    other_grid : int
        Scans that came back on another grid, whose brain cannot be compared voxel by voxel.
    failures : tuple of (str, str)
        Name of the scan and why it was not protected. Private.
    """

    name: str
    version: str
    digest: str
    scans: int
    protected: int
    wall_s: float | None = None
    cpu_s: float | None = None
    peak_mb: float | None = None
    brain_voxels: int | None = None
    brain_scans: int | None = None
    other_grid: int = 0
    failures: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def failed(self) -> int:
        """Scans without a result."""
        return self.scans - self.protected

    def costs(self) -> dict[str, Any]:
        """Columns of the tables. Names nobody."""
        return {
            "scans": self.scans,
            "protected": self.protected,
            "failed": self.failed,
            "wall_s": self.wall_s,
            "cpu_s": self.cpu_s,
            "peak_mb": self.peak_mb,
            "brain_voxels_changed": self.brain_voxels,
            "brain_scans_changed": self.brain_scans,
        }


@dataclass(frozen=True)
class Attack:
    """One search among what a method left.

    Parameters
    ----------
    method : str
    search : str
        One of `SEARCHES`.
    face : {"completed", "as-is"}
        Which face of the scans was shown.
    recogniser, matching : str
    result : StudyResult
        Over the people whose scans the method protected. Holds ranks of people.
    """

    method: str
    search: Search
    face: str
    recogniser: str
    matching: str
    result: StudyResult

    def figures(self) -> dict[str, Any]:
        """Columns of the table of all attacks. Names nobody."""
        one = self.result
        return {
            "search": self.search,
            "recogniser": self.recogniser,
            "face": self.face,
            "matching": self.matching,
            "people": len(one.ranks),
            "gallery": one.gallery_size,
            "rank1_found": round(one.rank1.hits, 6),
            "rank1": one.rank1.rate,
            "rank1_low": one.rank1.low,
            "rank1_high": one.rank1.high,
            "rank5": one.rank5.rate,
            "failed_to_enrol": one.failed_to_enrol,
        }


@dataclass(frozen=True)
class PublishedRow:
    """Rates of a publication, on real people.

    Parameters
    ----------
    method, material, search, recogniser : str
    people : int
    rank1 : (float, float)
        Lowest and highest rate among what the row sums up, in [0, 1].
    citation : str
    """

    method: str
    material: str
    search: str
    recogniser: str
    people: int
    rank1: tuple[float, float]
    citation: str

    def told(self) -> str:
        """The rates as text."""
        low, high = (f"{100 * end:.0f}" for end in self.rank1)
        return f"{low} %" if low == high else f"{low}–{high} %"

    def row(self) -> dict[str, Any]:
        """Columns of the table of all attacks."""
        return {
            "source": PUBLISHED,
            "method": self.method,
            "material": self.material,
            "search": self.search,
            "recogniser": self.recogniser,
            "people": self.people,
            "rank1_published": self.told(),
            "citation": self.citation,
        }


_NEUROIMAGE_2021 = "Schwarz et al. 2021, NeuroImage 231:117845"
_NEUROIMAGE_2022 = "Schwarz et al. 2022, NeuroImage 258:119357"
_OPEN_SOURCE = "Prakaashana et al. 2025, NeuroImage 121476"
_AZURE = "Microsoft Azure Face"

PUBLISHED_ROWS = (
    PublishedRow(
        "intact", "MRI", "photo-to-scan", _AZURE, 84, (ARTICLE.rank1.rate,) * 2, ARTICLE.citation
    ),
    PublishedRow(
        "intact", "3D FLAIR", "photo-to-scan", _AZURE, 157, (0.97, 0.97), _NEUROIMAGE_2021
    ),
    PublishedRow(
        "mri_deface, pydeface, fsl_deface", "3D FLAIR", "photo-to-scan", _AZURE, 157, (0.28, 0.38),
        _NEUROIMAGE_2021,
    ),
    PublishedRow(
        "mri_reface", "3D FLAIR", "photo-to-scan", _AZURE, 157, (0.30, 0.30), _NEUROIMAGE_2021
    ),
    PublishedRow("intact", "MRI", "photo-to-scan", _AZURE, 182, (0.97, 0.98), _NEUROIMAGE_2022),
    PublishedRow("mri_reface", "MRI", "photo-to-scan", _AZURE, 182, (0.08, 0.08), _NEUROIMAGE_2022),
    PublishedRow(
        "intact", "FLAIR", "photo-to-scan", "dlib, nearest", 182, (0.51, 0.55), _OPEN_SOURCE
    ),
    PublishedRow(
        "intact", "FLAIR", "photo-to-scan", "two commercial services", 182, (0.92, 0.98),
        _OPEN_SOURCE,
    ),
    PublishedRow(
        "intact", "CT", "scan-to-scan", "FaceNet", 30, (0.93, 0.93),
        "Selfridge et al. 2023, J Nucl Med",
    ),
    PublishedRow(
        "defaced", "CT", "scan-to-scan", "FaceNet", 30, (0.06, 0.06),
        "Selfridge et al. 2023, J Nucl Med",
    ),
)  # fmt: skip
"""Rates as the publications state them, of real people and other recognisers."""


@dataclass(frozen=True)
class BenchmarkResult:
    """The league table and what it was made of.

    Parameters
    ----------
    people : int
        Volunteers of the cohort.
    methods : tuple of MethodRun
        Intact scans first.
    missing : tuple of MissingPeer
        Tools that were not run, and why.
    attacks : tuple of Attack
    settings : dict
        Cohort, recognisers, faces.
    versions : dict
    note : str
        That the people are synthetic.
    published : tuple of PublishedRow
    """

    people: int
    methods: tuple[MethodRun, ...]
    missing: tuple[MissingPeer, ...]
    attacks: tuple[Attack, ...]
    settings: dict[str, Any]
    versions: dict[str, str]
    note: str
    published: tuple[PublishedRow, ...] = PUBLISHED_ROWS

    def __repr__(self) -> str:
        return (
            f"BenchmarkResult({self.people} synthetic people, {len(self.methods)} methods, "
            f"{len(self.attacks)} attacks)"
        )

    def strongest(self, method: str, search: str) -> Attack | None:
        """The attack that finds most people at the first guess; None if there is none."""
        found = [a for a in self.attacks if (a.method, a.search) == (method, search)]
        return max(found, key=lambda a: (a.result.rank1.rate, a.result.rank5.rate), default=None)

    def ranked(self) -> tuple[MethodRun, ...]:
        """Methods, those first after which fewest people are found; the last were not attacked.

        By photographs first, then by originals, then by another protected series.
        """

        def place(method: MethodRun) -> list[float]:
            best = [self.strongest(method.name, search) for search in SEARCHES]
            return [1.0 if one is None else one.result.rank1.rate for one in best]

        return tuple(sorted(self.methods, key=place))

    def league(self) -> list[dict[str, Any]]:
        """One row for each method, with the strongest attack of each search. Names nobody."""
        rows = []
        for method in self.ranked():
            row: dict[str, Any] = {"method": method.name, "version": method.version}
            for search in SEARCHES:
                one = self.strongest(method.name, search)
                row[search] = one.result.rank1 if one else None
            rows.append(row | method.costs())
        return rows

    def rows(self) -> list[dict[str, Any]]:
        """Every attack, then the published rates: what ``league.csv`` holds. Names nobody."""
        runs = {method.name: method for method in self.methods}
        attacked = {attack.method for attack in self.attacks}
        found = [
            {"source": IN_SILICO, "method": one.method, "version": runs[one.method].version}
            | one.figures()
            | runs[one.method].costs()
            for one in self.attacks
        ]
        found += [
            {"source": IN_SILICO, "method": run.name, "version": run.version} | run.costs()
            for run in self.methods
            if run.name not in attacked
        ]
        return [*found, *(one.row() for one in self.published)]

    def summary(self) -> dict[str, Any]:
        """What ``league.json`` holds. Names nobody."""
        return {
            "note": self.note,
            "people": self.people,
            "league": list(map(_plain, self.league())),
            "methods": [
                {"method": m.name, "version": m.version, "sha256": m.digest or None}
                | {"other_grid": m.other_grid}
                | m.costs()
                for m in self.methods
            ],
            "not_run": [{"method": one.name, "why": one.why} for one in self.missing],
            "rows": self.rows(),
            "intervals": "Wilson, 95 %",
            "settings": self.settings,
            "versions": self.versions,
        }

    def person_rows(self) -> list[dict[str, Any]]:
        """Rows of the private ``ranks.tsv``: each person in each attack."""
        return [
            {
                "method": one.method, "search": one.search, "recogniser": one.recogniser,
                "face": one.face, "matching": one.matching, **row,
            }
            for one in self.attacks
            for row in one.result.rank_rows()
        ]  # fmt: skip

    def failures(self) -> Iterable[dict[str, str]]:
        """Rows of the private ``failures.tsv``."""
        for method in self.methods:
            for scan, why in method.failures:
                yield {"method": method.name, "scan": scan, "why": why}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: one.as_dict() if isinstance(one, Rate) else one for k, one in row.items()}
