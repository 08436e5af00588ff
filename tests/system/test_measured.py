"""What programs cost, and how they end."""

from __future__ import annotations

import sys
import time

from faceblind.system.measured import run_measured


def python(code: str, *words: str) -> list[str]:
    return [sys.executable, "-c", code, *words]


def test_time_and_memory_are_the_programs_own():
    small = run_measured(python("import time; time.sleep(0.3)"), 60)
    large = run_measured(python("x = b'1' * 200_000_000; sum(x[::50])"), 60)
    assert small.failure == large.failure == ""
    assert small.wall_s >= 0.3
    assert small.cpu_s < 0.3
    assert small.peak_mb < 60
    assert 190 < large.peak_mb < 300


def test_words_reach_the_program_as_they_are(tmp_path):
    target = tmp_path / "a b; $HOME.txt"
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    assert run_measured(python(code, str(target), "$(id) *"), 60).failure == ""
    assert target.read_text() == "$(id) *"


def test_failures_are_one_line():
    failed = run_measured(python("import sys; print('first'); sys.exit('no face\\n\\n')"), 60)
    assert failed.failure == "ended with code 1: no face"
    assert run_measured(python("raise SystemExit(3)"), 60).failure == (
        "ended with code 3: it said nothing"
    )
    missing = run_measured(["/nowhere/program"], 60)
    assert missing.failure.startswith("could not be started: No such file")


def test_a_program_that_hangs_is_stopped_with_its_children(tmp_path):
    mark = tmp_path / "late"
    child = f"import time; time.sleep(3); open({str(mark)!r}, 'w')"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    start = time.perf_counter()
    assert run_measured(python(code), 1.0).failure == "was stopped after 1 s"
    assert time.perf_counter() - start < 2.5
    time.sleep(3)
    assert not mark.exists()
