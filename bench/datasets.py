"""Whole datasets: a dry run of many files, a run that is killed again and again, two workers.

Run ``python bench/datasets.py dry-run``, ``kills COHORT`` or ``scaling COHORT``. COHORT is a folder
that ``faceblind volunteers`` wrote, or ``cohort COHORT -n 4``: sessions of T1w and FLAIR of 2 mm.
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

import nibabel as nib
import numpy as np

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


def make_cohort(root: Path, people: int, seed: int) -> None:
    """Scan volunteers as coarsely as datasets of this benchmark need."""
    from faceblind.formats import save
    from faceblind.volunteers.people.shape import sample_person
    from faceblind.volunteers.scanner.settings import ScannerSettings
    from faceblind.volunteers.scanner.simulate import scan_session

    for index in range(people):
        label = f"sub-{index + 1:04d}"
        anat = root / "scans" / label / "anat"
        anat.mkdir(parents=True)
        settings = ScannerSettings(spacing_mm=2.0)
        session = scan_session(sample_person(seed, index), ("T1w", "FLAIR"), settings)
        for name, truth in session.items():
            save(truth.scan, anat / f"{label}_{name}.nii.gz")


def differing(source: Path, target: Path, number: int) -> None:
    """A copy of a scan with another value in a corner: no cache may take the two for one."""
    image = nib.load(source)
    voxels = np.array(image.dataobj)
    voxels[0, 0, 0] = number
    nib.save(nib.Nifti1Image(voxels, image.affine, image.header), target)


def as_dataset(cohort: Path, root: Path, sessions: int) -> Path:
    """The scans of a cohort as a raw BIDS dataset; people come again until there are enough."""
    people = sorted(path for path in (cohort / "scans").iterdir() if path.is_dir())
    for number in range(sessions):
        person, label = people[number % len(people)], f"sub-{number:04d}"
        anat = root / label / "anat"
        anat.mkdir(parents=True)
        for scan in sorted((person / "anat").glob("*.nii.gz")):
            differing(scan, anat / scan.name.replace(person.name, label), number)
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


def used_by(run: subprocess.Popen[bytes]) -> tuple[float, int]:
    """CPU seconds of a run and of all that it started, and the peak memory of one process, MB."""
    _, _, used = os.wait4(run.pid, 0)
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def scaling(cohort: Path, sessions: int) -> evidence.Table:
    """Two workers; and for a fifth of the sessions one and two, for speed and growing memory."""
    rows: list[tuple[float, ...]] = []
    # With one worker faceblind would take all processors.
    os.environ |= {"FACEBLIND_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        raw = as_dataset(cohort, Path(folder) / "raw", sessions)
        fifth = [f"{number:04d}" for number in range(max(1, sessions // 5))]
        few = ("--participant-label", *fifth)
        for jobs, count, options in (
            (1, len(fifth), few),
            (2, len(fifth), few),
            (2, sessions, ()),
        ):
            began, load = time.perf_counter(), os.getloadavg()[0]
            out = Path(folder) / f"{jobs}-{count}"
            run = start(raw, out, "--nprocs", str(jobs), "--omp-nthreads", "1", *options)
            spent, memory = used_by(run)
            wall = time.perf_counter() - began
            load = max(load, os.getloadavg()[0] - jobs)
            faster = rows[0][3] / rows[0][1] / (wall / count) if rows else 1.0
            rows.append(
                (jobs, count, len([name for name in public(out) if name.endswith(".nii.gz")]),
                 round(wall), round(faster, 2), round(spent / count, 1), memory, round(load, 1))
            )  # fmt: skip
            shutil.rmtree(out)
    return evidence.Table(
        "Protection and audit of sessions of T1w and FLAIR, one thread each; aims: two workers "
        "1.85 times as fast, 5 CPU s a session, no more memory for more sessions. Where other "
        "programs load the machine, the time on the clock tells nothing.",
        ("workers", "sessions", "scans public", "wall, s", "sessions per hour, one worker = 1",
         "CPU s a session", "peak of a process, MB", "load by others"),
        tuple(rows),
    )  # fmt: skip


def main() -> None:
    """Print a table, and keep it with ``--record``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("cohort", "dry-run", "kills", "scaling"))
    parser.add_argument("cohort", type=Path, nargs="?")
    parser.add_argument("-n", type=int, help="people, files, kills or sessions")
    parser.add_argument("--sessions", type=int, default=3, help="with kills")
    parser.add_argument("--seed", type=int, default=0)
    evidence.add_option(parser)
    options = parser.parse_args()
    if options.what == "dry-run":
        table = dry_run(options.n or 10_000)
    elif options.cohort is None:
        parser.error("give the folder of a cohort")
    elif options.what == "cohort":
        make_cohort(options.cohort, options.n or 4, options.seed)
        return
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
