"""Time a cohort of volunteers and see how real it is: detection, spread of shapes, proportions.

Run ``python bench/volunteers.py [-n 84] [--seed 0] [--jobs 2] [--preset plain] [--keep FOLDER]``.
Detection is OpenCV's own YuNet on the network that ships with the package.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import cv2

from faceblind.volunteers.cohort import make_volunteers
from faceblind.volunteers.people.anthropometry import compare
from faceblind.volunteers.people.face_distances import distances
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.photographs.camera import VIEWS
from faceblind.volunteers.photographs.photograph import photograph
from faceblind.volunteers.presets import PRESETS, Preset, preset
from faceblind.volunteers.scanner.simulate import simulate

SCORES = (0.9, 0.6)
"""OpenCV's default threshold, and the one at which this package takes a photograph."""


def processor_seconds(seed: int, chosen: Preset) -> None:
    """CPU time of one volunteer's parts, without the first use's compilation."""
    cv2.setNumThreads(1)
    parts = {
        "five photographs": lambda person: photograph(person, chosen.camera),
        "scan": lambda person: simulate(person, chosen.scanner),
    }
    for name, work in parts.items():
        work(sample_person(seed, 0, chosen.people))
        times = []
        for index in range(1, 6):
            start = time.process_time()
            work(sample_person(seed, index, chosen.people))
            times.append(time.process_time() - start)
        print(f"| {name}, CPU | {statistics.median(times):.1f} s |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| peak memory | {peak:.0f} MB |")


def detection(root: Path, names: Sequence[str]) -> None:
    """Share of photographs in which YuNet finds a face."""
    # OpenCV 5 warns once per picture that it chose another backend.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    model = str(files("faceblind") / "data" / "models" / "face_detection_yunet_2023mar.onnx")
    for view in VIEWS:
        found = []
        for name in names:
            picture = cv2.imread(str(root / "photos" / f"{name}_{view}.jpg"))
            detector = cv2.FaceDetectorYN.create(model, "", picture.shape[1::-1], SCORES[-1])
            faces = detector.detect(picture)[1]
            found.append(0.0 if faces is None else float(faces[:, -1].max()))
        counts = ", ".join(f"{sum(s >= score for s in found)}" for score in SCORES)
        print(f"| YuNet finds a face, {view}, at {SCORES[0]} and {SCORES[1]} "
              f"| {counts} of {len(names)} |")  # fmt: skip


def anthropometry(seed: int, n: int, chosen: Preset) -> None:
    """Mean and standard deviation of each measure beside the published ones, mm."""
    people = [sample_person(seed, index, chosen.people) for index in range(n)]
    print("\n| measure | sex | published | ours |\n|---|---|---|---|")
    for row in compare([p.measures() for p in people], [p.sex for p in people]):
        print(f"| {row.measure} | {row.sex} | {row.target_mean:.1f} ± {row.target_sd:.1f} "
              f"| {row.mean:.1f} ± {row.sd:.1f} |")  # fmt: skip


def apart(seed: int, n: int, chosen: Preset) -> None:
    """Root mean square distances of faces, rigidly aligned."""
    people = [sample_person(seed, index, chosen.people) for index in range(n)]
    figures = distances(people).quantiles()
    text = ", ".join(f"{name} {value:.1f}" for name, value in figures.items())
    print(f"| distances of two faces among {n}, mm | {text} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=84)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--preset", choices=PRESETS, default="plain")
    parser.add_argument("--shapes", type=int, default=500)
    options = parser.parse_args()
    print("| what | figure |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep or Path(folder)
        start = time.perf_counter()
        cohort = make_volunteers(root, options.n, options.seed, options.jobs, preset=options.preset)
        if cohort.made == options.n:
            seconds = time.perf_counter() - start
            print(f"| {options.n} volunteers, {options.jobs} processes | {seconds:.0f} s |")
        detection(cohort.root, cohort.participants)
    chosen = preset(options.preset)
    apart(options.seed, options.n, chosen)
    processor_seconds(options.seed, chosen)
    anthropometry(options.seed, options.shapes, chosen)


if __name__ == "__main__":
    main()
