"""Endpoint and key: what is missing or unsafe is said, and neither is ever quoted."""

from __future__ import annotations

import pytest

from faceblind.errors import ServiceError
from faceblind.recognition.services.access import Access, is_local_host, read_access


def read(endpoint: str, key: str = "abc") -> Access:
    return read_access("azure", {"FACEBLIND_AZURE_ENDPOINT": endpoint, "FACEBLIND_AZURE_KEY": key})


def test_both_come_from_the_environment_and_the_key_is_never_shown() -> None:
    access = read("https://x.cognitiveservices.azure.com/", "very-secret")
    assert access.endpoint == "https://x.cognitiveservices.azure.com"
    assert access.key == "very-secret"
    assert "very-secret" not in repr(access)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ServiceError, match="FACEBLIND_AZURE_ENDPOINT and FACEBLIND_AZURE_KEY"):
        read_access("azure", {})
    with pytest.raises(ServiceError, match=r"^FACEBLIND_AZURE_KEY in the environment$"):
        read("https://x.example", " ")


@pytest.mark.parametrize(
    "endpoint",
    ["http://example.org", "ftp://localhost", "https://a:secret@x.org", "https://x.org/p", "x.org",
     "https://x.org?a=secret", "http://[::1", "http://10.0.0.1.example.org"],
)  # fmt: skip
def test_unsafe_addresses_are_refused_unquoted(endpoint: str) -> None:
    with pytest.raises(ServiceError) as caught:
        read(endpoint)
    assert "secret" not in str(caught.value)
    assert endpoint not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("192.168.1.4", True),
     ("172.31.0.1", True), ("172.32.0.1", False), ("8.8.8.8", False), ("compreface", False),
     ("localhost.example.org", False), ("169.254.169.254", False)],
)  # fmt: skip
def test_only_private_addresses_are_local(host: str, local: bool) -> None:
    assert is_local_host(host) is local
