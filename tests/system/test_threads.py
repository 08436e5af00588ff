"""Work beside the main thread keeps its order and its results."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from faceblind.head.alignment import align
from faceblind.head.skin import find_skin
from faceblind.system.threads import VARIABLE, begun, map_threads
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import simulate


def test_the_first_item_is_made_beside_and_the_others_when_asked_for():
    started, makers = threading.Event(), []

    def items():
        for number in range(3):
            makers.append(threading.get_ident())
            started.set()
            yield number

    found = begun(items())
    assert started.wait(10)
    assert list(found) == [0, 1, 2]
    assert makers[0] != threading.get_ident()
    assert makers[1:] == [threading.get_ident()] * 2


def test_an_error_beside_comes_out_where_the_item_is_used():
    def items():
        raise ValueError("no air")
        yield

    found = begun(items())
    with pytest.raises(ValueError, match="no air"):
        next(found)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_mapped_results_keep_the_order_of_the_items(monkeypatch, threads):
    monkeypatch.setenv(VARIABLE, threads)
    assert map_threads(lambda n: n * n, list(range(20))) == [n * n for n in range(20)]
    assert map_threads(str, []) == []


def test_a_head_lies_in_the_same_place_for_any_number_of_threads(monkeypatch):
    scan = simulate(sample_person(5, 0), ScannerSettings(spacing_mm=3.0)).scan
    skin = find_skin(scan)
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv(VARIABLE, threads)
        found.append(align(skin, scan).scan_to_template)
    assert np.array_equal(*found)


@pytest.mark.parametrize("chosen", [None, "2"])
def test_the_command_lets_linear_algebra_use_one_thread_unless_told_otherwise(chosen):
    code = (
        "import sys; from faceblind.cli.main import main\n"
        "sys.argv = ['faceblind', '--version']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "import numpy, threadpoolctl\n"
        "print({one['num_threads'] for one in threadpoolctl.threadpool_info()})"
    )
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    if chosen:
        environment["OPENBLAS_NUM_THREADS"] = chosen
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    expected = {min(int(chosen or 1), os.cpu_count() or 1)}
    assert done.stdout.splitlines()[-1] == str(expected)
