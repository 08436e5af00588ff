"""What a service that identifies faces offers, whoever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Candidate:
    """One person whom the service takes a face for.

    Parameters
    ----------
    token : str
        The name under which the person was enrolled.
    confidence : float
        The service's own figure, 0 to 1; higher is more similar.
    """

    token: str
    confidence: float


Answer = tuple[Candidate, ...] | None
"""Candidates of one picture, the best first; None where the service found no face in it."""


class IdentificationService(Protocol):
    """Enrols people under tokens in a group of its own, and names candidates for a face.

    Every method raises `faceblind.errors.ServiceError` with one line when the service refuses,
    cannot be reached, or stays busy.
    """

    name: str
    """Short name, as on the command line."""
    most_candidates: int
    """Candidates that one answer can hold."""

    @property
    def identity(self) -> str:
        """Name and version of the recognition model, as far as the service tells."""

    def requests(self, renders: Sequence[int], photographs: Sequence[int]) -> int:
        """Requests of a whole run.

        Parameters
        ----------
        renders, photographs : sequence of int
            Pictures of each person in the gallery, and of each person searched for.
        """

    def open(self, group: str) -> None:
        """Make an empty group.

        Parameters
        ----------
        group : str
            Its name: lower-case letters, digits and hyphens.
        """

    def enrol(self, token: str, pictures: Sequence[bytes]) -> int:
        """Add a person; return how many pictures showed a face to the service.

        Parameters
        ----------
        token : str
            Name of the person in the group; says nothing about who it is.
        pictures : sequence of bytes
            PNG files.
        """

    def train(self) -> None:
        """Make the group ready to be searched."""

    def identify(self, pictures: Sequence[bytes], candidates: int) -> list[Answer]:
        """Search each picture in the group.

        Parameters
        ----------
        pictures : sequence of bytes
            PNG files of one person.
        candidates : int
            How many to ask for.
        """

    def close(self, group: str) -> None:
        """Delete the group and whatever was enrolled in it; no error if there is none."""

    def settings(self) -> dict[str, Any]:
        """What a reader needs to repeat the run; no address, no key."""
