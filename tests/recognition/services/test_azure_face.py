"""The real SDK against a local server: what is asked, repeated, refused and deleted."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from faceblind.errors import ServiceError
from faceblind.recognition.services.access import Access
from faceblind.recognition.services.azure_face import AzureFace

KEY = "secret-key-of-the-test"
BUSY = {"error": {"code": "429", "message": "Rate limit is exceeded."}}


def service(azure: Any, key: str = KEY) -> AzureFace:
    return AzureFace(Access(azure.endpoint, key), per_second=1e4, poll_seconds=0)


def test_a_whole_run_names_the_right_person_first_and_leaves_nothing(azure: Any) -> None:
    face = service(azure)
    face.open("faceblind-1")
    assert face.enrol("a1", [b"face:ann", b"nothing", b"face:ann"]) == 2
    assert face.enrol("b2", [b"face:bob"]) == 1
    face.train()
    first, second, third = face.identify([b"face:bob", b"nothing", b"face:ann"], 2)
    assert [c.token for c in first or ()] == ["b2", "a1"]
    assert (first or ())[0].confidence == pytest.approx(0.9)
    assert second is None
    assert [c.token for c in third or ()] == ["a1", "b2"]
    face.close("faceblind-1")
    assert azure.groups == {}
    assert len(azure.asked("/training")) == 2  # running, then succeeded
    assert face.settings()["requests"] == len(azure.log)


def test_the_list_is_as_long_as_asked_for(azure: Any) -> None:
    face = service(azure)
    face.open("g")
    for name in ("ann", "bob", "cid"):
        face.enrol(name, [f"face:{name}".encode()])
    face.train()
    (answer,) = face.identify([b"face:cid"], 1)
    assert [c.token for c in answer or ()] == ["cid"]


def test_eleven_pictures_are_searched_in_two_requests_as_estimated(azure: Any) -> None:
    face = service(azure)
    azure.polls = 0
    face.open("g")
    face.enrol("a", [b"face:ann"] * 3)
    face.train()
    assert len(face.identify([b"face:ann"] * 11, 5)) == 11
    face.close("g")
    assert len(azure.asked("/identify")) == 2
    assert face.requests([3], [11]) == len(azure.log) == 21


@pytest.mark.parametrize("headers", [{"Retry-After": "0"}, {}], ids=["told when", "not told"])
def test_a_busy_service_is_asked_again(azure: Any, headers: dict[str, str]) -> None:
    azure.troubles.append(("persistedfaces", 429, headers, BUSY))
    face = service(azure)
    face.open("g")
    assert face.enrol("a", [b"face:ann"]) == 1
    assert len(azure.asked("persistedfaces")) == 2


def test_a_wrong_key_is_said_without_the_key(azure: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ServiceError, match=r"refused the key.*401") as caught:
        service(azure, "not-the-key-at-all").open("g")
    assert "not-the-key-at-all" not in str(caught.value) + caplog.text
    assert len(azure.log) == 1


def test_a_customer_whom_microsoft_did_not_approve(azure: Any) -> None:
    body = {"error": {"code": "UnsupportedFeature", "message": "missing approval"}}
    azure.troubles.append(("PUT", 403, {}, body))
    with pytest.raises(ServiceError, match=r"Microsoft must approve.*UnsupportedFeature"):
        service(azure).open("g")


def test_a_failed_training_is_an_error(azure: Any) -> None:
    when = "2026-01-01T00:00:00Z"
    times = ("createdDateTime", "lastActionDateTime", "lastSuccessfulTrainingDateTime")
    azure.troubles.append(
        ("/training", 200, {}, {"status": "failed", **dict.fromkeys(times, when)})
    )
    face = service(azure)
    face.open("g")
    with pytest.raises(ServiceError, match="could not train"):
        face.train()


def test_pictures_do_not_follow_a_redirection(azure: Any) -> None:
    azure.troubles.append(("detect", 307, {"Location": f"{azure.endpoint}/elsewhere"}, {}))
    with pytest.raises(ServiceError, match="307"):
        service(azure).identify([b"face:ann"], 1)
    assert not azure.asked("elsewhere")


def test_deleting_what_is_not_there_is_no_error(azure: Any) -> None:
    service(azure).close("gone")
    assert len(azure.asked("DELETE")) == 1
