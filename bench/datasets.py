"""Whole datasets: a dry run of many files, a run that is killed again and again, two workers.

Run ``python bench/datasets.py dry-run``, ``kills COHORT`` or ``scaling COHORT``. COHORT is a folder
that ``faceblind volunteers`` wrote.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import evidence

FACEBLIND = (sys.executable, "-m", "faceblind.cli.main")


def public(out: Path) -> dict[str, str]:
    """Digest of each public file of an output."""
    found = {}
    for folder, inside, names in os.walk(out):
        if Path(folder) == out and "private" in inside:
            inside.remove("private")
        for name in names:
            path = Path(folder) / name
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            found[path.relative_to(out).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


def as_dataset(cohort: Path, root: Path, sessions: int) -> Path:
    """The scans of a cohort as a raw BIDS dataset; people come again until there are enough."""
    people = sorted(path for path in (cohort / "scans").iterdir() if path.is_dir())
    for number in range(sessions):
        person, label = people[number % len(people)], f"sub-{number:04d}"
        anat = root / label / "anat"
        anat.mkdir(parents=True)
        for scan in sorted((person / "anat").glob("*.nii.gz")):
            shutil.copyfile(scan, anat / scan.name.replace(person.name, label))
    (root / "dataset_description.json").write_text(
        json.dumps({"Name": "Volunteers", "BIDSVersion": "1.10.0"})
    )
    return root


def start(raw: Path, out: Path, *options: str) -> subprocess.Popen[bytes]:
    """A run into an output."""
    command = [*FACEBLIND, "bids", str(raw), str(out), "participant", "-q", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def dry_run(files: int) -> evidence.Table:
    """Time and memory of planning."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        for person in range(files // 20):
            label = f"sub-{person:05d}"
            for kind, stem in (("anat", "run-{}_T1w"), ("func", "task-a_run-{}_bold")):
                home = raw / label / kind
                home.mkdir(parents=True)
                for run in range(5):
                    for ending in (".nii.gz", ".json"):
                        (home / f"{label}_{stem.format(run)}{ending}").touch()
        (raw / "dataset_description.json").write_text("{}")
        began = time.perf_counter()
        subprocess.run(
            [*FACEBLIND, "bids", str(raw), folder + "/out", "participant", "--dry-run",
             "--layout", "publish"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wall = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    row = (files, round(wall, 2), round(used.ru_utime + used.ru_stime, 2), used.ru_maxrss // 1024)
    return evidence.Table(
        "Planning (`--dry-run`); aims: 5 s, 200 MB.",
        ("files", "wall, s", "CPU, s", "peak memory, MB"),
        (row,),
    )


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue
            if int(text.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found


class Watcher(threading.Thread):
    """Looks at the public tree again and again: every scan must be one of the reference's."""

    def __init__(self, out: Path, wanted: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.out, self.wanted, self.looks, self.faults = out, wanted, 0, 0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look until it is told to end."""
        while not self.ended.is_set():
            for name, digest in public(self.out).items():
                if name.endswith(".nii.gz"):
                    self.faults += self.wanted.get(name) != digest
            self.looks += 1
            time.sleep(0.01)


def kills(cohort: Path, count: int, sessions: int, seed: int) -> evidence.Table:
    """Kill workers and parents at random instants, then compare with a run left alone."""
    chance = random.Random(seed)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        raw = as_dataset(cohort, Path(folder) / "raw", sessions)
        start(raw, Path(folder) / "whole", "--nprocs", "1").wait()
        wanted = public(Path(folder) / "whole")
        for whom in ("parent", "worker"):
            out = Path(folder) / whom
            watcher = Watcher(out, wanted)
            watcher.start()
            struck = 0
            while struck < count:
                run = start(raw, out, "--nprocs", "2")
                time.sleep(3.0 + 8.0 * chance.random())
                # The helper that watches over shared memory is a child, too; its death is harmless.
                targets = [run.pid] if whom == "parent" else children(run.pid)
                if run.poll() is None and targets:
                    os.kill(chance.choice(targets), signal.SIGKILL)
                    struck += 1
                if whom == "parent":
                    run.wait()
                elif run.poll() is None:
                    time.sleep(1.0)
                    run.terminate()
                    run.wait()
                if watcher.looks and run.returncode in (0, 1):
                    # All done: begin anew, so that every kill strikes work.
                    shutil.rmtree(out)
            start(raw, out, "--nprocs", "1").wait()
            watcher.ended.set()
            watcher.join()
            same = "yes" if public(out) == wanted else "no"
            rows.append((whom, struck, watcher.looks, watcher.faults, same))
    return evidence.Table(
        f"Runs over {sessions} sessions killed (SIGKILL) at random instants; a watcher compares "
        "every public scan with that of a run left alone.",
        ("killed", "times", "looks", "wrong scans seen", "same tree in the end"),
        tuple(rows),
    )


def scaling(cohort: Path, sessions: int) -> evidence.Table:
    """One worker and two."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        raw = as_dataset(cohort, Path(folder) / "raw", sessions)
        for jobs in (1, 2):
            began = time.perf_counter()
            options = ("--nprocs", str(jobs), "--omp-nthreads", "1")
            start(raw, Path(folder) / str(jobs), *options).wait()
            rows.append((jobs, round(time.perf_counter() - began, 1)))
    return evidence.Table(
        f"Wall time of {sessions} sessions, one thread each; aim: two workers 1.85 times as fast.",
        ("workers", "s"),
        tuple(rows),
    )


def main() -> None:
    """Print a table, and keep it with ``--record``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("dry-run", "kills", "scaling"))
    parser.add_argument("cohort", type=Path, nargs="?")
    parser.add_argument("-n", type=int, help="files, kills or sessions")
    parser.add_argument("--sessions", type=int, default=3, help="with kills")
    parser.add_argument("--seed", type=int, default=0)
    evidence.add_option(parser)
    options = parser.parse_args()
    if options.what == "dry-run":
        table = dry_run(options.n or 10_000)
    elif options.cohort is None:
        parser.error("give the folder of a cohort")
    elif options.what == "kills":
        table = kills(options.cohort, options.n or 10, options.sessions, options.seed)
    else:
        table = scaling(options.cohort, options.n or 20)
    print(table.caption)
    print(" | ".join(table.columns))
    for row in table.rows:
        print(" | ".join(map(str, row)))
    if options.record:
        record = evidence.Record(
            f"datasets-{options.what}", f"Whole datasets: {options.what}", "cost",
            "What does a run over a whole dataset cost, and what if it is killed?",
            "bench/datasets.py", evidence.command(sys.argv), (options.seed,),
            options.what != "dry-run", (table,),
        )  # fmt: skip
        evidence.write(record)


if __name__ == "__main__":
    main()
