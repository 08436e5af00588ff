"""Made-up results for pages that are timed, tested or photographed: nothing here was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from faceblind.attacks.brain import Brain
from faceblind.attacks.findings import Findings
from faceblind.attacks.reasons import Reason
from faceblind.attacks.region_presence import RegionPresence
from faceblind.attacks.surface import LOOKED_AT
from faceblind.attacks.verdict import Verdict, judge
from faceblind.identification.interpretation import Traits, interpret
from faceblind.identification.match import Scores
from faceblind.identification.paired import compare_paired
from faceblind.identification.ranking import Link
from faceblind.identification.result import StudyResult, evaluate
from faceblind.workflows.audit_report import AuditReport, remarks
from faceblind.workflows.benchmark_result import SEARCHES, Attack, BenchmarkResult, MethodRun
from faceblind.workflows.compare import Comparison
from faceblind.workflows.peers import MissingPeer

VERSIONS = {"faceblind": "0.0.test", "numpy": "2.0"}


def study(
    people: int = 30, strength: float = 0.35, group: str = "F", label: str = "sub-%04d"
) -> StudyResult:
    """A study of random scores; one more person could not be enrolled."""
    rng = np.random.default_rng(people)
    names = np.array([label % k for k in range(people)])
    values = np.round(0.1 * rng.normal(size=(people, people)) + strength * np.eye(people), 6)
    pictures = np.full(people, 5), np.full(people, 81)
    scores = Scores(
        values, names, names, "photo-to-scan", "centred", "mean", "sface-0ba9fbfa01b5", *pictures
    )
    lost = "sub-lost"
    result = evaluate(
        scores,
        [*names, lost],
        {lost: "/data/private-name.nii.gz: no head was found"},
        settings={"variant": "completed", "cameras": 9, "lights": 9},
        versions=VERSIONS,
    )
    traits = {str(name): Traits(30.0 + k % 40, group) for k, name in enumerate(names)}
    return interpret(result, scores, traits)


def _findings(level: float, *links: Link, replaced: str = "") -> Findings:
    regions = {name: RegionPresence(500 * level, level, 0.0, 1.0) for name in LOOKED_AT}
    regions["chin"] = replace(regions["chin"], seen=0.0)
    return Findings(
        regions, level, 0.0, 0.0, 0.0, (), replaced, 0.5, 0, (), Brain(None, (), 0.0), (), links
    )


def audit(scans: int = 8, name: str = "sub-%04d_T1w.nii.gz") -> AuditReport:
    """Every fourth scan fails, is recognised, or cannot be read; the others pass."""
    verdicts = []
    for k in range(scans):
        path = name % k
        if k % 4 == 3:
            why = (Reason("unreadable", "the file is truncated"),)
            verdicts.append(Verdict(path, "unsure", why, ("look at it",), error="truncated"))
        elif k % 4 == 0:
            link = Link("originals", 1.0, 20, "as-is", 2.5, 1)
            verdicts.append(judge(path, _findings(0.7, link), ("photographs (no --photos)",)))
        else:
            found = _findings(0.02, Link("originals", 9.0, 20, "as-is", -1.0, 1), replaced="cut")
            verdicts.append(judge(path, found, ("photographs (no --photos)",)))
    unseen = Verdict("x/a.dcm", "not_examined", (Reason("not_examined", "DICOM"),), ("convert it",))
    return AuditReport(
        tuple(verdicts), 0.0, remarks(verdicts), ("sub-secret: no face was found",), (unseen,),
        {"*.mif": ("b.mif",)},
    )  # fmt: skip


def comparison() -> Comparison:
    """70 of 84 found before, one of 84 after."""
    a, b = np.arange(84) < 70, np.arange(84) == 3
    return Comparison(
        "photo-to-scan",
        tuple(f"sub-{k:04d}" for k in range(84)),
        2,
        1,
        tuple(np.where(a, 1.0, 7.0)),
        tuple(np.where(b, 1.0, 20.0)),
        tuple(compare_paired(a * 1.0, b * 1.0, k) for k in (1, 5)),
        {"series": ["<T1w>", None]},
        ("In-silico: the people are synthetic.",),
    )


def benchmark(people: int = 24) -> BenchmarkResult:
    """Three methods and intact scans; one tool failed on scans, one was not run."""
    strengths = {"intact": 0.6, "deface": 0.02, "reface": 0.0, "slowtool": 0.2}
    attacks = [
        Attack(method, search, "completed", "sface", "centred", study(people, strength))
        for method, strength in strengths.items()
        for search in SEARCHES
        if (method, search) != ("intact", SEARCHES[1])
    ]
    lost = (("sub-lost_T1w.nii.gz", "slowtool: was stopped after 1200 s"),)
    scans, digest = 2 * people, "ab" * 32
    methods = (
        MethodRun("intact", "", "", scans, scans, brain_voxels=0, brain_scans=0),
        MethodRun("deface", "0.1", digest, scans, scans, 2.1, 2.0, 400.0, 0, 0),
        MethodRun("reface", "0.1", digest, scans, scans, 2.9, 2.7, 450.0, 0, 0),
        MethodRun(
            "slowtool", "2.1.0", digest, scans, scans - 1, 45.0, 44.0, 250.0, 912, 3, 1, lost
        ),
    )
    cohort = {"preset": "article", "seed": 2027, "people": people, "series": ["T1w", "FLAIR"]}
    settings = {"cohort": cohort, "recognisers": ["sface"], "faces": ["completed"]}
    missing = (MissingPeer("mede", "works on folders"),)
    note = "In-silico: the people are synthetic."
    return BenchmarkResult(people, methods, missing, tuple(attacks), settings, VERSIONS, note)
