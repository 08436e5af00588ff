"""One review: the queue, what was decided, and what follows from it for the public tree."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from faceblind.datasets.sidecar import sidecar_path
from faceblind.errors import FaceblindError, OutputError
from faceblind.review.decisions import Choice, Decision, Decisions, check
from faceblind.review.queue import ordered
from faceblind.review.redo import Redoing, Redone, RedoTask, check_settings
from faceblind.review.scans import Protected, Source, judged
from faceblind.system.files import file_digest
from faceblind.workflows.withdrawal import ReviewedTree

AGAINST: tuple[Choice, ...] = ("reject", "redo")
"""Choices that take a scan out of the public tree."""


class ChangedError(OutputError):
    """A scan is not the one that was looked at any more."""


@dataclass(frozen=True)
class Rater:
    """Who looks.

    Parameters
    ----------
    name : str
    round : int
        1, or more to look at the same scans again without seeing what was decided before.
    """

    name: str
    round: int = 1


class Review:
    """One rater's review of a folder of protected scans.

    Parameters
    ----------
    tree : ReviewedTree
    scans : sequence of Protected
    decisions : Decisions
    rater : Rater
    """

    def __init__(
        self,
        tree: ReviewedTree,
        scans: Sequence[Protected],
        decisions: Decisions,
        rater: Rater,
    ) -> None:
        self.tree, self.decisions, self.rater = tree, decisions, rater
        self._lock = threading.RLock()
        self._redoing = Redoing()
        self._errors: dict[str, str] = {}
        self._again = decisions.verdicts()
        own = {scan: judged(verdict) for scan, (_, verdict) in self._again.items()}
        self.scans = ordered(replace(s, judged=own.get(s.inside, s.judged)) for s in scans)
        self._numbers = {scan.inside: number for number, scan in enumerate(self.scans)}
        self._current: dict[str, Decision] = {}
        self._reconcile()

    def close(self) -> None:
        """End what runs."""
        self._redoing.close()

    def _reconcile(self) -> None:
        """Read what was decided, and take out what is public although somebody rejected it."""
        for one in self.decisions.current():
            number = self._numbers.get(one.scan)
            if number is None or not self._holds(one):
                continue
            if one.choice in AGAINST and (self.tree.root / one.scan).is_file():
                self.tree.withdraw(one.scan)
            if (one.rater, one.round) == (self.rater.name, self.rater.round):
                self._current[one.scan] = one
                if one.choice == "redo":
                    self._start_redo(self.scans[number], one.settings)

    def _holds(self, decision: Decision) -> bool:
        """Whether a decision is about the file that is there now."""
        path = self.tree.place(decision.scan)
        again = self._again.get(decision.scan)
        if again is not None:
            return again[0] == decision.sha256
        made = datetime.fromisoformat(decision.made).timestamp()
        if not path.is_file():
            return False
        # Reading a thousand scans takes minutes; only what is newer than the decision is compared.
        return path.stat().st_mtime < made or file_digest(path) == decision.sha256

    def scan(self, number: int) -> Protected:
        """A scan of the queue.

        Raises
        ------
        FaceblindError
            If there is none of this number.
        """
        if not 0 <= number < len(self.scans):
            raise FaceblindError("no such scan")
        return self.scans[number]

    def source(self, number: int) -> Source:
        """The files of a scan, where they are now.

        Raises
        ------
        FaceblindError
            If the protected scan is gone.
        """
        scan = self.scan(number)
        path = self.tree.place(scan.inside)
        if not path.is_file():
            raise FaceblindError("this scan is not there any more; start the review again")
        return Source(path, scan.before)

    def entry(self, number: int) -> dict[str, Any]:
        """What the page is told of a scan."""
        scan = self.scan(number)
        decision = self._current.get(scan.inside)
        place = Source(self.tree.place(scan.inside), scan.before)
        public = (self.tree.root / scan.inside).is_file()
        waits = self.tree.redone(scan.inside).is_file()
        return {
            "number": number,
            "path": scan.inside,
            "participant": scan.participant,
            "status": scan.judged.status,
            "score": scan.judged.score,
            "reasons": list(scan.judged.reasons),
            "regions": dict(scan.judged.regions),
            "original": scan.before is not None,
            "seen": _mark(place),
            "public": public,
            "again": waits,
            "running": self._redoing.is_running(scan.inside),
            "error": self._errors.get(scan.inside, ""),
            "choice": decision.choice if decision else "",
            "faults": list(decision.faults) if decision else [],
            "comment": decision.comment if decision else "",
            "made": decision.made if decision else "",
        }

    def queue(self) -> list[dict[str, Any]]:
        """All scans, the most suspicious first."""
        with self._lock:
            return [self.entry(number) for number in range(len(self.scans))]

    def decide(
        self,
        number: int,
        choice: Choice,
        faults: Sequence[str] = (),
        comment: str = "",
        settings: Mapping[str, Any] | None = None,
        seen: str | None = None,
    ) -> dict[str, Any]:
        """Keep a decision and do what follows from it.

        Parameters
        ----------
        number : int
        choice : Choice
        faults : sequence of str
        comment : str
        settings : mapping, optional
            Of ``redo``: see `faceblind.review.redo.check_settings`.
        seen : str, optional
            `Source.mark` of what was looked at: only that can be accepted.

        Returns
        -------
        dict
            See `entry`.

        Raises
        ------
        ChangedError
            If the scan is not the one that was looked at any more.
        FaceblindError
            If the decision cannot be made; nothing is kept then.
        """
        with self._lock:
            scan, source = self.scan(number), self.source(number)
            path = source.after
            if self._redoing.is_running(scan.inside):
                raise FaceblindError("this scan is being protected again; wait for the result")
            chosen = check_settings(settings or {}) if choice == "redo" else {}
            if choice == "redo" and scan.before is None:
                raise FaceblindError("there is no original to protect again; give --originals")
            decision = Decision(
                scan.inside, self.rater.name, self.rater.round, choice, tuple(faults), comment,
                sha256=file_digest(path), settings=chosen,
            )  # fmt: skip
            check(decision)
            if choice == "accept":
                if seen is not None and seen != source.mark():
                    raise ChangedError("has changed since it was shown; look at it again")
                self._require_passed(scan)
            if choice in AGAINST:
                # Before it is written down: what somebody rejected is public no longer.
                self.tree.withdraw(scan.inside)
            decision = self.decisions.add(decision)
            self._current[scan.inside] = decision
            if choice == "none":
                del self._current[scan.inside]
            self._errors.pop(scan.inside, None)
            if choice == "redo":
                self._start_redo(scan, chosen)
            elif choice in ("accept", "none"):
                self._admit(scan, choice)
            return self.entry(number)

    def _require_passed(self, scan: Protected) -> None:
        """Refuse what the output's own rule keeps out: a dataset holds only what passed."""
        waits = self.tree.redone(scan.inside).is_file()
        if waits and self.tree.is_bids and self.tree.moves and scan.judged.status != "pass":
            raise OutputError(
                "its audit does not say pass, and this output holds only what passed; protect it "
                "in another way or reject it"
            )

    def _admit(self, scan: Protected, choice: Choice) -> None:
        """Make a scan public that nobody rejects."""
        against = [
            one for one in self.decisions.of_scan(scan.inside)
            if one.choice in AGAINST and self._holds(one)
        ]  # fmt: skip
        if against:
            who = ", ".join(sorted({one.rater for one in against}))
            self._errors[scan.inside] = f"stays out of the public folder: rejected by {who}"
            return
        if not self.tree.redone(scan.inside).is_file():
            self.tree.restore(scan.inside)
        elif choice == "accept":
            reason = "; ".join(scan.judged.reasons) or "accepted in a review"
            self.tree.publish_redone(scan.inside, reason)

    def _start_redo(self, scan: Protected, settings: Mapping[str, Any]) -> None:
        if scan.before is None:
            return
        old = sidecar_path(self.tree.place(scan.inside))
        target = self.tree.redone(scan.inside)
        task = RedoTask(scan.before, target, settings, old if old.is_file() else None,
                        scan.participant)  # fmt: skip

        def done(result: Redone) -> None:
            self._redone(scan.inside, result)

        self._redoing.start(scan.inside, task, done)

    def _redone(self, inside: str, result: Redone) -> None:
        """Bring a scan back into the queue: undecided, or still rejected where it failed."""
        with self._lock:
            if result.error:
                self._errors[inside] = result.error
                return
            self.decisions.add_verdict(inside, result.sha256, result.verdict)
            self._again[inside] = (result.sha256, result.verdict)
            number = self._numbers[inside]
            self.scans[number] = replace(self.scans[number], judged=judged(result.verdict))
            self._current.pop(inside, None)


def _mark(source: Source) -> str:
    """See `Source.mark`; empty where the scan is gone."""
    try:
        return source.mark()
    except OSError:
        return ""
