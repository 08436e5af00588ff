"""One piece of work: protect the scans of a session, audit what was made, put in place what passed.

The same function serves every engine. What it does is safe against its own death at any instant:
work lies in the private folder until it has passed its audit and the manifest on the disk says so;
only then is it renamed into the public tree.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from faceblind._version import __version__
from faceblind.datasets.census import ScanFile
from faceblind.datasets.names import participant_label
from faceblind.datasets.sidecar import sidecar_path
from faceblind.errors import FaceblindError, why
from faceblind.system.claims import claim
from faceblind.system.files import move_into_place
from faceblind.system.outputs import PRIVATE, private_dir, remove_empty, withdrawn
from faceblind.system.workers import run_many
from faceblind.workflows import protect_outputs
from faceblind.workflows.audit import judge_scans
from faceblind.workflows.bids.companions import follows
from faceblind.workflows.bids.copies import record_of, stage_copy
from faceblind.workflows.bids.inputs import inputs_of, looks_of
from faceblind.workflows.bids.manifest import (
    REJECTED,
    FileRecord,
    Manifest,
    ScanRecord,
    State,
    TaskRecord,
)
from faceblind.workflows.bids.plan import Image, Task
from faceblind.workflows.bids.settings import BidsSettings
from faceblind.workflows.bids.sidecars import complete_sidecar
from faceblind.workflows.protect_outputs import OutputFiles
from faceblind.workflows.protect_session import Job, protect_job
from faceblind.workflows.protect_settings import for_derived

ELSEWHERE = "elsewhere"
BY_COMPANION = "no head can be found in it; it keeps nothing that its companion lost:"


@dataclass(frozen=True)
class Output:
    """Where results go.

    Parameters
    ----------
    root : Path
        The public tree, and in it the private folder.
    work : Path or None
        For what is under way, if not in the private folder.
    """

    root: Path
    work: Path | None = None

    def stage(self, key: str) -> Path:
        """Where the files of a piece of work wait."""
        return (self.work or self.root / PRIVATE / "staged") / key.replace("/", "_")

    def claim(self, key: str) -> Path:
        """The file that names who does a piece of work."""
        return self.root / PRIVATE / "claims" / key.replace("/", "_")

    @property
    def cache(self) -> Path:
        """What audits found, by content."""
        return self.root / PRIVATE / "cache"

    @property
    def incoming(self) -> Path:
        """For files that come from another file system."""
        return self.root / PRIVATE / "incoming"

    @property
    def jobs(self) -> Path:
        """Logs of jobs of a batch system."""
        return self.root / PRIVATE / "jobs"

    def make(self) -> None:
        """Make the private folders."""
        private_dir(self.root / PRIVATE)
        for path in (self.claim("x").parent, self.stage("x").parent, self.cache, self.incoming):
            private_dir(path)


@dataclass(frozen=True)
class TaskReport:
    """What became of a piece of work.

    Parameters
    ----------
    key : str
    state : str
        A `State` of the manifest, or ``"elsewhere"``: another run works on it.
    existed : bool
        Whether an earlier run had done it.
    scans : tuple of ScanRecord
    failures : tuple of str
        One line for each file that is not in the output though it should be.
    """

    key: str
    state: str
    existed: bool = False
    scans: tuple[ScanRecord, ...] = ()
    failures: tuple[str, ...] = ()


def run_task(task: Task, output: Output, settings: BidsSettings, wait_s: float = 0.0) -> TaskReport:
    """Do a piece of work, unless it was done before or another process does it now.

    Parameters
    ----------
    task : Task
    output : Output
        Made.
    settings : BidsSettings
    wait_s : float
        How long to wait for another process.

    Returns
    -------
    TaskReport
    """
    with claim(output.claim(task.key), wait_s=wait_s) as held:
        if not held:
            return TaskReport(task.key, ELSEWHERE)
        with Manifest(output.root) as manifest:
            return _Work(task, output, settings, manifest).run()


@dataclass
class _Work:
    """A piece of work that is held by this process."""

    task: Task
    output: Output
    settings: BidsSettings
    manifest: Manifest

    def __post_init__(self) -> None:
        self.stage = self.output.stage(self.task.key)
        self.began = time.monotonic()

    def run(self) -> TaskReport:
        key = self.task.key
        known = self.manifest.task(key) or TaskRecord(key, "waiting")
        record = self._record(known)
        same = (record.inputs, record.settings, record.version) == (
            known.inputs, known.settings, known.version,
        )  # fmt: skip
        if same and known.state == "done" and self._is_in_place():
            if record.looks != known.looks:
                self.manifest.finish(replace(known, looks=record.looks))
            return TaskReport(key, "done", True, tuple(self.manifest.scans(key)))
        if same and known.state == "protected" and self.stage.is_dir():
            scans = self.manifest.scans(key)
            if self.settings.steps == "protect":
                return self._report("protected", scans, ())
        elif self.settings.steps == "audit":
            error = f"{key}: was not protected before; run it without --audit-only first"
            return TaskReport(key, "waiting", failures=(error,))
        else:
            scans = self._protect()
        if self.settings.steps == "protect":
            record = replace(record, state="protected", seconds=time.monotonic() - self.began)
            self.manifest.begin_placing(record, scans, self.manifest.files(key))
            return self._report("protected", scans, ())
        return self._publish(record, self._audit(scans))

    def _record(self, known: TaskRecord) -> TaskRecord:
        """What would be known after this piece of work was done now."""
        looks, settings = looks_of(self.task), self.settings.digest()
        inputs = known.inputs if looks == known.looks else inputs_of(self.task)
        return TaskRecord(self.task.key, "passed", inputs, looks, settings, __version__)

    def _is_in_place(self) -> bool:
        for file in self.manifest.files(self.task.key):
            path = self.output.root / file.path
            if not path.is_file() or path.stat().st_size != file.size:
                return False
        return True

    def _protect(self) -> list[ScanRecord]:
        """Protect all images into the stage; records of the status ``protected`` or ``failed``."""
        shutil.rmtree(self.stage, ignore_errors=True)
        private_dir(self.stage)
        protection = self.settings.protection
        outputs = {
            image: OutputFiles(
                image.source,
                self.stage / image.target,
                protection if image.leader is None else for_derived(protection),
            )
            for image in self.task.images
        }
        for one in outputs.values():
            one.target.parent.mkdir(parents=True, exist_ok=True)
        refused = protect_outputs.clashes(outputs.values())
        scans = [image for image in self.task.scans if image.source not in refused]
        place_of = {image: place for place, image in enumerate(scans)}
        maps, leaders = [], []
        for image in self.task.maps:
            leader = place_of.get(self.task.scans[image.leader or 0])
            if leader is None or image.source in refused:
                reason = f"{image.source}: the scan that it belongs to was not protected; see there"
                refused.setdefault(image.source, reason)
            else:
                maps.append(image)
                leaders.append(leader)
        job = Job(
            tuple(outputs[one] for one in scans),
            tuple(outputs[one] for one in maps),
            tuple(leaders),
        )
        errors = dict(refused)
        if scans:
            errors |= {r.source: r.error or "" for r in protect_job(job, protection)}
        records = []
        for image in self.task.images:
            error = errors.get(image.source, "")
            if not error:
                error = self._completed(image)
            status = "failed" if error else "protected"
            records.append(ScanRecord(image.inside, image.target, status, error))
        return records

    def _completed(self, image: Image) -> str:
        """Write what BIDS asks of the sidecar; why that could not be, or nothing."""
        try:
            complete_sidecar(self.stage / image.target, image, self.settings.layout)
        except FaceblindError as error:
            return why(error)
        return ""

    def _audit(self, scans: Sequence[ScanRecord]) -> list[ScanRecord]:
        """Attack what was made; records of a verdict's status, or ``failed``."""
        person, _, session = self.task.key.partition("/")
        suffixes = {image.target: image.suffix for image in self.task.images}
        files = {
            scan.target: ScanFile(
                self.stage / scan.target,
                participant_label(person),
                session.removeprefix("ses-") or None,
                suffixes.get(scan.target),
            )
            for scan in scans
            if scan.status == "protected"
        }
        run = partial(run_many, n_jobs=1, show_progress=False)
        verdicts, _ = judge_scans(list(files.values()), self.stage, run, cache=self.output.cache)
        judged = {verdict.path: verdict for verdict in verdicts}
        records = []
        for scan in scans:
            verdict = judged.get(scan.target)
            if verdict is None:
                records.append(scan)
                continue
            reason = "; ".join(map(str, verdict.reasons))
            records.append(replace(scan, status=verdict.status, reason=reason))
        unseen = {
            verdict.path for verdict in verdicts if {r.kind for r in verdict.reasons} == {"no_head"}
        }
        return [
            self._by_companion(scan, records) if scan.target in unseen else scan for scan in records
        ]

    def _by_companion(self, scan: ScanRecord, records: Sequence[ScanRecord]) -> ScanRecord:
        """A map in which no head can be found, judged by what its companion lost."""
        image = next(image for image in self.task.images if image.target == scan.target)
        if image.leader is None:
            return scan
        leader = self.task.scans[image.leader]
        if not any(one.target == leader.target and one.status == "pass" for one in records):
            return scan
        stage = self.stage
        if not follows(image.source, stage / image.target, leader.source, stage / leader.target):
            return scan
        reason = f"{BY_COMPANION} {Path(leader.target).name}, which passed"
        return replace(scan, status="pass", reason=reason)

    def _publish(self, record: TaskRecord, scans: Sequence[ScanRecord]) -> TaskReport:
        """Put in place what passed, and the copies."""
        scans = [self._unless_rejected(scan) for scan in scans]
        files: list[FileRecord] = []
        failures = []
        for scan in scans:
            if scan.status == "pass":
                # A scan never lies there without its sidecar.
                beside = sidecar_path(scan.target).as_posix()
                files.append(record_of(self.stage, beside, "sidecar"))
                role = "follower" if scan.reason.startswith(BY_COMPANION) else "protected"
                files.append(record_of(self.stage, scan.target, role))
        dropped = {scan.source for scan in scans if scan.status != "pass"}
        for copy in self.task.copies:
            try:
                files.append(stage_copy(copy, self.stage, dropped))
            except FaceblindError as error:
                failures.append(why(error))
        is_whole = not dropped and not failures
        self._withdraw({file.path for file in files})
        self.manifest.begin_placing(record, scans, files)
        for file in files:
            move_into_place(
                self.stage / file.path, self.output.root / file.path, self.output.incoming
            )
        state: State = "done" if is_whole else "failed"
        seconds = time.monotonic() - self.began
        self.manifest.finish(replace(record, state=state, seconds=seconds))
        shutil.rmtree(self.stage, ignore_errors=True)
        return self._report(state, scans, failures)

    def _unless_rejected(self, scan: ScanRecord) -> ScanRecord:
        if scan.status != "pass" or not withdrawn(self.output.root / scan.target):
            return scan
        return replace(scan, status="rejected", reason=REJECTED)

    def _withdraw(self, kept: set[str]) -> None:
        """Take away what an earlier run put in place and this one does not."""
        for file in self.manifest.files(self.task.key):
            if file.path not in kept:
                path = self.output.root / file.path
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
                remove_empty([path.parent], self.output.root)

    def _report(
        self, state: str, scans: Sequence[ScanRecord], failures: Sequence[str]
    ) -> TaskReport:
        said = [_failure(scan) for scan in scans if scan.status not in ("pass", "protected")]
        return TaskReport(self.task.key, state, False, tuple(scans), (*said, *failures))


def _failure(scan: ScanRecord) -> str:
    if scan.status == "failed":
        return scan.reason
    if scan.status == "rejected":
        return f"{scan.source}: {scan.reason}"
    return f"{scan.source}: its audit says {scan.status}: {scan.reason}"
