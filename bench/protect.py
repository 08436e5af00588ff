"""What protection costs, what it leaves of the face, and whether it spares the brain.

``python bench/protect.py speed SCAN...`` times both methods and every other tool installed.
``python bench/protect.py cohort FOLDER [-n 84] [--seed 0] [--jobs 2]`` makes volunteers in FOLDER,
protects them, and counts changed brain voxels, faces that YuNet still finds, and people that are
still linked to their own original scan or found by their photographs.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import faceblind
from faceblind.errors import FaceblindError
from faceblind.features import render_face, show_head
from faceblind.link import link
from faceblind.protect import external
from faceblind.recognition.detect import detect_faces

METHODS = ("deface", "reface")


def timed(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak MB of a command."""
    code = (
        "import json, resource, subprocess, sys, time; start = time.perf_counter();"
        "rc = subprocess.run(sys.argv[1:], capture_output=True).returncode;"
        "use = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps([rc, time.perf_counter() - start, use.ru_utime + use.ru_stime,"
        " use.ru_maxrss / 1024]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=True
    )
    failed, wall, processor, peak = json.loads(done.stdout)
    if failed:
        raise FaceblindError("the command failed")
    return wall, processor, peak


def speed(scans: list[Path]) -> None:
    """Print one row for each scan and tool; the first run of each is not counted."""
    print("| scan | tool | wall s | CPU s | peak MB |\n| --- | --- | --- | --- | --- |")
    for scan in scans:
        for name, make in commands(scan).items():
            try:
                rows = []
                for _ in range(4):
                    with tempfile.TemporaryDirectory() as folder:
                        rows.append(timed(make(Path(folder) / "out.nii.gz")))
            except FaceblindError:
                print(f"| {scan.name} | {name} | failed | | |")
                continue
            wall, processor, peak = np.median(rows[1:], axis=0)
            print(f"| {scan.name} | {name} | {wall:.1f} | {processor:.1f} | {peak:.0f} |")


def commands(scan: Path) -> dict[str, Callable[[Path], list[str]]]:
    """Command lines by tool, each a function of the output."""

    def ours(method: str) -> Callable[[Path], list[str]]:
        start = [sys.executable, "-m", "faceblind.cli.main", method, "--force", str(scan)]
        return lambda target: [*start, str(target)]

    def theirs(tool: external.Tool) -> Callable[[Path], list[str]]:
        return lambda target: tool.command(scan, target, None)

    found = {f"faceblind {method}": ours(method) for method in METHODS}
    return found | {t.name: theirs(t) for t in external.installed() if not t.needs_brain}


def changed_brain(before: Path, after: Path, truth: Path) -> int:
    """Voxels of the true brain that differ in the stored numbers."""
    first, second = faceblind.load(before), faceblind.load(after)
    brain = faceblind.load(truth).volume() > 0
    return int((brain & (first.stored.raw != second.stored.raw)).sum())


def faces_found(scan: Path) -> int:
    """Renders (of 81) in which YuNet finds a face at its default threshold."""
    try:
        head = show_head(faceblind.load(scan))
    except FaceblindError:
        return 0
    images = render_face(head.as_is).images
    pictures = images.reshape(-1, *images.shape[2:])
    return sum(
        any(found.score >= 0.9 for found in detect_faces(np.repeat(p[..., None], 3, axis=2)))
        for p in pictures
    )


def cohort(folder: Path, n: int, seed: int, jobs: int) -> None:
    """Protect synthetic people by both methods and attack the result."""
    people = folder / "people"
    faceblind.make_volunteers(people, n=n, seed=seed, n_jobs=jobs)
    for method in METHODS:
        out = folder / method
        start = time.perf_counter()
        settings = faceblind.ProtectSettings(method, force=True)
        done = faceblind.protect_folder(people / "scans", out, settings, n_jobs=jobs)
        seconds = (time.perf_counter() - start) / len(done)
        failed = [result for result in done if result.error]
        print(f"{method}: {len(done) - len(failed)} of {len(done)}, {seconds:.1f} s each")
        for result in failed:
            print(f"  failed: {result.error}")
        good = [result for result in done if result.target]
        harm = [changed_brain(r.source, r.target, truth_of(people, r.source)) for r in good]
        print(f"  brain voxels changed: {sum(harm)} in {np.count_nonzero(harm)} scans")
        some = good[:: max(1, len(good) // 12)]
        print(f"  renders with a face: {[faces_found(r.target) for r in some]} of 81")
        for variant in ("completed", "as-is"):
            found = link(out, people / "scans", folder / f"link-{method}-{variant}",
                         variant=variant, n_jobs=jobs, force=True)  # fmt: skip
            print(f"  scan-to-scan, {variant}: rank 1 {json.dumps(found.summary()['rank1'])}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")


def truth_of(people: Path, scan: Path) -> Path:
    """True brain of a volunteer's scan."""
    label = next(part for part in scan.parts if part.startswith("sub-"))
    return people / "truth" / label / "brain.nii.gz"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("speed").add_argument("scans", nargs="+", type=Path)
    many = verbs.add_parser("cohort")
    many.add_argument("folder", type=Path)
    many.add_argument("-n", type=int, default=84)
    many.add_argument("--seed", type=int, default=0)
    many.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.verb == "speed":
        speed(chosen.scans)
    else:
        cohort(chosen.folder, chosen.n, chosen.seed, chosen.jobs)


if __name__ == "__main__":
    main()
