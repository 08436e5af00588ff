"""JSON over HTTP with retries, for services without an SDK."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from faceblind.errors import ServiceError
from faceblind.recognition.services.access import Access
from faceblind.recognition.services.pace import Pace

BUSY = (429, 502, 503, 504)
"""Statuses that pass by themselves."""
TRIES = 6
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True)
class Reply:
    """What a service answered.

    Parameters
    ----------
    status : int
        Of HTTP.
    content : dict
        The JSON object; empty where the body is none.
    """

    status: int
    content: dict[str, Any]


class Rest:
    """One address of one service.

    Redirections are not followed: pictures go to the address that was given and nowhere else.

    Parameters
    ----------
    name : str
        For messages.
    access : Access
    key_header : str
        Header that carries the key.
    pace : Pace
    sleep : callable
        For tests.
    """

    def __init__(
        self,
        name: str,
        access: Access,
        key_header: str,
        pace: Pace,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name, self._access, self._pace, self._sleep = name, access, pace, sleep
        self._headers = {key_header: access.key, "Accept": "application/json"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Reply:
        """Send one request; repeat it while the service is busy or out of reach.

        Parameters
        ----------
        method, path : str
            The path with its query.
        body : dict, optional
            Sent as JSON.

        Raises
        ------
        ServiceError
            If no answer came.
        """
        pause, problem = FIRST_PAUSE_SECONDS, ""
        for left in range(TRIES - 1, -1, -1):
            self._pace.wait()
            try:
                reply, asked = self._once(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                problem = type(error).__name__
            else:
                if reply.status not in BUSY:
                    return reply
                problem, pause = f"HTTP {reply.status}", max(pause, asked)
            if left:
                self._sleep(min(pause, LONGEST_PAUSE_SECONDS))
                pause *= 2
        raise ServiceError(
            f"{self._name}: no answer after {TRIES} tries ({problem}); check that the service runs"
        )

    def _once(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[Reply, float]:
        """The answer, and for how many seconds the service asks to be left alone."""
        parts = urlsplit(self._access.endpoint)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        headers, data = dict(self._headers), None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return Reply(answer.status, _json(answer.read())), _seconds(
                answer.headers.get("Retry-After", "")
            )
        finally:
            connection.close()


def _json(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _seconds(header: str) -> float:
    return float(header) if header.isdecimal() else 0.0
