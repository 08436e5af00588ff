"""The group is deleted whatever happens; what cannot be deleted is remembered and said."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from faceblind.errors import ServiceError
from faceblind.recognition.services.access import Access
from faceblind.recognition.services.compreface import CompreFace
from faceblind.recognition.services.group import new_token, temporary_group


@pytest.fixture
def service(compreface: Any) -> CompreFace:
    access = Access(compreface.endpoint, "secret-key-of-the-test")
    return CompreFace(access, per_second=1e6, sleep=lambda _: None)


@pytest.mark.parametrize("end", [None, RuntimeError("x"), KeyboardInterrupt()], ids=repr)
def test_it_is_deleted(service: CompreFace, compreface: Any, tmp_path: Path, end: Any) -> None:
    note = tmp_path / "note.json"

    def run() -> None:
        with temporary_group(service, note) as group:
            service.enrol("a", [b"face:ann"])
            assert json.loads(note.read_text())["group"] == group
            assert list(compreface.subjects) == [f"{group}-a"]
            if end is not None:
                raise end

    if end is None:
        run()
    else:
        with pytest.raises(type(end)):
            run()
    assert compreface.subjects == {}
    assert not note.exists()


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM of batch systems")
def test_it_is_deleted_when_a_batch_system_ends_the_job(
    service: CompreFace, compreface: Any, tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def run() -> None:
        with temporary_group(service, tmp_path / "note.json"):
            service.enrol("a", [b"face:ann"])
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()

    with pytest.raises(KeyboardInterrupt):
        run()
    assert compreface.subjects == {}
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_cannot_be_deleted_is_said_and_deleted_by_the_next_run(
    service: CompreFace, compreface: Any, tmp_path: Path
) -> None:
    note = tmp_path / "note.json"

    def run() -> None:
        with temporary_group(service, note):
            service.enrol("a", [b"face:ann"])
            compreface.troubles = [("DELETE", 500, {}, {})]

    with pytest.raises(ServiceError, match=r"faceblind-\w+ could NOT be deleted"):
        run()
    assert len(compreface.subjects) == 1
    assert note.is_file()
    with temporary_group(service, note):
        assert compreface.subjects == {}
    assert not note.exists()


def test_tokens_are_random() -> None:
    assert len({new_token() for _ in range(100)}) == 100
