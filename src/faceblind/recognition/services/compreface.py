"""CompreFace, a face service that one can run oneself: one subject per scan.

Written after its REST API's documentation (1.x), and tested against a local server that implements
it; it never ran against CompreFace itself.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from faceblind.errors import ServiceError
from faceblind.recognition.services.access import Access
from faceblind.recognition.services.interface import Answer, Candidate
from faceblind.recognition.services.pace import Pace
from faceblind.recognition.services.rest import Reply, Rest

PER_SECOND = 50.0
"""Requests a second; a server of one's own has no limit but its processors."""
MOST_CANDIDATES = 10_000
NO_FACE = 28
NO_FACE_TEXT = "No face is found in the given image"
"""CompreFace's code and message for a picture without a face, with HTTP 400."""

_API = "/api/v1/recognition"


class CompreFace:
    """A face collection of one recognition service.

    CompreFace knows no groups: a group's name is put before each subject's, and closing it
    deletes the subjects so named and no others.

    Parameters
    ----------
    access : Access
    per_second : float
        Most requests a second.
    sleep : callable
        For tests.
    """

    name = "compreface"
    most_candidates = MOST_CANDIDATES

    def __init__(
        self,
        access: Access,
        per_second: float = PER_SECOND,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pace = Pace(per_second)
        self._rest = Rest(self.name, access, "x-api-key", self._pace, sleep)
        self._group = ""
        self._plugins: dict[str, str] = {}

    @property
    def identity(self) -> str:
        """Name and the calculator that the service says it uses."""
        calculator = self._plugins.get("calculator", "")
        return f"compreface-{calculator}" if calculator else "compreface"

    def requests(self, renders: Sequence[int], photographs: Sequence[int]) -> int:
        """Two lists and, of each person, the subject made and deleted; a request a picture."""
        return 2 + 2 * len(renders) + sum(renders) + sum(photographs)

    def open(self, group: str) -> None:
        """Check that the collection is empty: other subjects would take part in the search."""
        if self._subjects():
            raise ServiceError(
                "compreface: the collection holds subjects already; make a recognition service of "
                "its own for this study"
            )
        self._group = group

    def enrol(self, token: str, pictures: Sequence[bytes]) -> int:
        """Make a subject and add its pictures."""
        subject = f"{self._group}-{token}"
        self._done(self._rest.ask("POST", f"{_API}/subjects", {"subject": subject}), (200, 201))
        path = f"{_API}/faces?subject={quote(subject, safe='')}"
        replies = (self._rest.ask("POST", path, _picture(picture)) for picture in pictures)
        return sum(self._shows_a_face(reply) for reply in replies)

    def train(self) -> None:
        """Nothing to do: a subject can be found as soon as it has pictures."""

    def identify(self, pictures: Sequence[bytes], candidates: int) -> list[Answer]:
        """Search the largest face of each picture."""
        path = f"{_API}/recognize?limit=1&prediction_count={candidates}&status=true"
        return [self._answer(self._rest.ask("POST", path, _picture(one))) for one in pictures]

    def _answer(self, reply: Reply) -> Answer:
        if not self._shows_a_face(reply):
            return None
        try:
            plugins = reply.content.get("plugins_versions") or {}
            self._plugins = {str(key): str(value) for key, value in plugins.items()}
            faces = reply.content["result"]
            if not faces:
                return None
            start = f"{self._group}-"
            found = [
                Candidate(str(one["subject"]).removeprefix(start), float(one["similarity"]))
                for one in faces[0]["subjects"]
                if str(one["subject"]).startswith(start)
            ]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ServiceError(
                "compreface: the answer is not the service's; check the endpoint"
            ) from None
        return tuple(sorted(found, key=lambda one: -one.confidence))

    def close(self, group: str) -> None:
        """Delete the group's subjects with their pictures."""
        for subject in self._subjects():
            if subject.startswith(f"{group}-"):
                path = f"{_API}/subjects/{quote(subject, safe='')}"
                self._done(self._rest.ask("DELETE", path), (200, 204, 404))

    def settings(self) -> dict[str, Any]:
        """Plugins of the service and requests."""
        return {"plugins": dict(sorted(self._plugins.items())), "requests": self._pace.count}

    def _subjects(self) -> list[str]:
        reply = self._rest.ask("GET", f"{_API}/subjects")
        self._done(reply, (200,))
        found = reply.content.get("subjects")
        if not isinstance(found, list):
            raise ServiceError("compreface: the answer is not the service's; check the endpoint")
        return [str(one) for one in found]

    def _shows_a_face(self, reply: Reply) -> bool:
        told = reply.content
        if reply.status == 400 and (
            told.get("code") == NO_FACE or told.get("message") == NO_FACE_TEXT
        ):
            return False
        self._done(reply, (200, 201))
        return True

    def _done(self, reply: Reply, good: tuple[int, ...]) -> None:
        if reply.status in good:
            return
        advice = (
            "the service refused the key; check FACEBLIND_COMPREFACE_KEY"
            if reply.status in (401, 403)
            else "the service failed; look at its log"
        )
        raise ServiceError(f"compreface: {advice} (HTTP {reply.status})")


def _picture(picture: bytes) -> dict[str, str]:
    return {"file": base64.b64encode(picture).decode()}
