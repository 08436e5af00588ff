"""Scans that a reviewer takes out of a public tree, and those that come in their place.

A scan that is taken out lies under the private folder, with what belongs to it. One that was
protected again waits there until somebody accepts it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faceblind.datasets.names import mask_path
from faceblind.datasets.sidecar import sidecar_path
from faceblind.errors import OutputError
from faceblind.formats.names import suffix_of
from faceblind.system.files import move_into_place
from faceblind.system.outputs import PRIVATE, WITHDRAWN, output_verb, private_dir
from faceblind.workflows.bids.manifest import VERB, FileRecord, Manifest


@dataclass(frozen=True)
class ReviewedTree:
    """A tree of protected scans under review.

    Parameters
    ----------
    root : Path
        What is public, any tool's output.
    notes : Path
        Private folder of the review.
    moves : bool
        Whether scans leave the public tree and come back.
    """

    root: Path
    notes: Path
    moves: bool

    @property
    def is_bids(self) -> bool:
        """Whether a manifest says what is public."""
        return output_verb(self.root) == VERB

    def withdrawn(self, inside: str) -> Path:
        """Where a rejected scan lies."""
        return self.notes / WITHDRAWN.name / inside

    def redone(self, inside: str) -> Path:
        """Where a scan waits that was protected again."""
        return self.notes / "redone" / inside

    def place(self, inside: str) -> Path:
        """Where the scan lies that is to be looked at: the newest there is."""
        places = (self.redone(inside), self.root / inside, self.withdrawn(inside))
        return next((path for path in places if path.is_file()), self.root / inside)

    def withdraw(self, inside: str) -> None:
        """Take a scan out of the public tree, first the scan, then what belongs to it.

        Nothing happens where it is not there any more.

        Parameters
        ----------
        inside : str
            Its path in the tree, with ``/``.

        Raises
        ------
        OutputError
            If it cannot be moved.
        """
        if not self.moves:
            return
        self._move(self.root, self.notes / WITHDRAWN.name, belongings(inside))
        if self.is_bids:
            with Manifest(self.root) as manifest:
                manifest.retract(inside, belongings(inside))

    def restore(self, inside: str, reason: str = "accepted in a review") -> None:
        """Put a scan back that was taken out; the scan comes last.

        Parameters
        ----------
        inside : str
        reason : str
            For the manifest.
        """
        if self.moves and self.withdrawn(inside).is_file():
            self._publish(self.notes / WITHDRAWN.name, inside, reason)

    def publish_redone(self, inside: str, reason: str) -> None:
        """Put a scan that was protected again in the place of the old one, which goes.

        Parameters
        ----------
        inside : str
        reason : str
            What its audit says.
        """
        if not self.moves or not self.redone(inside).is_file():
            return
        self.withdraw(inside)
        self._publish(self.notes / "redone", inside, reason)
        for one in belongings(inside):
            self.withdrawn(one).unlink(missing_ok=True)

    def _publish(self, folder: Path, inside: str, reason: str) -> None:
        files = [one for one in reversed(belongings(inside)) if (folder / one).is_file()]
        if self.is_bids:
            # Brings all that protects a dataset; a review must start at once.
            from faceblind.workflows.bids.copies import record_of

            records: list[FileRecord] = []
            for one in files:
                role = "protected" if one == inside else "sidecar"
                records.append(record_of(folder, one, role))
            with Manifest(self.root) as manifest:
                manifest.admit(inside, reason, records)
        self._move(folder, self.root, files)

    def _move(self, source: Path, target: Path, files: Sequence[str]) -> None:
        if target != self.root:
            private_dir(target)
        for one in files:
            path = source / one
            if path.is_symlink() and not path.exists():
                raise OutputError(f"{path}: is a link to a missing file; remove it yourself")
            if path.is_file():
                move_into_place(path, target / one, private_dir(self.notes / "incoming"))
                if source != self.root:
                    with contextlib.suppress(OSError):
                        path.parent.rmdir()


def belongings(inside: str) -> list[str]:
    """A scan, its sidecar and the mask of what was replaced in it, by paths in a tree.

    Parameters
    ----------
    inside : str
        Of the scan.
    """
    path = Path(inside)
    mask = mask_path(path, suffix_of(path.name))
    return [inside, sidecar_path(path).as_posix(), mask.as_posix()]


def is_own(root: Path) -> bool:
    """Whether a folder is an output that faceblind made of scans."""
    return output_verb(root) in ("deface", "reface", VERB)


def tree_of(root: Path, notes: Path | None, *, moves: bool | None = None) -> ReviewedTree:
    """How a folder of protected scans is reviewed.

    Parameters
    ----------
    root : Path
    notes : Path or None
        By default within the private folder of a faceblind output.
    moves : bool or None
        By default only in outputs of faceblind.
    """
    place = notes if notes is not None else root / PRIVATE / "review"
    return ReviewedTree(root, place, is_own(root) if moves is None else moves)
