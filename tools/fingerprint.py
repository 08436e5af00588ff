"""Record what faceblind makes, so that a change of the code's order is proven to change nothing.

Usage: ``python tools/fingerprint.py make OUT.json --scans FOLDER``, and with other code (only the
command line is used; ``PYTHONPATH`` decides which code runs) again, then
``python tools/fingerprint.py compare BEFORE.json AFTER.json``.

A record holds names of files, but no folder of the machine; digests of synthetic people's scans and
photographs; figures and ranks of a study of them; of both protections of every scan, alone, in its
session, and one with each option, exit status, digests of what is written, decompressed, or the
error; verdicts and scores of audits before and after; and processor seconds. A record of a few
scans (``--pick 'sub-a*' --volunteers 0``) can be set beside a full one: ``compare --common``.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

METHODS = ("deface", "reface")
SUFFIXES = (".nii", ".nii.gz", ".mgh", ".mgz", ".nrrd")
OPTIONS = ("--keep-ears", "--keep eyes", "--teeth", "--neck", "--seed 1", "--mask --keep-fiducials")
FIGURES = ("persons", "gallery_size", "rank1", "rank5", "rank10", "failed_to_enrol", "not_found")


def digest(data: bytes) -> str:
    """SHA-256 of a file's decompressed content: headers and voxels, not how they were packed."""
    return hashlib.sha256(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).hexdigest()


def digests(root: Path, pattern: str) -> dict[str, str]:
    """Digest of every file below a folder whose path matches, by its path."""
    found = sorted(root.glob(pattern))
    return {path.relative_to(root).as_posix(): digest(path.read_bytes()) for path in found}


class Recorder:
    """Runs faceblind in a folder of its own, and notes what it makes and the seconds it takes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.results: dict[str, Any] = {}
        self.cpu_seconds: dict[str, float] = {}

    def run(self, step: str, *words: str) -> dict[str, Any]:
        """Exit status and the errors, in which all paths are relative."""
        print(step, file=sys.stderr, flush=True)
        call = [sys.executable, "-m", "faceblind.cli.main", *words, "--n-jobs", "1"]
        before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        done = subprocess.run(call, cwd=self.root, capture_output=True, text=True, check=False)
        after = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        self.cpu_seconds[step] = round(after - before, 2)
        text = [line for line in done.stderr.splitlines() if "failed:" in line or "error:" in line]
        self.results[step] = {"status": done.returncode, "text": text}
        return self.results[step]

    def protect(self, step: str, sources: list[str], options: str = "") -> bool:
        """One protection, by the verb that the step begins with; whether it was done."""
        # A folder whose name ends like a scan would be taken for a file.
        out = f"out/{step} protected"
        (self.root / out).parent.mkdir(parents=True, exist_ok=True)
        found = self.run(step, step.split("/")[0], *sources, out, *options.split())
        found["sha256"] = digests(self.root / out, "**/[!.]*.*")
        return found["status"] == 0

    def audit(self, step: str, folder: str, *words: str) -> None:
        """Verdict and score of every scan in a folder."""
        (self.root / "out" / step).parent.mkdir(parents=True, exist_ok=True)
        found = self.run(step, "audit", folder, "--out", f"out/{step}", *words)
        private = self.root / "out" / step / "private" / "audit.json"
        for one in json.loads(private.read_text("utf-8")) if private.is_file() else []:
            kept = {"status": one["status"], "score": one.get("score")}
            found[one["path"]] = kept | {"text": one["reasons"]}

    def people(self, number: int, seed: int) -> None:
        """Synthetic people (T1w, and a FLAIR of the first) into ``people``, and a study of them."""
        (self.root / "people").mkdir()
        chosen = ("--preset", "article", "--seed", str(seed))
        for name, n, series in (("cohort", number, ["T1w"]), ("series", 1, ["T1w", "FLAIR"])):
            words = [word for one in series for word in ("--series", one)]
            words += [*chosen, "-n", str(n)]
            found = self.run(f"volunteers/{name}", "volunteers", name, *words)
            for part in ("scans/**/*.nii.gz", "photos/*.jpg"):
                found[part.split("/")[0]] = digests(self.root / name, part)
            for path in self.root.glob(f"{name}/scans/**/*_{series[-1]}.nii.gz"):
                shutil.copy(path, self.root / "people")
        found = self.run("study", "study", "cohort/scans", "cohort/photos.tsv", "study")
        summary = json.loads((self.root / "study" / "summary.json").read_text("utf-8"))
        found["figures"] = {name: summary.get(name) for name in FIGURES}
        ranks = (self.root / "study" / "private" / "ranks.tsv").read_text("utf-8")
        only = "\n".join("\t".join(line.split("\t")[:2]) for line in ranks.splitlines())
        found |= {"ranks": digest(only.encode()), "ranks and scores": digest(ranks.encode())}

    def group(self, group: str, *links: str) -> None:
        """Protect every scan of a folder, its sessions, and one with each option; audit all."""
        names = sorted(path.name for path in (self.root / group).iterdir())
        self.audit(f"audit/{group}", group)
        for method in METHODS:
            done = [n for n in names if self.protect(f"{method}/{group}/{n}", [f"{group}/{n}"])]
            for key in sorted({name.rpartition("_")[0] for name in names}):
                files = [f"{group}/{name}" for name in names if name.rpartition("_")[0] == key]
                if len(files) > 1:
                    self.protect(f"{method}/{group} session/{key}", files, "--session")
            last, made = (done or names)[-1], f"{method}d {group}"
            for option in OPTIONS:
                self.protect(f"{method}/{group} {option}/{last}", [f"{group}/{last}"], option)
            (self.root / made).mkdir()
            for n in done:
                shutil.copy(self.root / f"out/{method}/{group}/{n} protected" / n, self.root / made)
            self.audit(f"audit/{made}", made, *links)


def make(given: argparse.Namespace) -> int:
    """Record everything into a JSON file."""
    for name in ("OMP_NUM_THREADS", "FACEBLIND_THREADS"):
        os.environ.setdefault(name, "1")
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder))
        if given.scans:
            (Path(folder) / "scans").mkdir()
            for path in (p for p in given.scans.iterdir() if p.name.endswith(SUFFIXES)):
                if any(fnmatch(path.name, pattern) for pattern in given.pick or ["*"]):
                    shutil.copy(path, Path(folder) / "scans")
            recorder.group("scans")
        if given.volunteers:
            recorder.people(given.volunteers, given.seed)
            recorder.group("people", "--originals", "people", "--photos", "cohort/photos.tsv")
    record = {"results": recorder.results, "cpu_seconds": recorder.cpu_seconds}
    given.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(f"{len(recorder.results)} steps, {sum(recorder.cpu_seconds.values()):.0f} CPU s")
    return 0


def leaves(tree: Any, at: str = "") -> dict[str, Any]:
    """Every value of a nested record by its path."""
    if not isinstance(tree, dict):
        return {at: tree}
    return {k: v for name, sub in tree.items() for k, v in leaves(sub, f"{at} > {name}").items()}


def differences(
    before: dict[str, Any], after: dict[str, Any], tolerance: float, text: bool, common: bool
) -> list[str]:
    """A line for each value of two results that differs; scores may, by no more than `tolerance`.

    Errors and reasons count with `text`, values that one of the two lacks without `common`.
    """
    first, second = leaves(before), leaves(after)
    lines = []
    for key in sorted({*first, *second}):
        old, new = first.get(key, "(absent)"), second.get(key, "(absent)")
        if (not text and key.endswith(" > text")) or (common and "(absent)" in (old, new)):
            continue
        scores = key.endswith(" > score") and isinstance(old, float) and isinstance(new, float)
        if old != new and not (scores and abs(new - old) <= tolerance):
            lines.append(f"{key.removeprefix(' > ')}: {old} -> {new}")
    return lines


def compare(given: argparse.Namespace) -> int:
    """Print what differs between two records and the seconds they took; 1 if anything differs."""
    old, new = (json.loads(path.read_text("utf-8")) for path in (given.before, given.after))
    allowed = (given.score_tolerance, not given.ignore_text, given.common)
    lines = differences(old["results"], new["results"], *allowed)
    print("\n".join(lines))
    seconds = [record["cpu_seconds"] for record in (old, new)]
    steps = seconds[0].keys() & seconds[1].keys()
    for verb in sorted({step.split("/")[0] for step in steps}):
        sums = [sum(s[step] for step in steps if step.split("/")[0] == verb) for s in seconds]
        print(f"{verb}: {sums[0]:.0f} -> {sums[1]:.0f} CPU s")
    print(f"{len(lines)} differences, {len(steps)} common steps")
    return 1 if lines else 0


def main(argv: list[str] | None = None) -> int:
    """Run one of the two verbs; return an exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("make", help=make.__doc__)
    one.set_defaults(verb=make)
    one.add_argument("out", type=Path)
    one.add_argument("--scans", type=Path, help="a folder of scans; subfolders are not read")
    one.add_argument("--pick", action="append", help="only scans whose name matches (repeatable)")
    one.add_argument("--volunteers", type=int, default=10, help="how many synthetic people")
    one.add_argument("--seed", type=int, default=0, help="of the synthetic people")
    two = verbs.add_parser("compare", help=compare.__doc__)
    two.set_defaults(verb=compare)
    two.add_argument("before", type=Path)
    two.add_argument("after", type=Path)
    two.add_argument("--score-tolerance", type=float, default=0.01)
    two.add_argument("--ignore-text", action="store_true", help="not errors and reasons")
    two.add_argument("--common", action="store_true", help="only what both records hold")
    given = parser.parse_args(argv)
    return given.verb(given)


if __name__ == "__main__":
    sys.exit(main())
