"""Time and memory of one scan from file to embeddings, station by station.

/usr/bin/time -v python bench/features.py SCAN
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from faceblind.face.pipeline import render_face, render_list
from faceblind.face.reconstruction import reconstruct
from faceblind.formats import load
from faceblind.head.alignment import align
from faceblind.head.skin import find_skin
from faceblind.identification.recipe import lights_of
from faceblind.recognition.registry import DEFAULT_RECOGNISER, get_recogniser

Value = TypeVar("Value")


def timed(name: str, work: Callable[[], Value]) -> Value:
    """Run `work` and print its wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    value = work()
    print(f"{name:12s} {time.perf_counter() - wall:6.2f} s {time.process_time() - cpu:6.2f} s CPU")
    return value


def main() -> None:
    """Measure one scan."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan", type=Path)
    path = parser.parse_args().scan
    start, cpu = time.perf_counter(), time.process_time()
    scan = timed("load", lambda: load(path))
    skin = timed("skin", lambda: find_skin(scan))
    found = timed("alignment", lambda: align(skin, scan))
    _, completed = timed("face", lambda: reconstruct(skin, found))
    renders = timed("renders", lambda: render_face(completed, lights_of(DEFAULT_RECOGNISER)))
    images, landmarks = render_list(renders)
    recogniser = timed("open model", get_recogniser)
    timed("embeddings", lambda: recogniser.embed(images, landmarks))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{'all':12s} {time.perf_counter() - start:6.2f} s "
        f"{time.process_time() - cpu:6.2f} s CPU, peak memory {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()
