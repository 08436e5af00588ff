"""Ask independent tools, made for real heads, what they think of the synthetic volunteers.

    python bench/judges.py [-n 6] [--seed 0] [--python OTHER/bin/python] [--skip synthstrip ...]

The tools are not among this package's extras: ``pip install radveil niimath pydeface deepbet`` in
an environment of their own, and give its Python. A judge that is not there is left out with a
message; one that fails counts as wrong and has no value. Each volunteer gets one "T1w" scan with
default settings; the tools see the file only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from brain_tools import PROGRAMS, dice
from faceblind.errors import FaceblindError
from faceblind.face.cameras import DEFAULT_CAMERAS
from faceblind.face.pipeline import reconstruct_head, render_face
from faceblind.formats import nifti
from faceblind.recognition.detection import detect_faces
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.simulate import ScanTruth, simulate

FRONT = next(i for i, c in enumerate(DEFAULT_CAMERAS) if c.yaw == 0 and c.pitch == 0)

Report = dict[str, Any]
Judge = Callable[[str, Path, ScanTruth], Report]

_FIND = (
    "import json, radveil, sys\n"
    "try: r = radveil.deface_auto(sys.argv[1], sys.argv[2])\n"
    "except Exception as error: r = {'error': str(error)}\n"
    "views = [v['score'] for v in r.get('views', [])]\n"
    "print(json.dumps({'views': views, 'fallback': bool(r.get('fallback_used', True)),"
    " 'eyes_mm': r.get('eye_dist_mm'), 'error': r.get('error')}))"
)
_TEMPLATES = (
    "import pathlib, importlib.util as u\n"
    "print(pathlib.Path(u.find_spec('pydeface').origin).parent / 'data')"
)


class AbsentError(Exception):
    """A judge is not installed."""


def ask(python: str, code: str, *arguments: object, needs: str) -> str:
    """Run a snippet with the other Python; gives its last line."""
    if subprocess.run([python, "-c", f"import {needs}"], capture_output=True).returncode:
        raise AbsentError(f"{needs} is not installed in that environment")
    done = subprocess.run(
        [python, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    lines = done.stdout.strip().splitlines()
    return lines[-1] if lines else ""


def brain(python: str, scan: Path, truth: ScanTruth, module: str) -> Report:
    """Brain by deepbet or SynthStrip; both count the fluid around it."""
    out = scan.with_name(f"{module}.nii.gz")
    ask(python, PROGRAMS[module], scan, out, needs=module)
    value = dice(nifti.load(out).volume() > 0, truth.brain | truth.fluid)
    return {"good": value >= 0.95, "value": value}


def radveil(python: str, scan: Path, truth: ScanTruth) -> Report:  # noqa: ARG001
    """Whether RadVeil's own detector finds the face; the value is its mean score."""
    found = json.loads(ask(python, _FIND, scan, scan.with_name("veil.nii.gz"), needs="radveil"))
    views = found["views"]
    return {"good": bool(views) and not found["fallback"], "value": float(np.mean(views or [0]))}


def niimath(python: str, scan: Path, truth: ScanTruth) -> Report:
    """Whether pydeface's mask lands rightly; the value is the share of the brain lost.

    Rightly: at most 0.1 % of the brain is lost, the nose and the mouth are gone, and the vertex
    and the back of the head stay.
    """
    tool = Path(python).with_name("niimath")
    if not tool.exists():
        raise AbsentError("niimath is not installed in that environment")
    data = Path(ask(python, _TEMPLATES, needs="pydeface"))
    out = scan.with_name("niimath.nii.gz")
    subprocess.run(
        [tool, scan, "-deface", data / "mean_reg2mean.nii.gz", data / "facemask.nii.gz", out],
        capture_output=True, check=True,
    )  # fmt: skip
    gone = (nifti.load(out).volume() == 0) & (truth.scan.volume() > 0)

    def removed(landmark: str) -> float:
        index = np.rint(truth.scan.index(truth.landmarks[landmark][None])[0]).astype(int)
        block = gone[tuple(slice(max(i - 2, 0), i + 3) for i in index)]
        return float(block.mean()) if block.size else 0.0

    lost = float((gone & truth.brain).sum() / truth.brain.sum())
    right = min(removed("pronasale"), removed("stomion")) > 0.9
    right &= max(removed("opisthocranion"), removed("inion")) < 0.1
    return {"good": bool(right and lost < 0.001), "value": lost}


def yunet(python: str, scan: Path, truth: ScanTruth) -> Report:  # noqa: ARG001
    """Share of frontal renders of the skin in which YuNet finds a face."""
    try:
        head = reconstruct_head(truth.scan)
    except FaceblindError:
        return {"good": False, "value": 0.0}
    images = render_face(head.completed).images
    frontal = images[FRONT]
    share = float(np.mean([bool(detect_faces(image)) for image in frontal]))
    return {"good": share == 1, "value": share}


JUDGES: dict[str, tuple[Judge, str]] = {
    "synthstrip": (partial(brain, module="radveil"), "SynthStrip (RadVeil) finds the brain, Dice"),
    "deepbet": (partial(brain, module="deepbet"), "deepbet finds the brain, Dice"),
    "radveil": (radveil, "RadVeil finds the face, score"),
    "niimath": (niimath, "niimath -deface lands rightly, brain lost"),
    "yunet": (yunet, "YuNet finds frontal renders, share"),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--skip", nargs="*", default=[], choices=list(JUDGES))
    options = parser.parse_args()
    reports: dict[str, list[Report]] = {}
    absent: dict[str, str] = {}
    for index in range(options.n):
        truth = simulate(sample_person(options.seed, index))
        with tempfile.TemporaryDirectory() as folder:
            scan = Path(folder) / "scan.nii.gz"
            nifti.save(truth.scan, scan)
            for name, (judge, _) in JUDGES.items():
                if name in options.skip or name in absent:
                    continue
                start = time.perf_counter()
                try:
                    report = judge(options.python, scan, truth)
                except AbsentError as error:
                    absent[name] = str(error)
                    continue
                except subprocess.CalledProcessError as error:
                    print(index, name, "failed:", error.stderr, file=sys.stderr, flush=True)
                    report = {"good": False, "value": float("nan")}
                report["seconds"] = time.perf_counter() - start
                reports.setdefault(name, []).append(report)
                print(index, name, report, file=sys.stderr, flush=True)
    print("| judge | good | least, median, greatest | s each |\n|---|---|---|---|")
    for name, found in reports.items():
        values = [r["value"] for r in found if np.isfinite(r["value"])] or [float("nan")]
        spread = f"{min(values):.3f}, {statistics.median(values):.3f}, {max(values):.3f}"
        good = sum(r["good"] for r in found)
        seconds = statistics.median(r["seconds"] for r in found)
        print(f"| {JUDGES[name][1]} | {good}/{len(found)} | {spread} | {seconds:.0f} |")
    for name, why in absent.items():
        print(f"\n{JUDGES[name][1]}: left out, {why}.")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
