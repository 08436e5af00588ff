"""CompreFace's REST API against a local server."""

from __future__ import annotations

from typing import Any

import pytest

from faceblind.errors import ServiceError
from faceblind.recognition.services.access import Access
from faceblind.recognition.services.compreface import CompreFace


def service(fake: Any, key: str = "secret-key-of-the-test", pauses: Any = None) -> CompreFace:
    sleep = (pauses if pauses is not None else []).append
    return CompreFace(Access(fake.endpoint, key), per_second=1e6, sleep=sleep)


def test_a_whole_run_names_the_right_person_first_and_leaves_nothing(compreface: Any) -> None:
    face = service(compreface)
    face.open("g")
    assert face.enrol("a1", [b"face:ann", b"nothing"]) == 1
    assert face.enrol("b2", [b"face:bob"]) == 1
    face.train()
    first, second = face.identify([b"face:bob", b"nothing"], 2)
    assert [c.token for c in first or ()] == ["b2", "a1"]
    assert second is None
    assert face.identity == "compreface-facenet.Calculator"
    face.close("g")
    assert compreface.subjects == {}
    assert face.requests([2, 1], [2]) == len(compreface.log) == 11


def test_only_the_own_group_is_deleted(compreface: Any) -> None:
    compreface.subjects = {"g-a": [], "other": [], "g2-a": []}
    service(compreface).close("g")
    assert set(compreface.subjects) == {"other", "g2-a"}


def test_a_collection_in_use_is_refused(compreface: Any) -> None:
    compreface.subjects = {"somebody": []}
    with pytest.raises(ServiceError, match="holds subjects already"):
        service(compreface).open("g")


def test_a_busy_service_is_left_alone_as_long_as_it_asks(compreface: Any) -> None:
    compreface.troubles = [("GET", 429, {"Retry-After": "7"}, {}), ("GET", 503, {}, {})]
    pauses: list[float] = []
    service(compreface, pauses=pauses).open("g")
    assert pauses == [7, 14]
    assert len(compreface.log) == 3


def test_a_service_that_stays_busy_is_an_error(compreface: Any) -> None:
    compreface.troubles = [("GET", 503, {}, {})] * 6
    pauses: list[float] = []
    with pytest.raises(ServiceError, match=r"no answer after 6 tries \(HTTP 503\)"):
        service(compreface, pauses=pauses).open("g")
    assert pauses == [0.5, 1, 2, 4, 8]


def test_a_wrong_key_is_said_without_the_key(compreface: Any) -> None:
    with pytest.raises(ServiceError, match="refused the key") as caught:
        service(compreface, "not-the-key").open("g")
    assert "not-the-key" not in str(caught.value)


def test_nobody_there_is_an_error() -> None:
    face = CompreFace(Access("http://127.0.0.1:9", "k"), per_second=1e6, sleep=lambda _: None)
    with pytest.raises(ServiceError, match="no answer after 6 tries"):
        face.open("g")
