"""One league table of defacing methods, on a cohort of synthetic people that never changes."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faceblind._version import __version__, software_versions
from faceblind.datasets.photographs import read_photos_table
from faceblind.errors import FaceblindError
from faceblind.face.cameras import DEFAULT_CAMERAS
from faceblind.face.reconstruction import Variant
from faceblind.identification.recipe import lights_of
from faceblind.recognition.registry import RECOGNISERS, check_recogniser
from faceblind.system.code import code_digest
from faceblind.system.outputs import PRIVATE, prepare_output, private_dir
from faceblind.system.tables import write_tsv
from faceblind.volunteers.cohort import Cohort, make_volunteers
from faceblind.workflows.benchmark_outputs import write_league
from faceblind.workflows.benchmark_protect import EQUAL, BenchmarkScan, protect_all
from faceblind.workflows.benchmark_result import Attack, BenchmarkResult, MethodRun
from faceblind.workflows.benchmark_search import INTACT, Enrolled, Extraction, attacks_on
from faceblind.workflows.peers import TIMEOUT_S, Peer, find_peers
from faceblind.workflows.study_material import IN_SILICO

PRESET, SEED = "article", 2027
"""The cohort: settings that find as many as a published experiment, and a seed that nothing was
tuned on. A change of either makes another benchmark."""
SERIES = ("T1w", "FLAIR")
"""What is published, and the second protected series of the same people."""
FEWEST = 4
"""People. With fewer, guessing finds as many as an attack."""


def benchmark(
    out: str | Path,
    n: int = 12,
    *,
    peers: Sequence[str] = (),
    recognisers: Sequence[str] | None = None,
    variants: Sequence[Variant] = ("completed",),
    timeout_s: float = TIMEOUT_S,
    n_jobs: int = -1,
    force: bool = False,
    show_progress: bool = True,
) -> BenchmarkResult:
    """Protect the same synthetic people by every method at hand, and count who is still found.

    Parameters
    ----------
    out : path
        The league table as ``league.csv``, ``league.md`` and ``league.json``; scans, photographs
        and ranks of people go to ``private/`` in it. A second run resumes there.
    n : int
        People of the frozen cohort, 4 or more. More people begin with the same ones.
    peers : sequence of str
        ``NAME=COMMAND`` of further tools; ``{source}``, ``{target}`` and ``{brain}`` in the
        command stand for paths of NIfTI files. Known tools are found on the search path.
    recognisers : sequence of str, optional
        By default each that is installed.
    variants : sequence of {"completed", "as-is"}
        Faces that recognisers see.
    timeout_s : float
        Seconds that a tool may take for one scan.
    n_jobs : int
        Processes that make volunteers and features; -1 for all processors. Protection runs one
        scan at a time, so that times can be compared.
    force : bool
        Write into a folder that holds other things.
    show_progress : bool
        A bar on a terminal, log lines elsewhere.

    Returns
    -------
    BenchmarkResult

    Raises
    ------
    FaceblindError
        If an argument or the output cannot be used. A tool that fails raises nothing: it is in
        the table, with the number of scans on which it failed.
    """
    if n < FEWEST:
        raise FaceblindError(f"benchmark: expected {FEWEST} people or more, got {n}")
    chosen = tuple(dict.fromkeys(installed_recognisers() if recognisers is None else recognisers))
    for name in chosen:
        check_recogniser(name)
    if not chosen or not variants or timeout_s <= 0:
        raise FaceblindError("benchmark: expected a recogniser, a face and a time above 0 s")
    found, missing = find_peers(peers)
    root = prepare_output(out, "benchmark", force=force)
    private = private_dir(root / PRIVATE)
    cohort = make_volunteers(
        private / "volunteers", n, SEED, n_jobs, preset=PRESET, protocols=SERIES,
        show_progress=show_progress,
    )  # fmt: skip
    how = Extraction(
        chosen, tuple(dict.fromkeys(variants)), private / "cache", n_jobs, show_progress
    )
    runs, attacks = _all_methods(
        (*own_methods(), *found), scans_of(cohort), cohort, how, private / "protected", timeout_s
    )
    result = BenchmarkResult(
        n, tuple(runs), missing, tuple(attacks), _settings(n, how, timeout_s),
        software_versions(), IN_SILICO,
    )  # fmt: skip
    commands = [{**asdict(one), "command": " ".join(one.command)} for one in found]
    write_tsv(private / "peers.tsv", commands, ("name", "command", "version", "digest"))
    write_league(root, private, result)
    return result


def installed_recognisers() -> tuple[str, ...]:
    """Recognisers that need no file of the user and can be loaded here."""
    modules = {"dlib": "dlib"}
    return tuple(
        name
        for name in RECOGNISERS
        if name not in modules or importlib.util.find_spec(modules[name]) is not None
    )


def own_methods() -> tuple[Peer, ...]:
    """Own methods as programs, so that they are measured as all others are."""
    # The installed command line as a program of its own; nothing of it is imported here.
    start = (sys.executable, "-c", "from faceblind.cli.main import main; main()")
    return tuple(
        Peer(name, (*start, name, "{source}", "{target}", "--quiet"), __version__, code_digest())
        for name in ("deface", "reface")
    )


def scans_of(cohort: Cohort) -> list[BenchmarkScan]:
    """The scans of the cohort, in the order of people and series.

    Parameters
    ----------
    cohort : Cohort
    """
    return [
        BenchmarkScan(
            person,
            series,
            cohort.scans / person / "anat" / f"{person}_{series}.nii.gz",
            cohort.root / "truth" / person / series / "brain.nii.gz",
        )
        for person in cohort.participants
        for series in SERIES
    ]


def _all_methods(
    methods: Sequence[Peer],
    scans: Sequence[BenchmarkScan],
    cohort: Cohort,
    how: Extraction,
    folder: Path,
    timeout_s: float,
) -> tuple[list[MethodRun], list[Attack]]:
    protected: dict[str, dict[tuple[str, str], Path]] = {
        INTACT: {(scan.person, scan.series): scan.path for scan in scans}
    }
    runs = [MethodRun(INTACT, "", "", len(scans), len(scans), brain_voxels=0, brain_scans=0)]
    # All protections first: features that are made meanwhile would disturb their times.
    for method in methods:
        run, paths = protect_all(method, scans, folder / method.name, timeout_s, how.show)
        runs.append(run)
        protected[method.name] = paths
    photographs, lost = how.photographs(read_photos_table(cohort.photographs))
    intact, unseen = how.scans(protected[INTACT], INTACT)
    originals = Enrolled(intact, photographs, {**unseen, **lost})
    attacks: list[Attack] = []
    for name, paths in protected.items():
        shown, failed = (intact, unseen) if name == INTACT else how.scans(paths, name)
        persons = {s: [who for who, its in paths if its == s] for s in SERIES}
        left = Enrolled(shown, photographs, failed)
        attacks += attacks_on(name, how, SERIES, originals, left, persons)
    return runs, attacks


def _settings(n: int, how: Extraction, timeout_s: float) -> dict[str, Any]:
    return {
        "cohort": {"preset": PRESET, "seed": SEED, "people": n, "series": list(SERIES)},
        "recognisers": [Path(name).name for name in how.recognisers],
        "faces": list(how.variants),
        "cameras": len(DEFAULT_CAMERAS),
        "lights": {Path(name).name: len(lights_of(name)) for name in how.recognisers},
        "timeout_s": timeout_s,
        "brain_tolerance": EQUAL,
    }
