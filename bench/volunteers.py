"""Time a cohort of volunteers and see how real it is: detection, spread of shapes, proportions.

Run ``python bench/volunteers.py [-n 84] [--seed 0] [--jobs 2] [--keep FOLDER]``. Detection is
OpenCV's own YuNet at its default threshold (0.9), on the network that ships with the package.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np

from faceblind.head.model import HeadModel
from faceblind.head.template import load_template
from faceblind.volunteers.cohort import make_volunteers
from faceblind.volunteers.mri import simulate
from faceblind.volunteers.photograph import VIEWS, photograph
from faceblind.volunteers.shape import sample_person

FACE = ("face", "brow", "eyes", "nose", "mouth", "chin", "cheeks")


def processor_seconds(seed: int) -> None:
    """CPU time of one volunteer's parts, without the first use's compilation."""
    cv2.setNumThreads(1)
    parts = {"five photographs": photograph, "scan": simulate}
    for name, work in parts.items():
        work(sample_person(seed, 0))
        times = []
        for index in range(1, 6):
            start = time.process_time()
            work(sample_person(seed, index))
            times.append(time.process_time() - start)
        print(f"| {name}, CPU | {statistics.median(times):.1f} s |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| peak memory | {peak:.0f} MB |")


def detection(root: Path, names: tuple[str, ...]) -> None:
    """Share of photographs in which YuNet finds a face."""
    # OpenCV 5 warns once per picture that it chose another backend.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    model = str(files("faceblind") / "data" / "models" / "face_detection_yunet_2023mar.onnx")
    for view in VIEWS:
        found = 0
        for name in names:
            picture = cv2.imread(str(root / "photos" / f"{name}_{view}.jpg"))
            detector = cv2.FaceDetectorYN.create(model, "", picture.shape[1::-1], 0.9)
            faces = detector.detect(picture)[1]
            found += faces is not None
        print(f"| YuNet finds a face, {view} | {found}/{len(names)} |")


def distances(seed: int, n: int) -> None:
    """Root mean square distance of two faces, vertex by vertex, rigidly aligned."""
    model, template = HeadModel.load(), load_template()
    mask = template.region(*FACE) & (template.points[:, 1] > 20)
    people = []
    for index in range(n):
        points = model.outer_skin(sample_person(seed, index).points(model.closed_eyes))
        people.append(points[mask].astype(np.float64))
    people = [p - p.mean(axis=0) for p in people]
    values = []
    for i, a in enumerate(people):
        for b in people[:i]:
            u, _, v = np.linalg.svd(a.T @ b)
            flip = np.diag([1, 1, np.sign(np.linalg.det(u @ v))])
            values.append(np.sqrt(((a @ (u @ flip @ v) - b) ** 2).sum(axis=1).mean()))
    low, p5, p50, p95 = (np.percentile(values, q) for q in (0, 5, 50, 95))
    print(
        f"| distance of two faces: least, 5 %, median, 95 % "
        f"| {low:.1f}, {p5:.1f}, {p50:.1f}, {p95:.1f} mm |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=84)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    print("| what | figure |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep or Path(folder)
        start = time.perf_counter()
        cohort = make_volunteers(root, options.n, options.seed, options.jobs)
        if cohort.made == options.n:
            seconds = time.perf_counter() - start
            print(f"| {options.n} volunteers, {options.jobs} processes | {seconds:.0f} s |")
        detection(cohort.root, cohort.participants)
    distances(options.seed, options.n)
    processor_seconds(options.seed)


if __name__ == "__main__":
    main()
