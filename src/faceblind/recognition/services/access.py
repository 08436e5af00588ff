"""Where a service is, and who may reach it: from the environment alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from faceblind.errors import ServiceError

_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    )
)
"""Loopback, and the networks of RFC 1918 and RFC 4193."""


@dataclass(frozen=True)
class Access:
    """Address and key of a service.

    Parameters
    ----------
    endpoint : str
        Scheme, host and port; no path.
    key : str
        Never shown, also not by ``repr``.
    """

    endpoint: str
    key: str = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether pictures stay on this machine or in its private network, see `is_local_host`."""
        return is_local_host(urlsplit(self.endpoint).hostname or "")


def names(service: str) -> tuple[str, str]:
    """Environment variables that hold the endpoint and the key of a service."""
    return f"FACEBLIND_{service.upper()}_ENDPOINT", f"FACEBLIND_{service.upper()}_KEY"


def is_local_host(host: str) -> bool:
    """Whether a host is ``localhost`` or an address in a private network.

    Other names count as public: what they resolve to can change.
    """
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)


def read_access(service: str, environment: Mapping[str, str]) -> Access:
    """Endpoint and key of a service.

    Parameters
    ----------
    service : {"azure", "compreface"}
    environment : mapping of str to str
        Such as ``os.environ``.

    Raises
    ------
    ServiceError
        If one is missing, or the endpoint is no plain address. The message quotes neither.
    """
    where, secret = names(service)
    missing = [name for name in (where, secret) if not environment.get(name, "").strip()]
    if missing:
        raise ServiceError(f"{' and '.join(missing)} in the environment")
    key = environment[secret].strip()
    if not key.isascii() or not key.isprintable():
        raise ServiceError(f"a key of plain characters in {secret}")
    return Access(_checked(environment[where].strip(), where), key)


def _checked(endpoint: str, where: str) -> str:
    """The endpoint without a slash at its end."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if not host or not plain or parts.path not in ("", "/"):
        raise ServiceError(f"an address such as https://HOST in {where}, without path or login")
    if parts.scheme not in ("https", "http") or port == 0:
        raise ServiceError(f"an http or https address in {where}")
    if parts.scheme == "http" and not is_local_host(host):
        raise ServiceError(f"https in {where}: pictures and key would travel in clear")
    return f"{parts.scheme}://{parts.netloc}"
