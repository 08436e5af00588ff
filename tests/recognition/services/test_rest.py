"""Retries of JSON over HTTP, before a connection that answers what a test has written down."""

from __future__ import annotations

from typing import Any

import pytest

from faceblind.errors import ServiceError
from faceblind.recognition.services import rest
from faceblind.recognition.services.access import Access
from faceblind.recognition.services.pace import Pace
from faceblind.recognition.services.rest import TRIES, Rest

ACCESS = Access("http://127.0.0.1:8000", "very-secret")


class Answer:
    def __init__(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def read(self) -> bytes:
        return self.body


class Line:
    """Stands in for `http.client`'s connections."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers, self.asked, self.opened, self.closed = answers, [], [], 0

    def __call__(self, host: str, port: int | None, timeout: float) -> Line:
        self.opened.append((host, port, timeout))
        return self

    def request(self, method: str, path: str, data: bytes | None, headers: dict) -> None:
        self.asked.append((method, path, data, headers))

    def getresponse(self) -> Answer:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def service(monkeypatch):
    """Makes a client and the line it asks on; pauses are noted and not made."""

    def make(*answers: Any, access: Access = ACCESS):
        line, pauses = Line(list(answers)), []
        for kind in ("HTTPConnection", "HTTPSConnection"):
            monkeypatch.setattr(rest.http.client, kind, line)
        client = Rest("toy", access, "x-api-key", Pace(1e6, sleep=lambda _: None), pauses.append)
        return client, line, pauses

    return make


def test_json_goes_out_with_the_key_and_comes_back(service):
    client, line, pauses = service(Answer(201, b'{"faces": 3}'))
    reply = client.ask("POST", "/faces?limit=1", {"a": 1})
    assert (reply.status, reply.content) == (201, {"faces": 3})
    assert line.opened == [("127.0.0.1", 8000, rest.TIMEOUT_SECONDS)]
    ((method, path, data, headers),) = line.asked
    assert (method, path, data) == ("POST", "/faces?limit=1", b'{"a": 1}')
    assert headers == {
        "x-api-key": "very-secret", "Accept": "application/json", "Content-Type": "application/json"
    }  # fmt: skip
    assert line.closed == 1
    assert pauses == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff"])
def test_what_is_no_object_is_an_empty_answer(service, body):
    client, line, _ = service(Answer(404, body))
    assert client.ask("GET", "/x") == rest.Reply(404, {})
    assert line.asked[0][2] is None
    assert "Content-Type" not in line.asked[0][3]


def test_a_busy_service_is_asked_again_after_pauses_that_double(service):
    busy = [Answer(status) for status in (429, 503, 504)]
    client, line, pauses = service(*busy, ConnectionResetError(), Answer(200, b'{"ok": 1}'))
    assert client.ask("GET", "/x").content == {"ok": 1}
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert line.closed == 5


def test_the_service_says_how_long_to_wait_but_not_for_ever(service):
    answers = Answer(429, Retry_After="7"), Answer(429, Retry_After="soon"), Answer(200)
    client, _, pauses = service(*answers)
    assert client.ask("GET", "/x").status == 200
    assert pauses == [7.0, 14.0]
    client, _, pauses = service(Answer(429, Retry_After="86400"), Answer(200))
    client.ask("GET", "/x")
    assert pauses == [rest.LONGEST_PAUSE_SECONDS]


@pytest.mark.parametrize(
    ("answer", "why"),
    [(Answer(502), "HTTP 502"), (rest.http.client.BadStatusLine("x"), "BadStatus")],
)
def test_it_gives_up_with_the_last_problem_and_without_the_key(service, answer, why):
    client, line, pauses = service(*[answer] * TRIES)
    with pytest.raises(ServiceError, match=f"toy: no answer after {TRIES} tries .{why}") as caught:
        client.ask("GET", "/x")
    assert "secret" not in str(caught.value)
    assert len(line.asked) == TRIES
    assert len(pauses) == TRIES - 1


def test_errors_and_redirections_are_answers(service):
    client, line, _ = service(Answer(302, Location="http://elsewhere.example/"), Answer(500))
    assert client.ask("GET", "/x").status == 302
    assert client.ask("GET", "/x").status == 500
    assert len(line.asked) == 2
