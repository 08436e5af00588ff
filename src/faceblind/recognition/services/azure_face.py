"""Azure Face: a LargePersonGroup, one person per scan, trained on its renders.

Written after the documentation and the SDK, and tested against a local server that implements
what these say; it never ran against the live service.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from typing import TYPE_CHECKING, Any

from faceblind.errors import ServiceError
from faceblind.recognition.services.access import Access
from faceblind.recognition.services.interface import Answer, Candidate
from faceblind.recognition.services.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator

RECOGNITION_MODEL = "recognition_04"
DETECTION_MODEL = "detection_03"
"""The latest of each that the SDK knows; it recommends both."""
PER_SECOND = 10.0
"""Rate limit of the standard tier, S0, in requests a second; the free tier has 20 a minute."""
MOST_CANDIDATES = 100
MOST_FACES = 248
"""Faces of one person."""
FACES_PER_SEARCH = 10
FACE_ID_SECONDS = 300
"""How long the service keeps what it computed from a photograph; at least 60."""
TRAINING_POLL_SECONDS = 1.0
LONGEST_TRAINING_SECONDS = 3600.0

_RETRIES = {
    "retry_total": 8,
    "retry_backoff_factor": 0.8,  # seconds; doubles with each retry
    "retry_backoff_max": 60,
    "timeout": 600,
}


def is_installed() -> bool:
    """Whether the SDK is there."""
    try:
        return importlib.util.find_spec("azure.ai.vision.face") is not None
    except ModuleNotFoundError:
        return False


_AGAIN: dict[str, Any] = {"retry_on_methods": ["GET", "PUT", "DELETE", "POST"]}
"""For every POST: the SDK alone repeats it after 429 only where Retry-After is given."""


class AzureFace:
    """A group in one Azure Face resource, by the SDK ``azure-ai-vision-face``.

    The SDK repeats what failed for a moment (429, 5xx, lost connections), waits as long as the
    service asks (``Retry-After``), and longer each time otherwise.

    Parameters
    ----------
    access : Access
    per_second : float
        Most requests a second.
    poll_seconds : float
        Pause between two questions whether the training has ended.
    sleep : callable
        For tests.

    Raises
    ------
    ServiceError
        If the SDK is not installed.
    """

    name = "azure"
    identity = f"azure-{RECOGNITION_MODEL}"
    most_candidates = MOST_CANDIDATES

    def __init__(
        self,
        access: Access,
        per_second: float = PER_SECOND,
        poll_seconds: float = TRAINING_POLL_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            from azure.ai.vision.face import FaceAdministrationClient, FaceClient
            from azure.core.credentials import AzureKeyCredential
        except ImportError as error:
            raise ServiceError("pip install 'faceblind[azure]'") from error
        options: dict[str, Any] = {
            "endpoint": access.endpoint,
            "credential": AzureKeyCredential(access.key),
            # Pictures go to the address that was given and nowhere else.
            "permit_redirects": False,
            **_RETRIES,
        }
        self._faces = FaceClient(**options)
        self._groups = FaceAdministrationClient(**options).large_person_group
        self._pace = Pace(per_second)
        self._poll, self._sleep = poll_seconds, sleep
        self._group = ""
        self._tokens: dict[str, str] = {}

    def requests(self, renders: Sequence[int], photographs: Sequence[int]) -> int:
        """Create, delete and train once (one poll); a person and its faces; detect and search."""
        searches = sum(-(-count // FACES_PER_SEARCH) for count in photographs)
        return 4 + len(renders) + sum(renders) + sum(photographs) + searches

    def open(self, group: str) -> None:
        """Make the group; its name is all that it holds of us."""
        with self._asked():
            self._groups.create(group, name=group, recognition_model=RECOGNITION_MODEL)
        self._group, self._tokens = group, {}

    def enrol(self, token: str, pictures: Sequence[bytes]) -> int:
        """Create a person and add faces; only pictures that show one are counted."""
        with self._asked():
            person = self._groups.create_person(self._group, name=token, **_AGAIN).person_id
        self._tokens[person] = token
        return sum(self._add(person, picture) for picture in pictures[:MOST_FACES])

    def _add(self, person: str, picture: bytes) -> bool:
        try:
            with self._asked():
                self._groups.add_face(
                    self._group, person, picture, detection_model=DETECTION_MODEL, **_AGAIN
                )
        except _UnusableError:
            return False
        return True

    def train(self) -> None:
        """Start the training and wait for its end."""
        with self._asked():
            self._groups.begin_train(self._group, polling=False, **_AGAIN)
        waited = 0.0
        while True:
            with self._asked():
                status = str(self._groups.get_training_status(self._group).status)
            if status.lower().endswith("succeeded"):
                return
            if status.lower().endswith("failed"):
                raise ServiceError("azure: the service could not train the group; try again later")
            if waited >= LONGEST_TRAINING_SECONDS:
                raise ServiceError("azure: the training did not end; try again later")
            self._sleep(self._poll)
            waited += self._poll

    def identify(self, pictures: Sequence[bytes], candidates: int) -> list[Answer]:
        """Detect the largest face of each picture, then search up to ten at once."""
        faces = [self._detect(picture) for picture in pictures]
        wanted = [face for face in faces if face is not None]
        found: dict[str, tuple[Candidate, ...]] = {}
        for start in range(0, len(wanted), FACES_PER_SEARCH):
            with self._asked():
                results = self._faces.identify_from_large_person_group(
                    face_ids=wanted[start : start + FACES_PER_SEARCH],
                    large_person_group_id=self._group,
                    max_num_of_candidates_returned=min(candidates, MOST_CANDIDATES),
                    # Everybody, not only those whom the service is sure of.
                    confidence_threshold=0.0,
                    **_AGAIN,
                )
            for one in results:
                found[one.face_id] = self._candidates(one.candidates)
        return [None if face is None else found.get(face, ()) for face in faces]

    def _detect(self, picture: bytes) -> str | None:
        try:
            with self._asked():
                faces = self._faces.detect(
                    picture,
                    detection_model=DETECTION_MODEL,
                    recognition_model=RECOGNITION_MODEL,
                    return_face_id=True,
                    face_id_time_to_live=FACE_ID_SECONDS,
                    **_AGAIN,
                )
        except _UnusableError:
            return None
        if not faces:
            return None
        largest = max(faces, key=lambda f: f.face_rectangle.width * f.face_rectangle.height)
        return None if largest.face_id is None else str(largest.face_id)

    def _candidates(self, found: Sequence[Any]) -> tuple[Candidate, ...]:
        known = [
            Candidate(self._tokens[one.person_id], float(one.confidence))
            for one in found
            if one.person_id in self._tokens
        ]
        return tuple(sorted(known, key=lambda one: -one.confidence))

    def close(self, group: str) -> None:
        """Delete the group, its people and faces."""
        from azure.core.exceptions import ResourceNotFoundError

        with self._asked(), suppress(ResourceNotFoundError):
            self._groups.delete(group)

    def settings(self) -> dict[str, Any]:
        """Models, SDK and requests."""
        return {
            "recognition_model": RECOGNITION_MODEL,
            "detection_model": DETECTION_MODEL,
            "api_version": str(self._faces._config.api_version),
            "sdk": f"azure-ai-vision-face {metadata.version('azure-ai-vision-face')}",
            "requests": self._pace.count,
        }

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """One request at the right time, its failures in words that quote nothing."""
        from azure.core.exceptions import AzureError, HttpResponseError

        self._pace.wait()
        try:
            yield
        except HttpResponseError as error:
            raise _in_words(error) from None
        except AzureError as error:
            kind = type(error).__name__
            raise ServiceError(
                f"azure: the service cannot be reached ({kind}); check the endpoint"
            ) from None
        except ValueError as error:
            if isinstance(error, ServiceError):
                raise
            raise ServiceError(
                "azure: the answer is not the service's; check the endpoint"
            ) from None


class _UnusableError(ServiceError):
    """The service cannot use one picture."""


_UNUSABLE = {"InvalidImage", "InvalidImageSize"}
"""Codes of HTTP 400 that are about the picture: no face or several in it, or its size in bytes."""


def _in_words(error: Any) -> ServiceError:
    """A line for a failed request. The answer's text is left out: it may quote the request."""
    status, code = error.status_code, _code(error)
    if status == 400 and code in _UNUSABLE:
        return _UnusableError(f"azure: the service cannot use a picture ({code})")
    told = f"HTTP {status}, {code}" if code else f"HTTP {status}"
    advice = {
        401: "the service refused the key; check FACEBLIND_AZURE_KEY and the endpoint",
        403: "this resource may not identify people; Microsoft must approve the customer first",
        429: "the service stayed busy; lower requests_per_second in --service-config",
    }.get(status, "the service failed; try again later")
    return ServiceError(f"azure: {advice} ({told})")


def _code(error: Any) -> str:
    """The service's own code for an error; empty where there is none."""
    try:
        code = str(error.response.json()["error"]["code"])
    except (AttributeError, ValueError, KeyError, TypeError):
        return ""
    return code if code.isalnum() and len(code) <= 40 else ""
